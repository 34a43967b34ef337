"""What pytest's output options show of sessions; reports are written whatever is shown."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from plugin_runs import Runs, Sessions, outcomes

from pytest_sessioneval.testing import JudgeServer


@pytest.fixture
def _recorded(sessions: Sessions) -> None:
    """Write a session that passes, one below its threshold, one that cannot be read."""
    sessions.suite(
        "[thresholds.session]\ntool_usage_quality = 60\n"
        "[thresholds.mean]\ntool_usage_quality = 10\n",
        "recorded",
    )
    sessions.good("recorded/a.json")
    sessions.bad("recorded/b.json")
    sessions.text("recorded/c.json", '{"messages": [')


pytestmark = pytest.mark.usefixtures("_recorded")


def _cases(pytester: pytest.Pytester) -> dict[str, ET.Element]:
    """Return the test cases of ``out.xml`` by class and name."""
    pytester.runpytest("--junitxml=out.xml")
    root = ET.parse(pytester.path / "out.xml").getroot()  # noqa: S314  our own file
    return {f"{case.get('classname')}.{case.get('name')}": case for case in root.iter("testcase")}


def test_three_words_for_three_endings(pytester: pytest.Pytester) -> None:
    """Passed, failed and errored are told apart, and the suite's own thresholds are a test."""
    result = pytester.runpytest()
    assert {"passed": 2, "failed": 1, "errors": 1} == outcomes(result)
    assert pytest.ExitCode.TESTS_FAILED == result.ret


def test_progress_ends_at_a_hundred(pytester: pytest.Pytester) -> None:
    """No line of progress claims more than 100 %; the suite's thresholds have a line."""
    result = pytester.runpytest()
    result.stdout.fnmatch_lines(["recorded/c.json E*[[]100%[]]", "recorded ."])
    assert "[133%]" not in result.stdout.str()
    assert "[133%]" not in pytester.runpytest("-v").stdout.str()


@pytest.mark.parametrize("arguments", [(), ("-q",), ("-v",), ("-s",)], ids=" ".join)
def test_the_section_begins_below_its_title(
    pytester: pytest.Pytester, arguments: tuple[str, ...]
) -> None:
    """No empty line stands between the title and what it is about."""
    lines = pytester.runpytest(*arguments, "--tb=no").outlines
    (title,) = (place for place, line in enumerate(lines) if "= session scores: recorded" in line)
    assert lines[title + 1].startswith(" 2 sessions ")


def test_quiet_prints_letters(pytester: pytest.Pytester) -> None:
    """``-q`` prints a dot, an F and an E, then the dot of the suite's thresholds."""
    lines = pytester.runpytest("-q").outlines
    assert [".FE", "."] == [line.split()[0] for line in lines[:2]]


def test_verbose_prints_a_line_per_session(pytester: pytest.Pytester) -> None:
    """``-v`` names each session and how it ended."""
    result = pytester.runpytest("-v")
    result.stdout.fnmatch_lines(
        [
            "recorded/a.json PASSED*",
            "recorded/b.json FAILED*",
            "recorded/c.json ERROR*",
            "recorded::thresholds PASSED*",
        ]
    )


def test_durations_name_the_sessions(pytester: pytest.Pytester) -> None:
    """``--durations`` lists sessions by their node ids."""
    result = pytester.runpytest("--durations=0", "-vv")
    result.stdout.fnmatch_lines(["*s call *recorded/a.json"])


def test_the_short_summary_says_why(pytester: pytest.Pytester) -> None:
    """``-ra`` has one line per session that did not pass, with the reason in it."""
    result = pytester.runpytest("-ra", "--tb=no")
    result.stdout.fnmatch_lines(
        [
            "ERROR recorded/c.json - Failed: recorded/c.json:1: the text ends*",
            "FAILED recorded/b.json - below threshold: tool_usage_quality * < 60*",
        ]
    )


@pytest.mark.parametrize("style", ["long", "line", "native"])
def test_no_traceback_in_any_style(pytester: pytest.Pytester, style: str) -> None:
    """However tracebacks are shown, a session's failure has none of our code in it."""
    shown = pytester.runpytest(f"--tb={style}").stdout.str()
    assert "pytest_sessioneval" not in shown
    assert "Traceback" not in shown


