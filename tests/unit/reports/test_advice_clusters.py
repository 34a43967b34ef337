"""What advice counts: points of mean lost, shares, thumbs, causes, and against a baseline."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import NormalDist

import pytest
from advice_suites import JUDGE, baseline, said, session, suite
from hypothesis import given, strategies as st

from pytest_sessioneval.gate.model import Baseline
from pytest_sessioneval.reports.advice.build import Background, advise
from pytest_sessioneval.reports.advice.model import Cluster, SuiteAdvice
from pytest_sessioneval.reports.model import SuiteReport
from pytest_sessioneval.suites.model import Thresholds
from pytest_sessioneval.verdicts.model import Unscored


def _advice(
    report: SuiteReport,
    *,
    thumbs: Mapping[str, Mapping[int, int]] | None = None,
    past: Baseline | None = None,
) -> SuiteAdvice:
    return advise(report, Background(thumbs=thumbs or {}, baseline=past))


def _only(advice: SuiteAdvice) -> Cluster:
    assert len(advice.clusters) == 1
    return advice.clusters[0]


def _score_interval(hits: int, of: int) -> tuple[float, float]:
    """Return where the score test of a share p is just rejected, found by bisection."""
    z, share = NormalDist().inv_cdf(0.95), hits / of

    def accepted(p: float) -> bool:
        return abs(share - p) <= z * math.sqrt(p * (1 - p) / of)

    ends = []
    for outside in (0.0, 1.0):
        out, into = outside, share
        for _ in range(60):
            middle = (out + into) / 2
            out, into = (out, middle) if accepted(middle) else (middle, into)
        ends.append(into)
    return ends[0], ends[1]


def test_impact_is_the_points_below_the_reference_over_all_scored() -> None:
    """(70 - 40) + (70 - 60) lost by two of four sessions take 10 points off the mean."""
    report = suite(
        session("a", {"tools": said(40, "loop")}),
        session("b", {"tools": said(60, "loop")}),
        session("c", {"tools": said(70, "loop")}),
        session("d", {"tools": said(100)}),
        thresholds=Thresholds(session={"tools": 70}),
    )
    found = _only(_advice(report))
    assert (10.0, 2, 4, 50.0) == (found.impact, found.sessions, found.of, found.mean)


def test_without_a_threshold_the_best_is_the_reference() -> None:
    """An axis without a threshold loses what it lacks to 100."""
    advice = _advice(suite(session("a", {"tools": said(80, "loop")})))
    assert ({"tools": 100.0}, 20.0) == (advice.references, _only(advice).impact)


def test_the_higher_threshold_is_the_reference() -> None:
    """What misses either threshold loses points."""
    thresholds = Thresholds(session={"tools": 40}, mean={"tools": 75})
    advice = _advice(suite(session("a", {"tools": said(60, "loop")}), thresholds=thresholds))
    assert ({"tools": 75.0}, 15.0) == (advice.references, _only(advice).impact)


def test_what_holds_its_threshold_is_not_advised_on() -> None:
    """Good enough is good enough."""
    report = suite(
        session("a", {"tools": said(80, "loop")}), thresholds=Thresholds(session={"tools": 80})
    )
    assert () == _advice(report).clusters


def test_the_costliest_comes_first() -> None:
    """Few sessions that lose much come before many that lose little."""
    report = suite(
        session("a", {"tools": said(0, "unsafe_call")}),
        session("b", {"tools": said(80, "loop")}),
        session("c", {"tools": said(80, "loop")}),
    )
    assert ["unsafe_call", "loop"] == [one.tag for one in _advice(report).clusters]


def test_clusters_and_leftovers_add_up_to_what_the_mean_lacks() -> None:
    """Every lost point is in exactly one cluster, or is left over."""
    report = suite(
        session("a", {"tools": said(20, "loop", (3, "Error: no", "find"))}),
        session("b", {"tools": said(40, "loop")}),
        session("c", {"tools": said(60)}),
        session("d", {"tools": said(100)}),
    )
    advice = _advice(report)
    lost = sum(one.impact for one in advice.clusters)
    lost += sum(one.impact for one in advice.leftovers)
    assert lost == pytest.approx(100 - 55)


def test_a_tool_tells_clusters_of_one_tag_apart() -> None:
    """The same tag with another tool is another fault, where it is more than one session's."""
    book, find = (3, "Error: no seat left", "book"), (5, "Error: no such user", "find")
    report = suite(
        session("a", {"tools": said(20, "loop", book)}),
        session("b", {"tools": said(20, "loop", book)}),
        session("c", {"tools": said(40, "loop", find)}),
    )
    found = [(one.tool, one.tools, one.sessions) for one in _advice(report).clusters]
    assert [("book", (), 2), ("find", (), 1)] == found


