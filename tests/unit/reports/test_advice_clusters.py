"""What advice counts: points of mean lost, shares, thumbs and causes."""

from __future__ import annotations

import math
from statistics import NormalDist

import pytest
from advice_suites import advice_on, only_cluster, said, session, suite
from hypothesis import given, strategies as st

from pytest_sessioneval.suites.model import Thresholds
from pytest_sessioneval.verdicts.model import Unscored


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
    found = only_cluster(advice_on(report))
    assert (10.0, 2, 4, 50.0) == (found.impact, found.sessions, found.of, found.mean)


def test_without_a_threshold_the_best_is_the_reference() -> None:
    """An axis without a threshold loses what it lacks to 100."""
    advice = advice_on(suite(session("a", {"tools": said(80, "loop")})))
    assert ({"tools": 100.0}, 20.0) == (advice.references, only_cluster(advice).impact)


def test_the_higher_threshold_is_the_reference() -> None:
    """What misses either threshold loses points."""
    thresholds = Thresholds(session={"tools": 40}, mean={"tools": 75})
    advice = advice_on(suite(session("a", {"tools": said(60, "loop")}), thresholds=thresholds))
    assert ({"tools": 75.0}, 15.0) == (advice.references, only_cluster(advice).impact)


def test_what_holds_its_threshold_is_not_advised_on() -> None:
    """Good enough is good enough."""
    report = suite(
        session("a", {"tools": said(80, "loop")}), thresholds=Thresholds(session={"tools": 80})
    )
    assert () == advice_on(report).clusters


def test_the_costliest_comes_first() -> None:
    """Few sessions that lose much come before many that lose little."""
    report = suite(
        session("a", {"tools": said(0, "unsafe_call")}),
        session("b", {"tools": said(80, "loop")}),
        session("c", {"tools": said(80, "loop")}),
    )
    assert ["unsafe_call", "loop"] == [one.tag for one in advice_on(report).clusters]


def test_clusters_and_leftovers_add_up_to_what_the_mean_lacks() -> None:
    """Every lost point is in exactly one cluster, or is left over."""
    report = suite(
        session("a", {"tools": said(20, "loop", (3, "Error: no", "find"))}),
        session("b", {"tools": said(40, "loop")}),
        session("c", {"tools": said(60)}),
        session("d", {"tools": said(100)}),
    )
    advice = advice_on(report)
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
    found = [(one.tool, one.tools, one.sessions) for one in advice_on(report).clusters]
    assert [("book", (), 2), ("find", (), 1)] == found


def test_single_sessions_of_different_tools_are_one_cluster() -> None:
    """Three sessions that fail alike are a pattern, whichever tool each failed with."""
    report = suite(
        *(
            session(tool, {"tools": said(score, "loop", (3, f"Error: no {tool}", tool))})
            for tool, score in (("find", 40), ("book", 20), ("pay", 60))
        )
    )
    found = only_cluster(advice_on(report))
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
    assert ["book", "find"] == [one.tool for one in advice_on(report).clusters]


def test_the_tool_cited_most_is_the_sessions_tool() -> None:
    """One slip elsewhere does not make another cluster."""
    cited = ((3, "Error: a b", "find"), (5, "Error: c d", "book"), (7, "Error: e f", "book"))
    assert (
        "book"
        == only_cluster(advice_on(suite(session("a", {"tools": said(20, "x", *cited)})))).tool
    )


def test_the_lowest_expert_names_the_fault() -> None:
    """Of two experts the one with the lower score is heard."""
    report = suite(session("a", {"tools": said(60, "detour")}, {"tools": said(40, "loop")}))
    found = only_cluster(advice_on(report))
    assert ("loop", 50.0) == (found.tag, found.impact)


def test_a_kind_of_finding_stands_in_for_a_missing_tag() -> None:
    """Where a judge says ``other``, what leads its note names the cluster."""
    report = suite(session("a", {"tools": said(60, "other", (4, "No."), note="denied: Bash (M4)")}))
    assert "denied" == only_cluster(advice_on(report)).tag


def test_points_without_a_named_fault_are_left_over() -> None:
    """No tag and nothing cited is no advice, and is said."""
    advice = advice_on(suite(session("a", {"tools": said(90)})))
    assert ((), [("tools", 10.0, 1)]) == (
        advice.clusters,
        [(one.axis, one.impact, one.sessions) for one in advice.leftovers],
    )


def test_complexity_is_never_advised_on() -> None:
    """A simple task is no fault."""
    assert () == advice_on(suite(session("a", {"task_complexity": said(0, "x")}))).clusters


@given(st.integers(1, 30), st.integers(0, 30))
def test_the_share_has_the_interval_of_the_score_test(low: int, others: int) -> None:
    """Wilson's limits are where the score test of the share begins to reject."""
    report = suite(
        *(session(f"a{place}", {"tools": said(20, "loop")}) for place in range(low)),
        *(session(f"b{place}", {"tools": said(100)}) for place in range(others)),
    )
    found = only_cluster(advice_on(report))
    assert (found.low, found.high) == pytest.approx(_score_interval(low, low + others), abs=6e-5)


def test_thumbs_on_its_sessions_are_counted() -> None:
    """Of the rated sessions, those with more thumbs down than up."""
    report = suite(*(session(name, {"tools": said(60, "loop")}) for name in "abc"))
    found = only_cluster(
        advice_on(report, thumbs={"id-a": {1: -1, 3: -1, 5: 1}, "id-b": {1: 1, 2: -1}})
    )
    assert (1, 2) == (found.thumbs_down, found.rated)


