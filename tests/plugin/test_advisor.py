"""A model that advises: asked only when told to, once per cluster, believed only with facts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import pytest
from plugin_runs import Runs, Sessions, outcomes, refusal

from pytest_sessioneval.testing import JudgeRequest, JudgeServer

_ADVISOR = "--sessioneval-advisor=openai:small"
_PRICES = """
[[model]]
name = "openai:small"
[model.prices]
input = 1.0
output = 2.0
"""


def _advice(request: JudgeRequest, **changes: object) -> str:
    given = {
        "nonce": request.nonce,
        "hypothesis": "It repeats a refused call.",
        "suggested_change": "Stop after one refusal.",
        "target": "prompt",
        "expected_axis": "tool_usage_quality",
        "evidence": ["F1", "F2"],
        "test": "Count equal calls.",
    }
    return json.dumps({**given, **changes})


@pytest.fixture
def advisor(monkeypatch: pytest.MonkeyPatch) -> Iterator[JudgeServer]:
    """Return a server that gives grounded advice, named by the environment."""
    with JudgeServer(_advice) as server:
        _asked_at(server, monkeypatch)
        yield server


def _asked_at(server: JudgeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def _two(sessions: Sessions) -> None:
    sessions.bad("recorded/a.json")
    sessions.bad("recorded/b.json")


pytestmark = pytest.mark.usefixtures("_two")


def _text(runs: Runs) -> str:
    return (runs.folders[-1] / "advice.md").read_text(encoding="utf-8")


def test_nobody_is_asked_unless_told(
    pytester: pytest.Pytester, advisor: JudgeServer, runs: Runs
) -> None:
    """A key in the environment is no permission."""
    pytester.runpytest("--sessioneval", "recorded")
    assert 0 == advisor.calls
    assert "model" not in _text(runs).partition("## recorded")[2]


def test_grounded_advice_stands_with_its_cluster(
    pytester: pytest.Pytester, advisor: JudgeServer, runs: Runs
) -> None:
    """As a guess, with the facts it cites by their labels."""
    pytester.runpytest("--sessioneval", "recorded", _ADVISOR)
    text = _text(runs)
    assert advisor.calls == text.count("**A model's guess**") > 0
    assert ", from F1, F2: It repeats a refused call.\n" in text
    assert "> Change (prompt): Stop after one refusal.\n" in text
    assert "\n- F1 [`a.json#M2`](" in text
    assert runs.suite["advice"]["advisor"]["spent"]["calls"] == advisor.calls


@pytest.mark.parametrize("how", [(), ("-q",), ("-v",)], ids=["plain", "quiet", "verbose"])
def test_the_calls_are_announced_before_the_first(
    pytester: pytest.Pytester, advisor: JudgeServer, how: tuple[str, ...]
) -> None:
    """How many, and to whom, on a line of its own; nothing where the answers are known."""
    first = pytester.runpytest("--sessioneval", "recorded", _ADVISOR, *how)
    first.stdout.fnmatch_lines([f"advisor: {advisor.calls} calls to openai:small"])
    again = pytester.runpytest("--sessioneval", "recorded", _ADVISOR)
    assert 2 == advisor.calls
    again.stdout.no_fnmatch_line("advisor: *")


def test_a_known_price_is_announced_as_the_most(
    pytester: pytest.Pytester, advisor: JudgeServer
) -> None:
    """What the replies may cost is not known beforehand: the most they can is."""
    prices = pytester.path / "prices.toml"
    prices.write_text(_PRICES, "utf-8")
    result = pytester.runpytest(
        "--sessioneval", "recorded", _ADVISOR, f"--sessioneval-prices={prices}"
    )
    result.stdout.fnmatch_lines([f"advisor: {advisor.calls} calls to openai:small, at most $*"])


def test_only_facts_are_sent(pytester: pytest.Pytester, advisor: JudgeServer) -> None:
    """No transcript: of its words only those that were cited."""
    pytester.runpytest("--sessioneval", "recorded", _ADVISOR)
    sent = "\n".join(request.text for request in advisor.requests)
    assert "Error: no such order" in sent
    assert "Refund the order about" not in sent
    assert "a.json" not in sent


def test_only_axes_that_can_rise_are_offered(
    pytester: pytest.Pytester, advisor: JudgeServer
) -> None:
    """Those that scores are held against: complexity describes, and goals are not scored here."""
    pytester.runpytest("--sessioneval", "recorded", _ADVISOR)
    offered = {
        axis
        for request in advisor.requests
        for listed in re.findall(r"The axes are: ([^.]*)\.", request.text)
        for axis in listed.split(", ")
    }
    assert "tool_usage_quality" in offered
    assert not {"task_complexity", "goal_completion"} & offered


@pytest.mark.parametrize(
    ("evidence", "why"),
    [(["F1", "F9"], "it cites 'F9'"), ([], "it cites no fact"), (["F2"], "rests on one session")],
)
def test_ungrounded_advice_is_left_out_and_counted(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    runs: Runs,
    evidence: list[str],
    why: str,
) -> None:
    """The file says how many were rejected, and why; the advice itself is nowhere."""
    with JudgeServer(lambda request: _advice(request, evidence=evidence)) as server:
        _asked_at(server, monkeypatch)
        pytester.runpytest("--sessioneval", "recorded", _ADVISOR)
    text = _text(runs)
    assert "It repeats a refused call" not in text
    assert f" 0 suggestions, {server.calls} rejected" in text
    assert why in text


@pytest.mark.parametrize(
    "break_it",
    [
        lambda server: server.fail(40, status=400),
        lambda server: [server.say("Sure, here you go!") for _ in range(40)],
        lambda server: [server.refuse() for _ in range(40)],
    ],
    ids=["refused", "no JSON", "declined"],
)
def test_a_failing_advisor_fails_no_run(
    pytester: pytest.Pytester,
    advisor: JudgeServer,
    runs: Runs,
    break_it: Callable[[JudgeServer], object],
) -> None:
    """The run ends as it would have, and the file says what went wrong."""
    break_it(advisor)
    result = pytester.runpytest("--sessioneval", "recorded", _ADVISOR)
    assert {"passed": 2} == outcomes(result)
    assert pytest.ExitCode.OK == result.ret
    assert "- no answer: " in _text(runs)


def test_a_missing_key_is_said_and_fails_no_run(pytester: pytest.Pytester, runs: Runs) -> None:
    """Nobody can be asked: the file says what to set."""
    result = pytester.runpytest("--sessioneval", "recorded", _ADVISOR)
    assert pytest.ExitCode.OK == result.ret
    assert "- no answer: " in _text(runs)
    assert "OPENAI\\_API\\_KEY" in _text(runs) or "OPENAI_API_KEY" in _text(runs)


def test_the_same_facts_are_not_asked_about_again(
    pytester: pytest.Pytester, advisor: JudgeServer, runs: Runs
) -> None:
    """The answers of the first run are kept: the file has the same bytes."""
    pytester.runpytest("--sessioneval", "recorded", _ADVISOR)
    first, calls = _text(runs), advisor.calls
    pytester.runpytest("--sessioneval", "recorded", _ADVISOR)
    assert (first, calls) == (_text(runs), advisor.calls)
    assert runs.suite["advice"]["advisor"]["reused"]


def test_calls_are_within_the_runs_budget(
    pytester: pytest.Pytester, advisor: JudgeServer, runs: Runs
) -> None:
    """What is beyond it is not asked, and said."""
    pytester.runpytest("--sessioneval", "recorded", _ADVISOR, "--sessioneval-max-calls=1")
    assert 1 == advisor.calls
    assert "the budget of 1 judge calls is spent" in _text(runs)


def test_offline_asks_nobody(pytester: pytest.Pytester, advisor: JudgeServer) -> None:
    """Not the advisor either."""
    pytester.runpytest("--sessioneval", "recorded")
    pytester.runpytest("--sessioneval", "recorded", _ADVISOR, "--sessioneval-offline")
    assert 0 == advisor.calls


@pytest.mark.usefixtures("advisor")
def test_the_next_run_says_what_became_of_it(
    pytester: pytest.Pytester, sessions: Sessions, runs: Runs
) -> None:
    """Sessions recorded anew are compared with themselves, and why that proves little is said."""
    pytester.runpytest("--sessioneval", "recorded", _ADVISOR)
    sessions.good("recorded/a.json", "recorded/b.json")
    pytester.runpytest("--sessioneval", "recorded")
    text = _text(runs)
    assert "regression to the mean" in text
    assert "Stop after one refusal. **tool_usage_quality: +" in text
    assert "in 2 of its 2 sessions**; no other session is recorded anew." in text


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_an_ini_file_may_name_it(
    pytester: pytest.Pytester, advisor: JudgeServer, workers: str
) -> None:
    """As it may name a judge; under workers the controller alone asks."""
    pytester.makeini("[pytest]\nsessioneval_advisor = openai:small\n")
    pytester.runpytest("--sessioneval", "recorded", workers)
    assert 0 < advisor.calls <= 5


@pytest.mark.parametrize("name", ["evidence", "hook:marks", "openai:", "recorded:x", "gpt"])
def test_what_is_no_model_is_refused(pytester: pytest.Pytester, name: str) -> None:
    """Before anything is judged, with what is accepted."""
    result = pytester.runpytest("--sessioneval", "recorded", f"--sessioneval-advisor={name}")
    assert pytest.ExitCode.USAGE_ERROR == result.ret
    assert f"--sessioneval-advisor: '{name}' is not accepted; give openai:MODEL" in refusal(result)


def test_of_a_shared_run_the_last_part_asks(
    pytester: pytest.Pytester, advisor: JudgeServer, runs: Runs
) -> None:
    """The others have not seen all the facts."""
    shared = ("--sessioneval", "recorded", "--sessioneval-run-id=nightly", _ADVISOR)
    pytester.runpytest(*shared, "--sessioneval-shard=1/2")
    assert 0 == advisor.calls
    pytester.runpytest(*shared, "--sessioneval-shard=2/2")
    assert 0 < advisor.calls
    assert "A model's guess" in _text(runs)