def test_single_sessions_of_different_tools_are_one_cluster() -> None:
    """Three sessions that fail alike are a pattern, whichever tool each failed with."""
    report = suite(
        *(
            session(tool, {"tools": said(score, "loop", (3, f"Error: no {tool}", tool))})
            for tool, score in (("find", 40), ("book", 20), ("pay", 60))
        )
    )
    found = _only(_advice(report))
    assert ("", ("find", "book", "pay"), 3, 60.0) == (
        found.tool,
        found.tools,
        found.sessions,
        found.impact,
    )
    assert ["book", "find", "pay"] == [example.key for example in found.examples]


def test_other_tags_of_different_tools_stay_apart() -> None:
    """A pattern is of one tag."""
    report = suite(
        session("a", {"tools": said(20, "loop", (3, "Error: no seat left", "book"))}),
        session("b", {"tools": said(40, "wrong_tool", (5, "Error: no such user", "find"))}),
    )
    assert ["book", "find"] == [one.tool for one in _advice(report).clusters]


def test_the_tool_cited_most_is_the_sessions_tool() -> None:
    """One slip elsewhere does not make another cluster."""
    cited = ((3, "Error: a b", "find"), (5, "Error: c d", "book"), (7, "Error: e f", "book"))
    assert "book" == _only(_advice(suite(session("a", {"tools": said(20, "x", *cited)})))).tool


def test_the_lowest_expert_names_the_fault() -> None:
    """Of two experts the one with the lower score is heard."""
    report = suite(session("a", {"tools": said(60, "detour")}, {"tools": said(40, "loop")}))
    found = _only(_advice(report))
    assert ("loop", 50.0) == (found.tag, found.impact)


def test_a_kind_of_finding_stands_in_for_a_missing_tag() -> None:
    """Where a judge says ``other``, what leads its note names the cluster."""
    report = suite(session("a", {"tools": said(60, "other", (4, "No."), note="denied: Bash (M4)")}))
    assert "denied" == _only(_advice(report)).tag


def test_points_without_a_named_fault_are_left_over() -> None:
    """No tag and nothing cited is no advice, and is said."""
    advice = _advice(suite(session("a", {"tools": said(90)})))
    assert ((), [("tools", 10.0, 1)]) == (
        advice.clusters,
        [(one.axis, one.impact, one.sessions) for one in advice.leftovers],
    )


def test_complexity_is_never_advised_on() -> None:
    """A simple task is no fault."""
    assert () == _advice(suite(session("a", {"task_complexity": said(0, "x")}))).clusters


@given(st.integers(1, 30), st.integers(0, 30))
def test_the_share_has_the_interval_of_the_score_test(low: int, others: int) -> None:
    """Wilson's limits are where the score test of the share begins to reject."""
    report = suite(
        *(session(f"a{place}", {"tools": said(20, "loop")}) for place in range(low)),
        *(session(f"b{place}", {"tools": said(100)}) for place in range(others)),
    )
    found = _only(_advice(report))
    assert (found.low, found.high) == pytest.approx(_score_interval(low, low + others), abs=6e-5)


def test_thumbs_on_its_sessions_are_counted() -> None:
    """Of the rated sessions, those with more thumbs down than up."""
    report = suite(*(session(name, {"tools": said(60, "loop")}) for name in "abc"))
    found = _only(_advice(report, thumbs={"id-a": {1: -1, 3: -1, 5: 1}, "id-b": {1: 1, 2: -1}}))
    assert (1, 2) == (found.thumbs_down, found.rated)


def test_experts_far_apart_make_a_doubtful_judgement() -> None:
    """From 40 points on, the judge is looked at before the agent."""
    report = suite(
        session("a", {"tools": said(20, "loop")}, {"tools": said(60)}),
        session("b", {"tools": said(20, "loop")}, {"tools": said(40)}),
    )
    found = [(one.cause, one.tag, one.sessions) for one in _advice(report).clusters]
    assert [("agent", "loop", 1), ("judge", "contested", 1)] == found


def test_what_people_liked_and_the_judge_did_not_is_doubtful() -> None:
    """Thumbs up on a session below its threshold speak against the judge."""
    report = suite(
        session("a", {"tools": said(60, "loop")}), thresholds=Thresholds(session={"tools": 70})
    )
    found = _only(_advice(report, thumbs={"id-a": {2: 1}}))
    assert ("judge", "liked") == (found.cause, found.tag)


def test_a_report_that_was_edited_is_advised_on_as_far_as_it_goes() -> None:
    """Means that count fewer sessions than there are make no interval impossible."""
    report = suite(*(session(name, {"tools": said(40, "loop")}) for name in "abc"))
    means = tuple(row.model_copy(update={"scored": min(row.scored, 1)}) for row in report.means)
    found = _only(_advice(report.model_copy(update={"means": means})))
    assert (3, 3) == (found.sessions, found.of)


