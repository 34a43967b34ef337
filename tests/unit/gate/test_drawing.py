"""Drawing: equal chances, even shares of strata, and what a diagnostic queue looks at first."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from pytest_sessioneval.gate.drawing import draw_random, stratum_of, suspects
from pytest_sessioneval.verdicts.model import AxisResult, PanelScore, Unscored, Verdict

AXES = ("goal_completion", "communication")
STRATA = {f"s{number:03d}": "low" if number < 30 else "high" for number in range(120)}


def verdict(*scores: float | AxisResult) -> Verdict:
    """Return a verdict with these scores on the axes, in order."""
    results = [PanelScore(score=one) if isinstance(one, float | int) else one for one in scores]
    return Verdict(session_id="s", digest="d", axes=dict(zip(AXES, results, strict=False)))


@given(
    strata=st.dictionaries(st.text(max_size=3), st.sampled_from("abc"), min_size=1, max_size=60),
    count=st.integers(1, 70),
    seed=st.integers(),
)
def test_every_stratum_gets_its_share(strata: dict[str, str], count: int, seed: int) -> None:
    """As many as asked for, none twice, and each stratum's share rounded up or down."""
    drawn = draw_random(strata, count, seed=seed)
    assert min(count, len(strata)) == len(set(drawn.keys)) == len(drawn.keys)
    assert len(drawn.keys) / len(strata) == drawn.propensity
    for name, (size, chosen) in drawn.strata.items():
        assert Counter(strata.values())[name] == size
        assert abs(chosen - size * drawn.propensity) < 1 + 1e-9


def test_every_session_has_the_same_chance() -> None:
    """Over 3000 seeds each of 120 is drawn about 3000 · 7/120 = 175 times."""
    counts = Counter(key for seed in range(3_000) for key in draw_random(STRATA, 7, seed=seed).keys)
    assert 120 == len(counts)
    # five standard deviations of a binomial count: 5 * sqrt(175 * (1 - 7/120)) = 64
    assert all(abs(count - 175) < 65 for count in counts.values())


def test_the_same_seed_gives_the_same_draw() -> None:
    """In whatever order the sessions come."""
    backwards = dict(reversed(STRATA.items()))
    assert draw_random(STRATA, 20, seed=3) == draw_random(backwards, 20, seed=3)
    assert draw_random(STRATA, 20, seed=3) != draw_random(STRATA, 20, seed=4)


def test_the_order_does_not_tell_the_stratum() -> None:
    """Whoever labels must be blind: strata do not come one after the other."""
    kinds = [STRATA[key] for key in draw_random(STRATA, 60, seed=1).keys]
    assert 10 < sum(one != other for one, other in pairwise(kinds))


@pytest.mark.parametrize(
    ("scores", "stratum"),
    [((10, 40), "0-25"), ((50, 50), "26-50"), ((50, 51), "51-75"), ((100,), "76+")],
)
def test_a_session_s_stratum_is_the_band_of_its_mean(scores: tuple[int, ...], stratum: str) -> None:
    """Over the axes that are scored."""
    assert stratum == stratum_of(verdict(*scores), AXES)


def test_sessions_without_a_score_are_strata_of_their_own() -> None:
    """They may be the interesting ones."""
    assert "not judged" == stratum_of(None, AXES)
    assert "not scored" == stratum_of(verdict(Unscored(reason="unverified")), AXES)


def test_disagreement_with_thumbs_comes_first_the_widest_gap_before_others() -> None:
    """Then contested sessions, then those without evidence; sessions in agreement are left out."""
    verdicts = {
        "agrees": verdict(90, 90),
        "praised low": verdict(10, 10),
        "blamed high": verdict(80, 80),
        "contested": verdict(PanelScore(score=50, spread=60)),
        "unproven": verdict(Unscored(reason="unverified")),
        "steered": verdict(Unscored(reason="tampered")),
        "in between": verdict(50, 50),
    }
    thumbs = {"agrees": [1], "praised low": [1, 1, -1], "blamed high": [-1], "in between": [-1]}
    found = suspects(verdicts, thumbs, AXES)
    assert ["praised low", "blamed high", "contested", "steered", "unproven"] == [
        one.key for one in found
    ]
    assert "thumbs up, and a mean of 10" == found[0].why
    assert "experts are 60 apart on goal_completion" == found[2].why


def test_as_many_thumbs_up_as_down_say_nothing() -> None:
    """People disagree with one another."""
    assert [] == suspects({"s": verdict(90)}, {"s": [1, -1]}, AXES)
