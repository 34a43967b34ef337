"""Usage errors of suites: exit 4, one line with file and line, nothing judged, no traceback."""

from __future__ import annotations

import pytest
from plugin_runs import Runs, Sessions, outcomes, refusal

from pytest_sessioneval.testing import JudgeServer


@pytest.fixture
def recorded(sessions: Sessions) -> Sessions:
    """Return a folder with one session."""
    sessions.good("recorded/a.json")
    return sessions


@pytest.mark.parametrize(
    ("suite", "told"),
    [
        ("[suite]\nname = \n", "recorded/sessioneval.toml:2: this is not TOML"),
        ("[treshold]\n", "sessioneval.toml:1: the top level has no key 'treshold' (did you mean "),
        (
            "\n\n[thresholds.session]\ntool_use_quality = 40\n",
            "sessioneval.toml:4: ",
        ),
        ("[thresholds.session]\nefficiency = 140\n", "sessioneval.toml:2: "),
        ("[judge]\nmodel = 'gpt-5'\n", "sessioneval.toml:2: judge.model is the string"),
        ("[judge]\nmodel = 'openai:x'\n", "no key for the judge at api.openai.com"),
        ("[judge]\nmodel = 'hook:nobody'\n", "no Python judge is named 'nobody'"),
        ("[judge]\nmodel = 'recorded:none.jsonl'\n", "none.jsonl"),
        ("[judge]\nmodel = 'recorded:../outside.jsonl'\n", "sessioneval.toml:2: "),
        ("[judge]\nrepeats = 3\n", "the embedded judge always answers the same"),
        ("[suite]\nrubric = 'nothing'\n", "sessioneval.toml:2: "),
        ("[suite]\nsessions = ['*.csv']\n", "no session in"),
        ("[suite]\nsessions = ['../*.json']\n", "sessioneval.toml:2: suite.sessions"),
        ("[suite]\nkey = 'ticket'\n", "session a.json has no ticket; it has "),
        ("[profiles]\ndefault = 'none.md'\n", "sessioneval.toml:2: "),
        ("[suite]\nfeedback = ['none.jsonl']\n", "there is no feedback file 'none.jsonl'"),
        (
            "[[expect]]\nsession = 'b.json'\nmust_call = ['x']\n",
            "[[expect]] names sessions that are not there: b.json; the keys are a.json",
        ),
        ("[[expect]]\nsession = 'a.json'\n", "sessioneval.toml:1: [[expect]] expects nothing"),
        ("[[expect]]\nfinal_matches = '('\n", "sessioneval.toml:2: final_matches is no regular"),
        (b"[suite]\nname = '\xff'\n", "sessioneval.toml"),
    ],
)
def test_what_is_wrong_with_a_suite_is_told(
    pytester: pytest.Pytester, recorded: Sessions, suite: str | bytes, told: str
) -> None:
    """The message says what was found where, and the run ends before anything is judged."""
    recorded.text("recorded/sessioneval.toml", suite)
    assert told in refusal(pytester.runpytest())


@pytest.mark.parametrize("suite", ["[suite\n", "[judge]\nmodel = 'hook:nobody'\n"])
def test_the_flag_makes_no_difference(
    pytester: pytest.Pytester, recorded: Sessions, suite: str
) -> None:
    """A suite named with ``--sessioneval`` is refused in the same words."""
    recorded.suite(suite, "recorded")
    plain = refusal(pytester.runpytest())
    assert plain == refusal(pytester.runpytest("--sessioneval", "recorded"))


def test_nothing_is_judged_and_nothing_is_reported(
    pytester: pytest.Pytester, recorded: Sessions, judge_server: JudgeServer, runs: Runs
) -> None:
    """A suite that is refused costs nothing, and neither does a sound one beside it."""
    recorded.suite("[suite\n", "recorded")
    recorded.suite(folder="sound")
    recorded.good("sound/b.json")
    refusal(pytester.runpytest())
    assert 0 == judge_server.calls
    assert [] == runs.folders


def test_a_named_file_without_a_session_is_named(
    pytester: pytest.Pytester, recorded: Sessions
) -> None:
    """What was named is what is told of, and not the folder beside it, which holds sessions."""
    note = recorded.text("recorded/note.txt", "hello")
    message = refusal(pytester.runpytest("--sessioneval", "recorded/note.txt"))
    assert message.startswith(f"no session in {note}: no reader recognises ")


def test_every_broken_suite_is_told(pytester: pytest.Pytester, recorded: Sessions) -> None:
    """Two broken suites are two messages of one refusal."""
    recorded.suite("[suite\n", "recorded")
    recorded.suite("[judge\n", "other")
    result = pytester.runpytest()
    assert pytest.ExitCode.USAGE_ERROR == result.ret
    result.stderr.fnmatch_lines_random(
        ["*other/sessioneval.toml:1: *", "*recorded/sessioneval.toml:1: *"]
    )


def test_collecting_only_tells_it_too(pytester: pytest.Pytester, recorded: Sessions) -> None:
    """``--co`` finds a broken suite before the real run does."""
    recorded.suite("[suite\n", "recorded")
    assert "sessioneval.toml:1" in refusal(pytester.runpytest("--co"))


def test_a_broken_suite_elsewhere_does_not_matter(
    pytester: pytest.Pytester, recorded: Sessions
) -> None:
    """A suite that is not collected is not read."""
    recorded.suite("[suite\n", "other")
    recorded.suite(folder="recorded")
    assert {"passed": 1} == outcomes(pytester.runpytest("recorded"))


def test_two_sessions_of_one_key_under_a_gate_are_refused(
    pytester: pytest.Pytester, recorded: Sessions
) -> None:
    """A gate pairs sessions by key: a key that two share is told with both ways out."""
    recorded.several("recorded/many.jsonl", 2)
    recorded.suite(
        "[suite]\nkey = 'agent_model'\n[gate]\naxes = ['efficiency']\n",
        "recorded",
    )
    message = refusal(pytester.runpytest())
    assert "agent_model" in message or "name more than one session" in message