def test_experts_far_apart_make_a_doubtful_judgement() -> None:
    """From 40 points on, the judge is looked at before the agent."""
    report = suite(
        session("a", {"tools": said(20, "loop")}, {"tools": said(60)}),
        session("b", {"tools": said(20, "loop")}, {"tools": said(40)}),
    )
    found = [(one.cause, one.tag, one.sessions) for one in advice_on(report).clusters]
    assert [("agent", "loop", 1), ("judge", "contested", 1)] == found


def test_what_people_liked_and_the_judge_did_not_is_doubtful() -> None:
    """Thumbs up on a session below its threshold speak against the judge."""
    report = suite(
        session("a", {"tools": said(60, "loop")}), thresholds=Thresholds(session={"tools": 70})
    )
    found = only_cluster(advice_on(report, thumbs={"id-a": {2: 1}}))
    assert ("judge", "liked") == (found.cause, found.tag)


def test_a_report_that_was_edited_is_advised_on_as_far_as_it_goes() -> None:
    """Means that count fewer sessions than there are make no interval impossible."""
    report = suite(*(session(name, {"tools": said(40, "loop")}) for name in "abc"))
    means = tuple(row.model_copy(update={"scored": min(row.scored, 1)}) for row in report.means)
    found = only_cluster(advice_on(report.model_copy(update={"means": means})))
    assert (3, 3) == (found.sessions, found.of)


@pytest.mark.parametrize(("score", "cause"), [(40, "judge"), (60, "agent")])
def test_without_a_threshold_low_is_the_lower_half(score: int, cause: str) -> None:
    """A liked session at 60 of 100 is no contradiction, one at 40 is."""
    report = suite(session("a", {"tools": said(score, "loop")}))
    assert cause == only_cluster(advice_on(report, thumbs={"id-a": {2: 1}})).cause


@pytest.mark.parametrize("reason", ["unverified", "tampered"])
def test_a_score_withheld_for_its_evidence_is_doubtful(reason: str) -> None:
    """Evidence that does not check out costs no points, and is told."""
    gone = Unscored.model_validate({"reason": reason, "detail": "level 40 without a quote"})
    report = suite(session("a", {"tools": gone}), session("b", {"tools": said(100)}))
    found = only_cluster(advice_on(report))
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
    found = only_cluster(
        advice_on(suite(session("a", {"tools": said(40, "error_repeated", *cited)})))
    )
    assert ("tool_outage", "find") == (found.cause, found.tool)


def test_the_same_sessions_on_another_axis_are_told_with_the_first() -> None:
    """A fault that costs on two axes is read once."""
    cited = (3, "Error: no seat left", "book")
    report = suite(
        session("a", {"goal": said(0, "gave_up", cited), "tools": said(40, "loop", cited)}),
        session("b", {"goal": said(0, "gave_up", cited), "tools": said(40, "loop", cited)}),
    )
    first, second = advice_on(report).clusters
    assert (None, first.id) == (first.same_as, second.same_as)


def test_errors_are_counted_by_session() -> None:
    """The same error twice in one session counts once."""
    cited = [(3, "Error: seat 4 is taken", "book"), (5, "Error: seat 9 is taken", "book")]
    report = suite(
        session("a", {"tools": said(20, "loop", *cited)}),
        session("b", {"tools": said(20, "loop", cited[0])}),
    )
    assert (("seat # is taken", 2),) == only_cluster(advice_on(report)).errors


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
    ) == only_cluster(advice_on(report)).errors


def test_the_lowest_sessions_are_the_examples() -> None:
    """At most six, the lowest first, else in order of collection."""
    scores = [80, 20, 60, 20, 0, 40, 40, 40]
    report = suite(
        *(session(f"s{place}", {"tools": said(s, "loop")}) for place, s in enumerate(scores))
    )
    keys = [example.key for example in only_cluster(advice_on(report)).examples]
    assert ["s4", "s1", "s3", "s5", "s6", "s7"] == keys


def test_a_quote_of_an_error_is_the_example() -> None:
    """Of what is cited, an error tells most."""
    cited = ((2, "So what now?"), (4, "Error: not found"))
    (example,) = only_cluster(
        advice_on(suite(session("a", {"tools": said(0, "x", *cited)})))
    ).examples
    assert (4, "Error: not found") == (example.message, example.quote)


def test_unverified_words_are_never_quoted() -> None:
    """A quote that code did not find is no fact."""
    one = said(0, "x", (4, "Error: not found"))
    forged = one.evidence[0].model_copy(update={"verified": False})
    report = suite(session("a", {"tools": one.model_copy(update={"evidence": (forged,)})}))
    (example,) = only_cluster(advice_on(report)).examples
    assert (None, "") == (example.message, example.quote)


def test_equal_verdicts_have_an_equal_digest() -> None:
    """The digest depends on what was judged and on nothing else."""
    first, again = (
        advice_on(suite(session("a", {"tools": said(60, "loop", (1, "Error: x y"))})))
        for _ in range(2)
    )
    assert first == again


@pytest.mark.parametrize("tag", ["detour", "loop "])
def test_other_verdicts_have_another_digest(tag: str) -> None:
    """What was judged differently is other advice."""
    digests = {
        advice_on(suite(session("a", {"tools": said(60, name)}))).digest for name in ("loop", tag)
    }
    assert len(digests) == 2
