"""Error rates of the gate with people's labels: simulated runs go through ``decide`` itself.

A suite of 300 sessions, each recorded twice; people see the truth, and the judge
sees it with noise and flatters the new recording by 5 points. Prints how often
the gate passes a true drop of 5 points (5 % is promised), and how often it
passes and calls a regression when nothing changed: on the raw scores, corrected
by labels that a random queue drew in shares of the judge's scores, and
corrected by as many labels of the sessions that fell most, as complaints would
bring them in. The hard floor per session is switched off.

    python benchmarks/corrected_error_rates.py            # some minutes
    python benchmarks/corrected_error_rates.py --runs 200
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

import numpy as np

from pytest_sessioneval.gate.decision import decide
from pytest_sessioneval.gate.drawing import draw_random, stratum_of
from pytest_sessioneval.gate.model import (
    AxisScore,
    Baseline,
    Candidate,
    SessionScores,
    Versions,
)
from pytest_sessioneval.gate.people import People
from pytest_sessioneval.suites.labels import HumanLabel, LabelQueue
from pytest_sessioneval.suites.model import GateSettings
from pytest_sessioneval.verdicts.model import PanelScore, Verdict

AXIS = "score"
SESSIONS = 300
FLATTERY = 5.0
VERSIONS = Versions(rubric="r@1", judge="j@1", scoring="1")
How = Literal["raw", "random", "complaints"]
Scores = Sequence[float]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=1000)
    runs = parser.parse_args().runs
    head = ("passed, drop 5", "passed, no drop", "regressed, no drop", "change seen, no drop")
    print(f"{'labels':24}" + "".join(f"{name:>22}" for name in head))
    cases: list[tuple[How, int]] = [("raw", 0)]
    cases += [("random", count) for count in (20, 40, 80)]
    cases += [("complaints", 40)]
    for how, count in cases:
        rng = np.random.default_rng(7)
        dropped = [once(how, count, 5.0, rng, seed) for seed in range(runs)]
        steady = [once(how, count, 0.0, rng, seed) for seed in range(runs)]
        shares = (
            _share(dropped, "passed"),
            _share(steady, "passed"),
            _share(steady, "regressed"),
        )
        seen = sum(change for _, change in steady) / runs
        name = "none: the judge alone" if how == "raw" else f"{count}, {how}"
        print(
            f"{name:24}" + "".join(f"{100 * share:20.1f} %" for share in shares) + f"{seen:+22.1f}"
        )


def _share(runs: Sequence[tuple[str, float]], status: str) -> float:
    return sum(found == status for found, _ in runs) / len(runs)


def once(
    how: How, count: int, drop: float, rng: np.random.Generator, seed: int
) -> tuple[str, float]:
    """Return what the gate says of one simulated run, and the change that decides."""
    before = rng.uniform(35, 85, SESSIONS)
    after = before - drop + rng.normal(0, 11, SESSIONS)
    seen_before = before + rng.normal(0, 6, SESSIONS)
    seen_after = after + FLATTERY + rng.normal(0, 6, SESSIONS)
    judged = (_clipped(seen_before), _clipped(seen_after))
    people = People()
    if how == "random":
        strata = {str(n): _stratum(score) for n, score in enumerate(judged[0])}
        drawn = [int(key) for key in draw_random(strata, count, seed=seed).keys]
        people = _labels(drawn, _clipped(before), _clipped(after))
    elif how == "complaints":
        weight = np.exp(-(after - before) / 15)
        drawn = [
            int(n) for n in rng.choice(SESSIONS, count, replace=False, p=weight / weight.sum())
        ]
        people = _labels(drawn, _clipped(before), _clipped(after))
    settings = GateSettings.model_validate(
        {"axes": (AXIS,), "break": 100, "decide_on": "raw" if how == "raw" else "corrected"}
    )
    baseline = Baseline(
        suite="s", versions=VERSIONS, axes=(AXIS,), sessions=_sessions(judged[0], "b")
    )
    candidate = Candidate(
        suite="s", versions=VERSIONS, axes=(AXIS,), sessions=_sessions(judged[1], "c")
    )
    decision = decide(candidate, {"baseline": baseline}, settings, people=people)
    shown = decision.axes[0].shown
    test = None if shown is None else shown.deciding
    return decision.status, 0.0 if test is None else test.difference


def _clipped(scores: Scores | np.ndarray) -> list[float]:
    return [min(100.0, max(0.0, float(score))) for score in scores]


def _stratum(score: float) -> str:
    verdict = Verdict(session_id="s", digest="d", axes={AXIS: PanelScore(score=score)})
    return stratum_of(verdict, (AXIS,))


def _sessions(scores: Scores, recording: str) -> tuple[SessionScores, ...]:
    return tuple(
        SessionScores(key=str(n), digest=f"{recording}{n}", axes={AXIS: AxisScore(score=score)})
        for n, score in enumerate(scores)
    )


def _labels(drawn: Sequence[int], before: Scores, after: Scores) -> People:
    """Return labels of both recordings, in the name of a random queue, drawn so or not."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    first = LabelQueue(
        kind="random",
        suite="s",
        rubric="r@1",
        axes=(AXIS,),
        seed=1,
        frame=SESSIONS,
        propensity=len(drawn) / SESSIONS,
        members={str(n): f"b{n}" for n in drawn},
        drawn_at=now,
    )
    again = first.model_copy(
        update={"draw": first.name, "members": {str(n): f"c{n}" for n in drawn}}
    )
    labels = [
        HumanLabel(
            digest=f"{recording}{n}", axis=AXIS, score=scores[n], source="random", queue=queue.name
        )
        for n in drawn
        for recording, scores, queue in (("b", before, first), ("c", after, again))
    ]
    return People(labels=tuple(labels), queues=(first, again))


if __name__ == "__main__":
    main()
