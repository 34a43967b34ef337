"""A judge that flatters, in a simulation: what its scores prove alone, and with some labels."""

import random

from pytest_sessioneval.gate.correction import Labelled, Unlabelled, corrected_estimate
from pytest_sessioneval.gate.statistics import mean_estimate, p_noninferior


def _passes(chance: random.Random, *, drop: float) -> tuple[bool, bool]:
    """Return whether judge alone and correction pass at a margin of 5; the judge flatters by 5."""
    pairs = []
    for _ in range(300):
        human = chance.gauss(-drop, 12)
        pairs.append((human, human + 5 + chance.gauss(0, 9)))
    labelled = [Labelled(h, j, n) for n, (h, j) in enumerate(pairs[:40])]
    rest = [Unlabelled(j, 40 + n) for n, (_, j) in enumerate(pairs[40:])]
    found = corrected_estimate(labelled, rest)
    assert found is not None
    alone = mean_estimate([j for _, j in pairs])
    return p_noninferior(alone, 5) < 0.05, p_noninferior(found.estimate, 5) < 0.05


def test_a_judge_that_flatters_fools_the_raw_gate_and_not_the_corrected_one() -> None:
    """METHOD §2.4: the judge alone passes a true drop of 5 in 99 %, the correction in about 5 %."""
    chance = random.Random(7)  # noqa: S311 - a simulation
    runs = [_passes(chance, drop=5) for _ in range(400)]
    assert 0.99 <= sum(raw for raw, _ in runs) / 400
    # 5 % of 400: within four standard errors
    assert 0.01 < sum(fixed for _, fixed in runs) / 400 < 0.094


def test_the_correction_sees_that_nothing_changed_more_often_than_labels_alone() -> None:
    """Power is what the judge's many scores are for."""
    chance = random.Random(11)  # noqa: S311 - a simulation
    fixed = sum(_passes(chance, drop=0)[1] for _ in range(200))
    chance = random.Random(11)  # noqa: S311 - a simulation
    people = 0
    for _ in range(200):
        values = [chance.gauss(0, 12) for _ in range(40)]
        people += p_noninferior(mean_estimate(values), 5) < 0.05
    assert people + 10 < fixed
