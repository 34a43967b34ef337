"""The ``sessioneval`` fixture: an ordinary test judges a session it just produced."""

from __future__ import annotations

import json
from textwrap import indent

import pytest
from plugin_runs import Runs, Sessions, failing_messages, good_messages, outcomes

from pytest_sessioneval.testing import JudgeServer

_LIBRARY = """
class Message:
    def __init__(self, said):
        self.said = said

    def model_dump(self, *, mode, exclude_none):
        assert mode == "json" and exclude_none
        return self.said
"""


def _test(pytester: pytest.Pytester, body: str, *, bad: bool = False) -> None:
    """Write a test with ``messages`` at hand."""
    said = failing_messages("pens") if bad else good_messages("pens")
    pytester.makepyfile(
        f"import json\nmessages = json.loads({json.dumps(json.dumps(said))})\n\n"
        f"def test_agent(sessioneval):\n{indent(body, '    ')}\n"
    )


def test_a_good_session_passes(pytester: pytest.Pytester) -> None:
    """A test asserts on a verdict's axes, in a project without any suite."""
    _test(
        pytester,
        "verdict = sessioneval.judge(messages)\nassert verdict['tool_usage_quality'] >= 70",
    )
    assert {"passed": 1} == outcomes(pytester.runpytest())


def test_a_failing_assertion_explains_itself(pytester: pytest.Pytester) -> None:
    """The failure shows axis, score, the expert's comment, message number and quote."""
    _test(
        pytester,
        "verdict = sessioneval.judge(messages)\nassert verdict['tool_usage_quality'] >= 70",
        bad=True,
    )
    result = pytester.runpytest()
    assert {"failed": 1} == outcomes(result)
    result.stdout.fnmatch_lines(
        [
            "E *assert <tool_usage_quality 11.0> >= 70",
            "E *embedded judge 11: 6 of 6 calls failed: refund *",
            'E *M2, M4, M6, M8, M10, M12: "Error: no such order"*',
        ]
    )


def test_an_unscored_axis_fails_with_its_reason(pytester: pytest.Pytester) -> None:
    """A comparison with an axis that has no score is neither true nor false: it says why."""
    _test(pytester, "assert sessioneval.judge(messages)['goal_completion'] >= 70")
    result = pytester.runpytest()
    assert {"failed": 1} == outcomes(result)
    result.stdout.fnmatch_lines(
        ["E *NotScoredError: goal_completion has no score: unsupported (*write [[][[]expect*"]
    )
    assert "shell/fixture.py" not in result.stdout.str()


def test_no_comparison_hides_a_missing_score(pytester: pytest.Pytester) -> None:
    """Whatever the operator, an axis without a score fails."""
    _test(
        pytester,
        "import operator, pytest\n"
        "axis = sessioneval.judge(messages)['goal_completion']\n"
        "for name in ('eq', 'ne', 'lt', 'le', 'gt', 'ge'):\n"
        "    with pytest.raises(AssertionError, match='has no score: unsupported'):\n"
        "        getattr(operator, name)(axis, 70)",
    )
    assert {"passed": 1} == outcomes(pytester.runpytest())


def test_an_unknown_axis_names_the_axes(pytester: pytest.Pytester) -> None:
    """A misspelt axis is told with those there are."""
    _test(pytester, "sessioneval.judge(messages)['tool_quality']")
    result = pytester.runpytest()
    result.stdout.fnmatch_lines(
        ["E *'tool_quality' is no axis of the rubric; the axes are task_complexity, goal_*"]
    )


def test_scores_compare_like_numbers(pytester: pytest.Pytester) -> None:
    """Equality, order, another axis and arithmetic by ``float`` work as with a number."""
    _test(
        pytester,
        "v = sessioneval.judge(messages)\n"
        "assert v['tool_usage_quality'] == 100\n"
        "assert v['task_complexity'] < v['tool_usage_quality'] <= 100\n"
        "assert float(v['efficiency']) / 2 < 50\n"
        "assert 'communication' in v and len(v) == 7",
    )
    assert {"passed": 1} == outcomes(pytester.runpytest())


def test_comparing_with_words_is_a_type_error(pytester: pytest.Pytester) -> None:
    """An axis is compared with numbers only."""
    _test(pytester, "assert sessioneval.judge(messages)['efficiency'] >= 'good'")
    pytester.runpytest().stdout.fnmatch_lines(["E *TypeError: an axis is compared with a number*"])