@pytest.mark.parametrize(("score", "cause"), [(40, "judge"), (60, "agent")])
def test_without_a_threshold_low_is_the_lower_half(score: int, cause: str) -> None:
    """A liked session at 60 of 100 is no contradiction, one at 40 is."""
    report = suite(session("a", {"tools": said(score, "loop")}))
    assert cause == _only(_advice(report, thumbs={"id-a": {2: 1}})).cause


@pytest.mark.parametrize("reason", ["unverified", "tampered"])
def test_a_score_withheld_for_its_evidence_is_doubtful(reason: str) -> None:
    """Evidence that does not check out costs no points, and is told."""
    gone = Unscored.model_validate({"reason": reason, "detail": "level 40 without a quote"})
    report = suite(session("a", {"tools": gone}), session("b", {"tools": said(100)}))
    found = _only(_advice(report))
    assert ("judge", reason, 0.0, 1, 2) == (
        found.cause,
        found.tag,
        found.impact,
        found.sessions,
        found.of,
    )


def test_a_tool_that_was_out_of_order_is_not_the_agents_fault() -> None:
    """Where every quote is an outage's error, the tool is to be mended."""
    cited = ((3, "Error: 503 service unavailable", "find"), (5, "Error: timed out", "find"))
    found = _only(_advice(suite(session("a", {"tools": said(40, "error_repeated", *cited)}))))
    assert ("tool_outage", "find") == (found.cause, found.tool)


def test_the_same_sessions_on_another_axis_are_told_with_the_first() -> None:
    """A fault that costs on two axes is read once."""
    cited = (3, "Error: no seat left", "book")
    report = suite(
        session("a", {"goal": said(0, "gave_up", cited), "tools": said(40, "loop", cited)}),
        session("b", {"goal": said(0, "gave_up", cited), "tools": said(40, "loop", cited)}),
    )
    first, second = _advice(report).clusters
    assert (None, first.id) == (first.same_as, second.same_as)


def test_new_and_persisting_are_told_by_the_baseline() -> None:
    """Below the reference then and now persists; below only now is new."""
    report = suite(*(session(name, {"tools": said(60, "loop")}) for name in "abc"))
    past = baseline("tools", {"a": 100, "b": 40, "gone": 20})
    found = _only(_advice(report, past=past))
    assert (1, 1, 3) == (found.new, found.persisting, found.sessions)


def test_the_trend_is_tested_exactly() -> None:
    """Nine new against two fixed: p = .06543 (Fay, exact2x2 vignette, its first example)."""
    names = [f"s{place:02}" for place in range(44)]
    was = [100] * 9 + [40] * 2 + [40] * 12 + [100] * 21
    now = [40] * 9 + [100] * 2 + [40] * 12 + [100] * 21
    report = suite(
        *(session(n, {"tools": said(s, "loop")}) for n, s in zip(names, now, strict=True))
    )
    past = baseline("tools", dict(zip(names, map(float, was), strict=True)))
    (trend,) = _advice(report, past=past).trends
    assert (44, 9, 12, 2) == (trend.pairs, trend.new, trend.persisting, trend.fixed)
    assert trend.p == pytest.approx(0.06543, abs=5e-5)


def test_a_baseline_of_another_rubric_is_not_compared_with() -> None:
    """Scores of another rubric say nothing of these."""
    report = suite(session("a", {"tools": said(60, "loop")}))
    advice = _advice(report, past=baseline("tools", {"a": 100}, rubric="agent@4#00000000"))
    assert ((), "the baseline was made with another rubric", None) == (
        advice.trends,
        advice.no_trend,
        _only(advice).new,
    )


def test_errors_are_counted_by_session() -> None:
    """The same error twice in one session counts once."""
    cited = [(3, "Error: seat 4 is taken", "book"), (5, "Error: seat 9 is taken", "book")]
    report = suite(
        session("a", {"tools": said(20, "loop", *cited)}),
        session("b", {"tools": said(20, "loop", cited[0])}),
    )
    assert (("seat # is taken", 2),) == _only(_advice(report)).errors


def test_what_is_not_found_is_another_error_each() -> None:
    """Errors are short: two that share half of their words still say different things."""
    quotes = ("Error: order not found", "Error: user not found", "Error: user 7 is not found")
    cited = [(3, quote, "find") for quote in (quotes[0], *quotes)]
    report = suite(
        *(session(f"s{n}", {"tools": said(20, "loop", one)}) for n, one in enumerate(cited))
    )
    assert (
        ("order not found", 2),
        ("user # is not found", 1),
        ("user not found", 1),
    ) == _only(_advice(report)).errors


