"""A report says of a run what the run holds, in one order."""

from __future__ import annotations

from report_runs import airline_run, airline_suite, empty_run, many_run
from report_values import AXES, failing_result, make_run, result as session_result

from pytest_sessioneval.reports.build import build_report
from pytest_sessioneval.verdicts.run import Run


def test_a_mean_has_its_denominator_beside_it() -> None:
    """Scored, unscored by reason and unjudged sessions add up to all of them."""
    row = build_report(airline_run()).suites[0].means[1]
    found = (row.axis, row.mean, row.minimum, row.scored, row.sessions, row.unscored, row.unjudged)
    assert found == ("goal_completion", 73.3333, 30, 3, 6, {"failed": 1}, 2)


def test_thresholds_stand_beside_means() -> None:
    """Both thresholds of the axis and how many sessions missed the first."""
    row = build_report(airline_run()).suites[0].means[1]
    assert (60, 1, 75) == (row.session_threshold, row.below, row.mean_threshold)


def test_an_axis_without_a_score_has_no_mean() -> None:
    """Null, never zero."""
    row = build_report(airline_run()).suites[0].means[3]
    assert (None, None, 0) == (row.mean, row.minimum, row.scored)


def test_items_are_counted_by_how_they_ended() -> None:
    """Each state is counted; unreadable files are no sessions."""
    counts = build_report(airline_run()).counts
    assert (2, 1, 1, 1, 1, 2) == (
        counts.passed,
        counts.below_threshold,
        counts.not_scored,
        counts.error,
        counts.not_run,
        counts.unreadable,
    )
    assert (6, 5) == (counts.sessions, counts.failed)


def test_counts_add_up_over_suites() -> None:
    """The report's counts are the sums of its suites'."""
    suite = airline_run().suites[0]
    assert build_report(make_run(suite, suite)).counts.sessions == 12


def test_buckets_hold_the_sessions_of_their_complexity() -> None:
    """Each bucket with a session has its own means."""
    buckets = build_report(airline_run()).suites[0].buckets
    assert [("0-25", 1, 100), ("26-50", 1, 30), ("51-75", 1, None), ("76+", 1, 90)] == [
        (bucket.bucket, bucket.sessions, bucket.means[1].mean) for bucket in buckets
    ]


def test_scores_are_rounded_to_four_decimals() -> None:
    """A score that does not end is cut where no reader misses it."""
    verdict = build_report(airline_run()).suites[0].sessions[3].verdict
    assert verdict is not None
    assert verdict.scores["tool_usage_quality"] == 66.6667


def test_shortfalls_stay_unrounded() -> None:
    """What missed a threshold is told exactly, so that it is seen to miss it."""
    assert build_report(airline_run()).suites[0].mean_shortfalls[0].score == 220 / 3


def test_a_verdict_in_order_is_not_copied() -> None:
    """What needs no change is the very same value."""
    run = make_run(airline_run().suites[0].model_copy(update={"results": (failing_result(),)}))
    built = build_report(run).suites[0].sessions[0].verdict
    assert built is run.suites[0].results[0].verdict


def test_no_order_of_mappings_changes_the_report() -> None:
    """Whatever order a store gave mappings back in, the report is the same, key by key."""
    assert build_report(_reversed(airline_run())).model_dump_json() == (
        build_report(airline_run()).model_dump_json()
    )


def test_axes_come_in_the_order_of_the_rubric() -> None:
    """Thresholds, results and opinions follow the rubric."""
    verdict = build_report(_reversed(airline_run())).suites[0].sessions[0].verdict
    assert verdict is not None
    assert AXES == tuple(verdict.axes)


def test_an_empty_suite_has_means_over_nothing() -> None:
    """No session is no error: each mean rests on none."""
    assert [(None, 0)] * 4 == [
        (row.mean, row.sessions) for row in build_report(empty_run()).suites[0].means
    ]


def test_sessions_keep_the_order_of_collection() -> None:
    """The order of sessions has a meaning and stays."""
    keys = [session.key for session in build_report(many_run(12)).suites[0].sessions]
    assert keys == [f"task-{place}" for place in range(12)]


def _reversed(run: Run) -> Run:
    """Return the run with every mapping and every unordered list turned round."""
    suite = run.suites[0]
    results = []
    for result in suite.results:
        verdict = result.verdict
        if verdict is not None:
            opinions = tuple(
                opinion.model_copy(
                    update={
                        "axes": dict(reversed(opinion.axes.items())),
                        "sent": dict(reversed(opinion.sent.items())),
                    }
                )
                for opinion in verdict.opinions
            )
            axes = dict(reversed(verdict.axes.items()))
            verdict = verdict.model_copy(update={"axes": axes, "opinions": opinions})
        results.append(result.model_copy(update={"verdict": verdict}))
    sources = suite.sources.model_copy(
        update={
            "not_sessions": suite.sources.not_sessions[::-1],
            "problems": suite.sources.problems[::-1],
            "skipped_lines": dict(reversed(suite.sources.skipped_lines.items())),
            "unknown_records": dict(reversed(suite.sources.unknown_records.items())),
        }
    )
    thresholds = suite.thresholds.model_copy(
        update={"session": dict(reversed(suite.thresholds.session.items()))}
    )
    turned = suite.model_copy(
        update={
            "results": tuple(results),
            "sources": sources,
            "thresholds": thresholds,
            "redacted": dict(reversed(suite.redacted.items())),
        }
    )
    packages = dict(reversed(run.provenance.packages.items()))
    return run.model_copy(
        update={
            "suites": (turned,),
            "provenance": run.provenance.model_copy(update={"packages": packages}),
        }
    )


def test_a_title_holds_no_secret() -> None:
    """A person's first words are often the title, with whatever was pasted into them."""
    named = session_result(
        "a", None, state="error", title="Use sk-proj-" + "aB3dE5fG7hJ9kL1mN3pQ5rS7"
    )
    (session,) = build_report(make_run(airline_suite(named))).suites[0].sessions
    assert "Use [REDACTED:openai-key:1]" == session.title
