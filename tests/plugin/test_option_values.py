"""Every option: accepted and refused values, its ini twin, and that a refusal is one line."""

from __future__ import annotations

import pytest
from plugin_runs import Runs, Sessions, outcomes, refusal

from pytest_sessioneval.shell.options import OPTIONS

_ACCEPTED = {
    "judge": "evidence",
    "rubric": "agent",
    "repeats": "1",
    "embedding-model": "text-embedding-3-small",
    "context-tokens": "32000",
    "concurrency": "4",
    "max-calls": "100",
    "max-cost": "5",
    "timeout": "2.5",
    "store": "sqlite:///kept.db",
    "out": "reports",
    "json": "out.json",
    "md": "out.md",
    "scope": "unevaluated",
    "since": "2026-01-31",
    "limit": "10",
    "shard": "1/1",
    "run-id": "nightly-7.2",
    "redact": "secrets+pii",
    "advisor": "openai:gpt-5-mini",
}
_REFUSED = {
    "judge": [("gpt-5", "accepted: evidence, openai:MODEL"), ("openai:", "accepted: evidence")],
    "rubric": [("nothing", "agent"), ("no/such.toml", "agent")],
    "repeats": [("0", "a whole number from 1"), ("two", "a whole number from 1")],
    "context-tokens": [("1999", "a whole number from 2000"), ("32k", "a whole number")],
    "concurrency": [("0", "a whole number from 1"), ("-1", "a whole number"), ("1.5", "a whole")],
    "max-calls": [("-1", "a whole number"), ("many", "a whole number"), ("²", "a whole number")],
    "max-cost": [("-1", "US dollars, such as 5"), ("$5", "US dollars"), ("nan", "US dollars")],
    "timeout": [("0", "seconds, such as 60"), ("inf", "seconds"), ("1m", "seconds")],
    "store": [("kept.db", "sqlite:///kept.db"), ("mysql://db", "sqlite:///FILE")],
    "scope": [("some", "all or unevaluated")],
    "since": [("yesterday", "an ISO date, such as"), ("31.01.2026", "an ISO date")],
    "limit": [("0", "a whole number from 1")],
    "redact": [("none", "off, secrets or secrets+pii"), ("pii", "off, secrets or")],
    "run-id": [("", "letters"), ("a/b", "letters"), ("-x", "letters"), ("x" * 81, "up to 80")],
    "shard": [("0/3", "1 ≤ I ≤ N"), ("4/3", "1 ≤ I ≤ N"), ("1", "I/N"), ("a/b", "I/N")],
}
_REFUSED["advisor"] = [("evidence", "openai:MODEL"), ("openai:", "openai:MODEL, anthropic:MODEL")]
_OF_THE_GATE = {"baseline", "compare", "fail-under", "fail-drop"}


@pytest.fixture
def _recorded(sessions: Sessions) -> None:
    sessions.suite(folder="recorded")
    sessions.good("recorded/a.json")


def test_every_option_is_tested() -> None:
    """The two tables here hold every option that takes a value, but for the gate's own."""
    valued = {option.name for option in OPTIONS if option.metavar is not None}
    assert valued == set(_ACCEPTED) | _OF_THE_GATE | {"prices"}
    assert {"out", "json", "md", "embedding-model"} == set(_ACCEPTED) - set(_REFUSED)


@pytest.mark.usefixtures("_recorded")
@pytest.mark.parametrize(("name", "value"), _ACCEPTED.items(), ids=_ACCEPTED)
def test_an_accepted_value_runs(pytester: pytest.Pytester, name: str, value: str) -> None:
    """Each option alone, with a value it accepts, leaves the run as it is."""
    result = pytester.runpytest(f"--sessioneval-{name}", value)
    assert {"passed": 1} == outcomes(result)


@pytest.mark.usefixtures("_recorded")
@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [(name, value, said) for name, values in _REFUSED.items() for value, said in values],
)
def test_a_refused_value_is_told_in_one_line(
    pytester: pytest.Pytester, name: str, value: str, accepted: str
) -> None:
    """Exit 4 before anything is judged: the option, what was found, what is accepted."""
    message = refusal(pytester.runpytest(f"--sessioneval-{name}={value}"))
    assert value.partition(":")[0] in message
    assert accepted in message
    assert message.startswith(f"--sessioneval-{name}: ") or name in {"judge", "rubric"}


@pytest.mark.usefixtures("_recorded")
@pytest.mark.parametrize("flag", [(), ("--sessioneval", "recorded")], ids=["suite", "flag"])
def test_a_refusal_comes_at_the_same_exit_either_way(
    pytester: pytest.Pytester, flag: tuple[str, ...]
) -> None:
    """Whether the command line or a suite file brought the suite into play, it is exit 4."""
    message = refusal(pytester.runpytest(*flag, "--sessioneval-limit=none"))
    assert "--sessioneval-limit: 'none' is not accepted; give a whole number from 1" == message