def test_the_lowest_sessions_are_the_examples() -> None:
    """At most six, the lowest first, else in order of collection."""
    scores = [80, 20, 60, 20, 0, 40, 40, 40]
    report = suite(
        *(session(f"s{place}", {"tools": said(s, "loop")}) for place, s in enumerate(scores))
    )
    keys = [example.key for example in _only(_advice(report)).examples]
    assert ["s4", "s1", "s3", "s5", "s6", "s7"] == keys


def test_a_quote_of_an_error_is_the_example() -> None:
    """Of what is cited, an error tells most."""
    cited = ((2, "So what now?"), (4, "Error: not found"))
    (example,) = _only(_advice(suite(session("a", {"tools": said(0, "x", *cited)})))).examples
    assert (4, "Error: not found") == (example.message, example.quote)


def test_unverified_words_are_never_quoted() -> None:
    """A quote that code did not find is no fact."""
    one = said(0, "x", (4, "Error: not found"))
    forged = one.evidence[0].model_copy(update={"verified": False})
    report = suite(session("a", {"tools": one.model_copy(update={"evidence": (forged,)})}))
    (example,) = _only(_advice(report)).examples
    assert (None, "") == (example.message, example.quote)


def test_low_agreement_points_at_the_rubric() -> None:
    """Experts who contradict each other on ten sessions read the axis differently."""
    pairs = [(0, 20), (20, 0), (40, 20), (20, 40), (60, 40)] * 2
    report = suite(
        *(
            session(f"s{place}", {"tools": said(one)}, {"tools": said(other)})
            for place, (one, other) in enumerate(pairs)
        )
    )
    (doubt,) = _advice(report).doubts
    assert ("tools", "experts_differ", 10) == (doubt.axis, doubt.kind, doubt.sessions)
    values = [value for pair in pairs for value in pair]
    observed = sum((one - other) ** 2 for one, other in pairs) / len(pairs)
    expected = sum((a - b) ** 2 for a in values for b in values) / (20 * 19)
    assert doubt.alpha == pytest.approx(1 - observed / expected, abs=5e-5)


def test_experts_who_agree_raise_no_doubt() -> None:
    """Agreement is no news."""
    report = suite(
        *(
            session(f"s{score}", {"tools": said(score)}, {"tools": said(score)})
            for score in range(0, 100, 5)
        )
    )
    assert () == _advice(report).doubts


@pytest.mark.parametrize(("nulls", "kinds"), [(5, ["often_null"]), (4, []), (10, [])])
def test_an_axis_that_is_mostly_null_is_doubtful(nulls: int, kinds: list[str]) -> None:
    """Not applicable in half of ten sessions is; in all of them the axis is simply not meant."""
    null = Unscored(reason="not_applicable")
    report = suite(
        *(session(f"n{place}", {"tools": null}) for place in range(nulls)),
        *(session(f"s{place}", {"tools": said(100)}) for place in range(10 - nulls)),
    )
    assert kinds == [doubt.kind for doubt in _advice(report).doubts]


def test_experts_who_differ_on_whether_it_applies_are_told() -> None:
    """One finds nothing to score where the other scores."""
    null = Unscored(reason="not_applicable")
    report = suite(
        *(session(f"s{n}", {"tools": said(100)}, {"tools": null}) for n in range(3)),
        *(session(f"t{n}", {"tools": said(100)}, {"tools": said(100)}) for n in range(9)),
    )
    found = [(doubt.kind, doubt.sessions, doubt.of) for doubt in _advice(report).doubts]
    assert [("null_or_not", 3, 12)] == found


def test_the_embedded_judge_raises_no_doubt_about_words() -> None:
    """Its nulls come from code."""
    null = Unscored(reason="not_applicable")
    report = suite(
        *(session(f"n{place}", {"tools": null}) for place in range(9)),
        session("s", {"tools": said(100)}),
        judge=JUDGE.model_copy(update={"model": "evidence"}),
    )
    assert () == _advice(report).doubts


def test_equal_verdicts_have_an_equal_digest() -> None:
    """The digest depends on what was judged and on nothing else."""
    first, again = (
        _advice(suite(session("a", {"tools": said(60, "loop", (1, "Error: x y"))})))
        for _ in range(2)
    )
    assert first == again


@pytest.mark.parametrize("tag", ["detour", "loop "])
def test_other_verdicts_have_another_digest(tag: str) -> None:
    """What was judged differently is other advice."""
    digests = {
        _advice(suite(session("a", {"tools": said(60, name)}))).digest for name in ("loop", tag)
    }
    assert len(digests) == 2
