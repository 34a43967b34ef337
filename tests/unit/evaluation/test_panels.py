"""The judges of a run's suites: opened once, shared where they may be, refused where useless."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from evaluation_cases import ONE, small_suite
from scripted_judge import PATIENCE_S, ScriptedJudge

from pytest_sessioneval.errors import SettingError, SuiteError
from pytest_sessioneval.evaluation.panels import Panels
from pytest_sessioneval.judging.budget import CallBudget
from pytest_sessioneval.judging.evidence_judge import EvidenceJudge
from pytest_sessioneval.judging.model import Judge
from pytest_sessioneval.suites.model import GateSettings, JudgeSettings, Suite, Thresholds


class Opener:
    """Opens scripted judges, or the embedded one, and notes each."""

    def __init__(self, **judge: Any) -> None:
        self.opened: list[tuple[str, str]] = []
        self.judges: list[ScriptedJudge] = []
        self.budgets: set[int] = set()
        self._judge = judge

    def __call__(
        self, model: str, suite: Suite, *, budget: CallBudget, stop: threading.Event
    ) -> Judge:
        """Return a judge of that name."""
        del stop
        if model == "hook:missing":
            raise SettingError("no such judge")
        self.opened.append((model, suite.name))
        self.budgets.add(id(budget))
        if model == "evidence":
            return EvidenceJudge()
        judge = ScriptedJudge(name=model, **self._judge)
        self.judges.append(judge)
        return judge


def _panels(opener: Opener, *, for_baseline: bool = False) -> Panels:
    return Panels(opener, CallBudget(9), threading.Event(), for_baseline=for_baseline)


def _suite(name: str = "small", model: str = "hook:script", **how: Any) -> Suite:
    sections = {key: how.pop(key) for key in ("thresholds", "gate") if key in how}
    experts = () if model == "evidence" else (ONE,)
    judge = JudgeSettings(model=model, experts=experts, **how)
    return small_suite(name=name, root=Path("/suites") / name, judge=judge, **sections)


def test_a_suites_panel_is_made_once() -> None:
    """Asked for again, it is the same."""
    opener = Opener()
    panels = _panels(opener)
    assert panels.of(_suite()) is panels.of(_suite())
    assert [("hook:script", "small")] == opener.opened


def test_a_panel_is_made_once_among_threads() -> None:
    """Workers that ask at the same moment open one judge."""
    opener, together = Opener(), threading.Barrier(4)
    panels = _panels(opener)

    def ask(_number: int) -> int:
        together.wait(PATIENCE_S)
        return id(panels.of(_suite()))

    with ThreadPoolExecutor(4) as pool:
        assert 1 == len(set(pool.map(ask, range(4))))
    assert 1 == len(opener.opened)


def test_suites_with_equal_settings_share_a_judge() -> None:
    """One model's connections serve all suites."""
    opener = Opener()
    panels = _panels(opener)
    for name in ("one", "two"):
        panels.of(_suite(name))
    assert [("hook:script", "one")] == opener.opened


def test_suites_with_other_parameters_do_not() -> None:
    """A temperature is the suite's own."""
    opener = Opener()
    panels = _panels(opener)
    panels.of(_suite("one"))
    panels.of(_suite("two", temperature=0.5))
    assert 2 == len(opener.opened)


def test_recordings_are_each_suites_own() -> None:
    """A recording's path is relative to its suite: the same words name two files."""
    opener = Opener()
    panels = _panels(opener)
    for name in ("one", "two"):
        panels.of(_suite(name, "recorded:replies.jsonl"))
    assert [("recorded:replies.jsonl", "one"), ("recorded:replies.jsonl", "two")] == opener.opened


def test_one_judge_per_model_of_the_panel() -> None:
    """Experts that name a model of their own have it opened, each once."""
    opener = Opener()
    experts = (
        ONE,
        ONE.model_copy(update={"id": "two", "model": "hook:other"}),
        ONE.model_copy(update={"id": "three", "model": "hook:other"}),
    )
    _panels(opener).of(small_suite(*experts))
    assert ["hook:other", "hook:script"] == [model for model, _ in opener.opened]


def test_all_judges_draw_on_one_budget() -> None:
    """A cap on calls is the run's."""
    opener = Opener()
    panels = _panels(opener)
    panels.of(_suite("one"))
    panels.of(_suite("two", seed=1))
    assert 1 == len(opener.budgets)


def test_closing_closes_every_judge() -> None:
    """Nothing stays open."""
    opener = Opener()
    panels = _panels(opener)
    panels.of(_suite("one"))
    panels.of(_suite("two", seed=1))
    panels.close()
    assert [True, True] == [judge.closed for judge in opener.judges]


def test_a_judge_that_cannot_be_opened_is_told() -> None:
    """And tried again when asked again."""
    panels = _panels(Opener())
    for _ in range(2):
        with pytest.raises(SettingError, match="no such judge"):
            panels.of(_suite(model="hook:missing"))


ASKED: dict[str, Any] = {
    "[thresholds.session]": {"thresholds": Thresholds(session={"goal": 1})},
    "[thresholds.mean]": {"thresholds": Thresholds(mean={"goal": 1})},
    "[gate] axes": {"gate": GateSettings(axes=("goal",))},
}


@pytest.mark.parametrize("where", ASKED)
def test_asking_for_what_nobody_can_score_is_refused(where: str) -> None:
    """The message names the setting, the axis, the judge, and how to get it scored."""
    panels = _panels(Opener(unsupported={"goal": "write [[expect]]"}))
    with pytest.raises(SuiteError) as caught:
        panels.of(_suite(**ASKED[where]))
    assert (
        f"suite small: {where} names goal, which hook:script cannot score here: write [[expect]]"
    ) == str(caught.value)


def test_what_nobody_can_score_may_go_unasked() -> None:
    """Without a threshold or a gate on it, the axis is only reported."""
    panels = _panels(Opener(unsupported={"goal": "write [[expect]]"}))
    assert {"goal": "write [[expect]]"} == panels.of(
        _suite(thresholds=Thresholds(session={"tone": 1}))
    ).unsupported()


@pytest.mark.parametrize(
    ("for_baseline", "repeats"), [(False, 2), (True, 5)], ids=["run", "baseline"]
)
def test_a_baseline_asks_more_often(for_baseline: bool, repeats: int) -> None:  # noqa: FBT001
    """As the suite says, for sessions that go into a baseline."""
    suite = _suite(repeats=2, baseline_repeats=5)
    assert repeats == _panels(Opener(), for_baseline=for_baseline).of(suite).repeats


def test_a_baseline_never_asks_less_often() -> None:
    """A suite that repeats more in every run does so for its baseline."""
    suite = _suite(repeats=6, baseline_repeats=3)
    assert 6 == _panels(Opener(), for_baseline=True).of(suite).repeats


def test_the_embedded_judge_is_asked_once() -> None:
    """It always answers the same, in a baseline too."""
    assert 1 == _panels(Opener(), for_baseline=True).of(_suite(model="evidence")).repeats


def test_only_the_embedded_judge_is_embedded() -> None:
    """One that asks outside is enough to wait."""
    panels = _panels(Opener())
    panels.of(_suite("one", "evidence"))
    assert panels.are_embedded
    panels.of(_suite("two"))
    assert not panels.are_embedded