@pytest.mark.parametrize(
    "given", ["{'messages': messages}", "tuple(messages)", "[Message(m) for m in messages]"]
)
def test_what_a_file_may_hold_may_be_given(pytester: pytest.Pytester, given: str) -> None:
    """Anything a reader recognises can be judged, also a client library's own objects."""
    pytester.makeconftest(_LIBRARY)
    _test(
        pytester,
        "from conftest import Message\n"
        f"assert sessioneval.judge({given})['tool_usage_quality'] == 100",
    )
    assert {"passed": 1} == outcomes(pytester.runpytest())


def test_what_is_no_session_is_refused(pytester: pytest.Pytester) -> None:
    """A list that no reader recognises is an error of the test."""
    _test(pytester, "sessioneval.judge([{'name': 'left-pad'}])")
    result = pytester.runpytest()
    assert {"failed": 1} == outcomes(result)
    result.stdout.fnmatch_lines(["E *UnrecognisedError: *"])


def test_a_session_is_judged_once(pytester: pytest.Pytester, judge_server: JudgeServer) -> None:
    """The same session, judged twice, asks the three experts once: the store has the rest."""
    _test(pytester, "assert sessioneval.judge(messages) and sessioneval.judge(messages)")
    assert {"passed": 1} == outcomes(pytester.runpytest())
    assert 3 == judge_server.calls
    pytester.runpytest()
    assert 3 == judge_server.calls


def test_a_judge_that_is_down_fails_the_test(
    pytester: pytest.Pytester, judge_server: JudgeServer
) -> None:
    """An axis that nobody could score fails with what the server said."""
    judge_server.fail(3, status=401, message="bad key")
    _test(pytester, "assert sessioneval.judge(messages)['communication'] >= 0")
    result = pytester.runpytest()
    assert {"failed": 1} == outcomes(result)
    result.stdout.fnmatch_lines(["E *NotScoredError: communication has no score: failed (*401*"])


def test_what_is_no_json_is_refused(pytester: pytest.Pytester) -> None:
    """A message that no JSON can hold is named by its type."""
    _test(pytester, "sessioneval.judge([object()])")
    pytester.runpytest().stdout.fnmatch_lines(["E *TranscriptError: messages: no JSON: *object*"])


def test_the_suite_of_the_root_judges(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """A suite file at pytest's root says what is expected of the session."""
    pytester.makeini("[pytest]\n")
    sessions.suite('[[expect]]\nmust_call = ["refund"]\n')
    sessions.good("a.json")
    _test(pytester, "assert sessioneval.judge(messages)['goal_completion'] < 50")
    assert {"passed": 1, "deselected": 1} == outcomes(pytester.runpytest("-k", "test_agent"))


def test_fixture_sessions_are_in_no_suites_averages(
    pytester: pytest.Pytester, sessions: Sessions, runs: Runs
) -> None:
    """What a test judges does not move the mean of the sessions in files."""
    sessions.suite(folder="recorded")
    sessions.good("recorded/a.json")
    _test(pytester, "assert sessioneval.judge(messages)['tool_usage_quality'] < 60", bad=True)
    assert {"passed": 2} == outcomes(pytester.runpytest())
    assert 100 == runs.mean("tool_usage_quality")["mean"]


def test_no_suite_no_section(pytester: pytest.Pytester) -> None:
    """A run with the fixture alone has no averages to show."""
    _test(pytester, "assert sessioneval.judge(messages)['tool_usage_quality'] >= 70")
    assert "session scores" not in pytester.runpytest().stdout.str()


def test_a_bad_option_is_told_where_the_fixture_is_used(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A judge nobody knows is an error of one line, without our code in it."""
    monkeypatch.setenv("SESSIONEVAL_JUDGE", "gpt-5")
    _test(pytester, "sessioneval.judge(messages)")
    result = pytester.runpytest()
    assert pytest.ExitCode.TESTS_FAILED == result.ret
    assert "evidence, openai:MODEL" in result.stdout.str()
    assert "shell/fixture.py" not in result.stdout.str()


def test_a_broken_suite_file_is_told_where_the_fixture_is_used(
    pytester: pytest.Pytester, sessions: Sessions
) -> None:
    """A root whose suite file is broken is an error of one line, with file and line."""
    pytester.makeini("[pytest]\n")
    sessions.suite("[suite\n")
    _test(pytester, "sessioneval.judge(messages)")
    result = pytester.runpytest("-k", "test_agent")
    assert "sessioneval.toml:1: this is not TOML" in result.stdout.str() + result.stderr.str()