def test_junit_has_a_case_per_session(pytester: pytest.Pytester) -> None:
    """JUnit XML has every session and the suite's thresholds."""
    assert ["recorded.a.json", "recorded.b.json", "recorded.c.json"] == [
        name.removeprefix(".") for name in _cases(pytester) if "json" in name
    ]


def test_junit_has_scores_as_properties(pytester: pytest.Pytester) -> None:
    """A case's properties are its scores, and why there is none."""
    (case,) = (case for name, case in _cases(pytester).items() if name.endswith("a.json"))
    found = {p.get("name"): p.get("value") for p in case.iter("property")}
    assert ["100.0", "unsupported", "not_applicable", "recorded", "passed"] == [
        found["tool_usage_quality"],
        found["goal_completion"],
        found["subagent_orchestration"],
        found["sessioneval_suite"],
        found["sessioneval_state"],
    ]


def test_junit_tells_failures_from_errors(pytester: pytest.Pytester) -> None:
    """Below threshold is a failure, an unreadable file is an error with its line."""
    cases = _cases(pytester)
    (failed,) = (case for name, case in cases.items() if name.endswith("b.json"))
    (errored,) = (case for name, case in cases.items() if name.endswith("c.json"))
    failure, error = failed.find("failure"), errored.find("error")
    assert failure is not None
    assert error is not None
    assert str(failure.get("message")).startswith("below threshold: tool_usage_quality")
    assert "recorded/c.json:1: " in str(error.get("message"))


def test_junit_has_the_suites_thresholds(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """A mean that is too low is a failed case of its own."""
    sessions.suite("[thresholds.mean]\ntool_usage_quality = 90\n", "recorded")
    (case,) = (case for name, case in _cases(pytester).items() if "thresholds" in name)
    assert "mean of tool_usage_quality below threshold" in "".join(case.itertext())


@pytest.mark.parametrize(
    "arguments",
    [
        ("--no-summary",),
        ("-p", "no:terminal"),
        ("-p", "no:cacheprovider"),
        ("-q", "-q"),
        ("-s",),
        ("--strict-markers", "--strict-config"),
    ],
    ids=" ".join,
)
def test_reports_are_written_all_the_same(
    pytester: pytest.Pytester, runs: Runs, arguments: tuple[str, ...]
) -> None:
    """Whatever is shown, the run's exit and its reports are the same."""
    result = pytester.runpytest(*arguments)
    assert pytest.ExitCode.TESTS_FAILED == result.ret
    assert [1, 1, 1] == [
        runs.suite["counts"][name] for name in ("passed", "below_threshold", "unreadable")
    ]


@pytest.mark.usefixtures("_installed")
def test_a_run_without_us_has_no_sessions(pytester: pytest.Pytester) -> None:
    """``-p no:sessioneval`` takes all of it away: no items, no options, no files."""
    result = pytester.runpytest("-p", "no:sessioneval")
    assert pytest.ExitCode.NO_TESTS_COLLECTED == result.ret
    assert not (pytester.path / ".sessioneval").exists()


def test_the_marker_is_listed(pytester: pytest.Pytester) -> None:
    """``pytest --markers`` explains ours."""
    pytester.runpytest("--markers").stdout.fnmatch_lines(["@pytest.mark.sessioneval: *"])


@pytest.mark.parametrize("option", ["--setup-plan", "--setup-only"])
def test_setup_options_ask_nobody(
    pytester: pytest.Pytester, judge_server: JudgeServer, option: str
) -> None:
    """A run that runs no item judges no session, and has no failure to tell."""
    result = pytester.runpytest(option)
    assert 0 == judge_server.calls
    assert "below threshold" not in result.stdout.str()


def test_setup_show_judges(pytester: pytest.Pytester) -> None:
    """``--setup-show`` runs the items, and so they are judged."""
    assert {"passed": 2, "failed": 1, "errors": 1} == outcomes(pytester.runpytest("--setup-show"))