@pytest.mark.usefixtures("_recorded")
def test_ini_twins_are_accepted(pytester: pytest.Pytester) -> None:
    """Every option that a repository may set for itself has a twin in the ini file."""
    twins = [option for option in OPTIONS if option.twin and option.metavar is not None]
    lines = [f"{option.dest} = {_ACCEPTED[option.name]}" for option in twins]
    pytester.makeini("\n".join(["[pytest]", *lines]))
    assert {"passed": 1} == outcomes(pytester.runpytest("--strict-config"))
    assert (pytester.path / "reports").is_dir()


@pytest.mark.usefixtures("_recorded")
@pytest.mark.parametrize(
    "name", ["repeats", "context-tokens", "concurrency", "max-calls", "timeout", "scope"]
)
def test_an_ini_twin_is_refused(pytester: pytest.Pytester, name: str) -> None:
    """A bad ini value is refused by the name it has there."""
    twin = f"sessioneval_{name.replace('-', '_')}"
    pytester.makeini(f"[pytest]\n{twin} = {_REFUSED[name][0][0]}\n")
    assert refusal(pytester.runpytest()).startswith(f"{twin} (ini): ")


@pytest.mark.parametrize("name", ["json", "md", "since", "limit", "shard"])
def test_what_is_for_one_run_has_no_twin(pytester: pytest.Pytester, name: str) -> None:
    """An ini file cannot leave sessions out for everybody, or write files elsewhere."""
    pytester.makeini(f"[pytest]\nsessioneval_{name} = 1\n")
    result = pytester.runpytest("--strict-config")
    assert pytest.ExitCode.USAGE_ERROR == result.ret
    result.stderr.fnmatch_lines([f"ERROR: *Unknown config option: sessioneval_{name}*"])


@pytest.mark.usefixtures("_recorded")
@pytest.mark.parametrize("value", ["true", "1"])
def test_offline_has_a_twin(pytester: pytest.Pytester, runs: Runs, value: str) -> None:
    """``sessioneval_offline`` asks no judge."""
    pytester.makeini(f"[pytest]\nsessioneval_offline = {value}\n")
    assert {"failed": 1} == outcomes(pytester.runpytest())
    assert 1 == runs.suite["counts"]["not_scored"]


@pytest.mark.usefixtures("_recorded")
def test_offline_can_be_false_in_an_ini(pytester: pytest.Pytester) -> None:
    """``sessioneval_offline = false`` says nothing."""
    pytester.makeini("[pytest]\nsessioneval_offline = false\n")
    assert {"passed": 1} == outcomes(pytester.runpytest())


@pytest.mark.usefixtures("_recorded")
def test_pyproject_holds_twins(pytester: pytest.Pytester) -> None:
    """Twins stand in ``[tool.pytest.ini_options]`` as well."""
    pytester.makepyprojecttoml('[tool.pytest.ini_options]\nsessioneval_scope = "none"\n')
    assert "all or unevaluated" in refusal(pytester.runpytest())


def test_every_option_is_in_the_help(pytester: pytest.Pytester) -> None:
    """``pytest --help`` lists each option with what it takes."""
    shown = pytester.runpytest("--help").stdout.str()
    for option in OPTIONS:
        assert f"{option.flag}={option.metavar}" if option.metavar else option.flag in shown


@pytest.mark.usefixtures("_recorded")
@pytest.mark.parametrize("name", ["json", "md"])
def test_a_report_can_be_had_elsewhere(pytester: pytest.Pytester, name: str) -> None:
    """``-json`` and ``-md`` write one more copy, below the folder pytest was called from."""
    pytester.runpytest(f"--sessioneval-{name}=copies/here.{name}")
    assert "recorded" in (pytester.path / "copies" / f"here.{name}").read_text(encoding="utf-8")


@pytest.mark.usefixtures("_recorded")
def test_reports_can_go_to_another_folder(pytester: pytest.Pytester) -> None:
    """``-out`` names the folder of runs."""
    pytester.runpytest("--sessioneval-out=elsewhere")
    assert 1 == len(list((pytester.path / "elsewhere" / "runs").iterdir()))
    assert not (pytester.path / ".sessioneval" / "runs").exists()


@pytest.mark.usefixtures("_recorded")
@pytest.mark.parametrize("name", ["out", "json", "md"])
def test_a_report_that_cannot_be_written_is_no_success(
    pytester: pytest.Pytester, sessions: Sessions, name: str
) -> None:
    """A path that is in the way is named in one line, and the run is not green."""
    sessions.text("file", "not a folder")
    result = pytester.runpytest(f"--sessioneval-{name}=file/deeper")
    assert pytest.ExitCode.TESTS_FAILED == result.ret
    assert "Traceback" not in result.stdout.str()
    result.stdout.fnmatch_lines(["report not written: *file*"])
