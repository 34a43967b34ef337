"""report.md tells a reviewer what failed and why."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import pytest
from markdown_cases import markdown_of
from report_runs import airline_run, airline_suite, empty_run, evidence_run, many_run
from report_values import AXES, failing_result, make_run, opinion, unscored_result

from pytest_sessioneval.gate.outcome import (
    AxisDecision,
    Comparison,
    Correction,
    Decision,
    MeanTest,
)
from pytest_sessioneval.gate.result import GateResult
from pytest_sessioneval.reports.build import build_report
from pytest_sessioneval.reports.markdown import render_markdown
from pytest_sessioneval.reports.reasons import REASONS
from pytest_sessioneval.reports.writing import links_from, links_under
from pytest_sessioneval.verdicts.model import (
    AxisOpinion,
    Evidence,
    QuoteCount,
    Scored,
    Unscored,
    UnscoredReason,
)


def test_the_first_line_is_the_news() -> None:
    """What failed, before anything else."""
    first = markdown_of(airline_run()).splitlines()[0]
    assert "# Session scores: 5 of 8 sessions failed, 1 mean below threshold" == first


def test_means_have_n_and_thresholds_beside_them() -> None:
    """A row says on how many of how many sessions the mean rests, and how scores stand."""
    row = "| **73.3 < 75** | 3 of 6 | **30 < 60** | **1** | 2 without a verdict, 1 failed |"
    assert f"| goal_completion {row}" in markdown_of(airline_run()).splitlines()


def test_a_green_row_says_how_close_it_was() -> None:
    """A mean and a lowest score that hold stand against their thresholds, too."""
    green = airline_suite(*airline_run().suites[0].results[:1])
    text = markdown_of(make_run(green.model_copy(update={"mean_shortfalls": ()})))
    assert "| goal_completion | 100.0 ≥ 75 | 1 of 1 | 100 ≥ 60 | 0 | – |" in text.splitlines()


def test_no_thresholds_no_columns_of_them() -> None:
    """What nobody asked for has no column of dashes."""
    lines = markdown_of(evidence_run()).splitlines()
    assert "| axis | mean | n | min | no score |" in lines
    assert "Means are over scored sessions only; *n* is how many of how many." in lines


def test_an_axis_without_scores_has_a_dash() -> None:
    """No mean is no zero."""
    assert "| subagent_orchestration | – | 0 of 6 | – |" in markdown_of(airline_run())


def test_a_title_stands_beside_the_key() -> None:
    """A session whose key is a number is known by its title."""
    assert (
        "#### `task-3` “Refund for a cancelled flight”: goal_completion 30 < 60, "
        "tool_usage_quality 20 < 40"
    ) in markdown_of(airline_run()).splitlines()


def test_a_folded_session_has_its_title() -> None:
    """As the open ones do."""
    assert "<summary>task-11 “Refund for a cancelled flight”: goal" in markdown_of(many_run(12))


def test_a_listed_session_has_its_title() -> None:
    """A session that could not be scored is known by it, too."""
    unscored = unscored_result()
    summary = unscored.session.summary.model_copy(update={"name": "Lost *bag*"})
    session = unscored.session.model_copy(update={"summary": summary})
    text = markdown_of(make_run(airline_suite(unscored.model_copy(update={"session": session}))))
    assert "`transcripts/task-4.json` (key `task-4`) “Lost \\*bag\\*”" in text


def test_quotes_are_code_with_message_numbers() -> None:
    """The reader finds the message, and the quote renders as it was said."""
    assert "    - M7: `Error: order #W12 not found` – never looked at" in markdown_of(airline_run())


def test_other_axes_are_told_too() -> None:
    """One failing axis is not all there is to a session; what does not apply is nothing."""
    assert "- other axes: task_complexity 40\n" in markdown_of(airline_run())


def test_transcripts_are_linked_relative_to_the_report() -> None:
    """From the report's folder up to the run's root and down to the file."""
    link = links_from(Path("/project/.sessioneval/runs/r"), Path("/project"))
    assert (
        "[`transcripts/task-3.json`](../../../suites/airline/transcripts/task-3.json)"
    ) in render_markdown(build_report(airline_run()), link)


def test_every_quote_leads_to_its_session() -> None:
    """Each line with a message's number links the file, where files can be linked."""
    link = links_under("https://git.example/o/r/blob/abc/")
    lines = render_markdown(build_report(airline_run()), link).splitlines()
    cited = [line for line in lines if re.match(r"\s+- \[?M\d", line)]
    assert cited
    assert all("](https://git.example/o/r/blob/abc/" in line for line in cited)
    plain = render_markdown(build_report(airline_run())).splitlines()
    assert [] == [line for line in plain if re.match(r"\s+- \[M\d", line)]


def test_quotes_that_were_looked_up_are_counted() -> None:
    """Over every expert of every session; nothing is said where no judge gave one."""
    (suite,) = airline_run().suites
    counts = QuoteCount(given=3, moved=1, rejected=2)
    results = [
        result
        if result.verdict is None
        else result.model_copy(
            update={
                "verdict": result.verdict.model_copy(
                    update={
                        "opinions": tuple(
                            opinion.model_copy(update={"quotes": counts})
                            for opinion in result.verdict.opinions
                        )
                    }
                )
            }
        )
        for result in suite.results
    ]
    experts = sum(len(one.verdict.opinions) for one in suite.results if one.verdict is not None)
    report = build_report(
        airline_run().model_copy(
            update={"suites": (suite.model_copy(update={"results": tuple(results)}),)}
        )
    )
    expected = QuoteCount(given=3 * experts, moved=experts, rejected=2 * experts)
    assert expected == report.suites[0].quotes
    assert f"- evidence looked up: {3 * experts} quotes, {2 * experts} of" in render_markdown(
        report
    )
    assert "evidence looked up" not in render_markdown(build_report(airline_run()))


def test_a_suite_outside_of_the_root_is_linked_too() -> None:
    """An absolute root gives a relative link all the same."""
    link = links_from(Path("/project/out"), Path("/project"))
    assert "../../data/a%20b.json" == link("/data/a b.json")


def test_links_can_lead_to_a_commit() -> None:
    """For a step summary, which has no files beside it."""
    link = links_under("https://git.example/o/r/blob/abc/")
    assert "https://git.example/o/r/blob/abc/a/b%23.json" == link("a/b#.json")


@pytest.mark.parametrize("outside", ["/etc/passwd", "../x.json", "a/../../x.json", ".."])
def test_a_commit_has_no_files_outside(outside: str) -> None:
    """What is not in the repository is not linked there."""
    assert links_under("https://git.example/blob/abc")(outside) is None


def test_without_links_paths_are_code() -> None:
    """Shown, not linked."""
    assert "`transcripts/task-3.json` · 24 messages" in markdown_of(airline_run())


def test_reasons_are_listed_with_what_to_do() -> None:
    """By reason, with the number of sessions by axis."""
    assert (
        "| `failed` | goal_completion 1, tool_usage_quality 1 | no usable answer arrived "
        "| run again: only what is missing is asked for |"
    ) in markdown_of(airline_run())


def test_what_does_not_apply_is_not_missing() -> None:
    """It stands in the table of averages, and nothing is to be done about it."""
    assert "| `not_applicable` |" not in markdown_of(airline_run())
    assert "| 4 not_applicable, 2 without a verdict |" in markdown_of(airline_run())


def test_an_unsupported_axis_says_how_to_get_it() -> None:
    """The judge's own words, escaped."""
    assert r"write \[\[expect\]\] for the suite, or set use_outcome = true" in (
        markdown_of(evidence_run())
    )


@pytest.mark.parametrize("reason", ["unverified", "tampered"])
def test_doubtful_answers_are_told_most_often_first(reason: UnscoredReason) -> None:
    """The details behind a reason, with how many sessions each is about."""
    results = [unscored_result(f"t{n}", reason, "rare" if n == 0 else "often") for n in range(3)]
    text = markdown_of(make_run(airline_suite(*results)))
    assert f"Of `{reason}` was said:\n\n- 2 sessions: often\n- 1 session: rare\n" in text


@pytest.mark.parametrize("reason", ["unverified", "tampered", "declined", "failed", "skipped"])
def test_the_cause_leads_where_nothing_was_scored(reason: UnscoredReason) -> None:
    """Why, how many, what to do, and only then which sessions; before any table."""
    results = [unscored_result(f"t{n}", reason, "refused") for n in range(3)]
    text = markdown_of(make_run(airline_suite(*results)))
    assert (
        f"### Not scored (3)\n\n- **3 sessions: {reason}: refused** – {REASONS[reason][1]}\n"
        "  - `transcripts/t0.json` (key `t0`): goal_completion, tool_usage_quality\n"
    ) in text.replace("\\", "").replace("\u200b", "")
    assert text.index("### Not scored") < text.index("| axis |")


def test_many_sessions_of_one_cause_are_counted() -> None:
    """Twenty by name, the rest as a number."""
    text = markdown_of(make_run(airline_suite(*(unscored_result(f"t{n}") for n in range(23)))))
    assert 20 == text.count("\n  - `transcripts/t")
    assert "\n  - and 3 more: see report.json\n" in text


def test_no_table_of_dashes() -> None:
    """Where no session was scored on anything there are no averages."""
    unscored = unscored_result()
    assert unscored.verdict is not None
    axes = {axis: Unscored(reason="failed", detail="x") for axis in AXES}
    verdict = unscored.verdict.model_copy(update={"axes": axes})
    text = markdown_of(make_run(airline_suite(unscored.model_copy(update={"verdict": verdict}))))
    assert "### Averages" not in text


def test_a_green_report_has_something_to_read() -> None:
    """The lowest scores with the expert's comment and first quote."""
    key = "5d0f3c1e-8a47-4b1c-9a55-2f6f0b7d1e90"
    same = "7 identical calls of track (M5, M7, M9, M11, M13, M15, …) returned the same result"
    assert (
        "### Lowest scores\n\n"
        "At most 3 sessions per axis; full marks are left out.\n\n"
        "- **tool_usage_quality**\n"
        f"  - **75** `{key}` “Where is my parcel?”: {same}.\n"
        '    - M8, M10, M12: `{"state": "in transit"}`\n'
        "  - **90** `refund`\n"
        "- **efficiency**\n"
        "  - **62** `refund`: The user set the agent right: “I said two” (M5).\n"
    ) in markdown_of(evidence_run())


def test_the_lowest_expert_of_several_is_named() -> None:
    """The panel's score, then who scored lowest and how."""
    text = markdown_of(airline_run())
    assert "full marks and scores below their threshold are left out." in text
    assert "- **goal_completion**\n  - **90** `task-5` – tools 80\n" in text


def test_praise_is_no_reason_for_a_low_score() -> None:
    """Only what speaks against the agent is quoted there."""
    session = evidence_run().suites[0].results[1]
    praised = Evidence(message=2, quote="Well done", polarity="positive")
    said: dict[str, AxisOpinion] = {"tool_usage_quality": Scored(score=90, evidence=(praised,))}
    assert session.verdict is not None
    verdict = session.verdict.model_copy(update={"opinions": (opinion("s", "evidence", said),)})
    suite = evidence_run().suites[0]
    one = session.model_copy(update={"verdict": verdict})
    text = markdown_of(make_run(suite.model_copy(update={"results": (one,)})))
    assert "  - **90** `refund`" in text
    assert "Well done" not in text


def test_a_threshold_on_nothing_is_told() -> None:
    """An axis that has a threshold and no score is said at the top."""
    suite = evidence_run().suites[0].model_copy(update={"never_scored": ("goal_completion",)})
    assert "**goal_completion has a threshold, and no session was scored on it.**" in (
        markdown_of(make_run(suite))
    )


def test_without_thresholds_passing_means_judged() -> None:
    """A green report says how little green may mean."""
    assert "No threshold is set: a session passes once it is judged." in markdown_of(evidence_run())


def test_nothing_judged_is_the_news() -> None:
    """A run of nothing is not green."""
    text = markdown_of(empty_run())
    assert text.startswith("# Session scores: no session was judged\n")
    assert "> **The run was broken off" in text
    assert "> **Only a part of the suites was run: -k nothing.**" in text


def test_the_widest_miss_comes_first() -> None:
    """A reviewer with one minute reads the worst session."""
    near, far = failing_result(), failing_result()
    near = near.model_copy(
        update={
            "shortfalls": tuple(
                fall.model_copy(update={"score": fall.threshold - 1}) for fall in near.shortfalls
            ),
            "session": near.session.model_copy(update={"key": "near"}),
        }
    )
    text = markdown_of(make_run(airline_suite(near, far)))
    titles = re.findall(r"^#### `(.*?)`", text, re.MULTILINE)
    assert ["task-3", "near"] == titles


def _gated(decide_on: Literal["raw", "corrected"], *, labelled: bool = True) -> Decision:
    """Return a decision on one axis, by labels or with them beside it."""
    test = MeanTest(
        pairs=60,
        units=60,
        difference=-0.2,
        low=-1.0,
        high=0.6,
        p_noninferior=0.0,
        p_drop=0.3,
        detectable=1.2,
        powered=True,
        units_needed=20,
        units_missing=0,
        unseen_share=0.05,
    )
    fixed = test.model_copy(update={"difference": -10.0, "low": -10.6, "high": -9.4})
    correction = Correction(draw="q-1", drawn=30, labelled=30, overall=fixed)
    comparison = Comparison(
        baseline="baseline",
        status="passed",
        baseline_mean=70.0,
        candidate_mean=69.8,
        overall=test,
        corrected=correction if labelled else None,
        decided_on=decide_on,
    )
    axis = AxisDecision(
        axis="goal_completion", gated=True, margin=5, status="passed", comparisons=(comparison,)
    )
    return Decision(
        suite="airline",
        status="passed",
        blocks=False,
        axes=(axis,),
        alpha=0.05,
        min_pairs=20,
        break_points=40,
        decide_on=decide_on,
    )


@pytest.mark.parametrize(
    ("decide_on", "told"),
    [("raw", "*change* decides."), ("corrected", "*by people* decides.")],
)
def test_a_change_corrected_by_people_stands_beside_the_raw_one(
    decide_on: Literal["raw", "corrected"], told: str
) -> None:
    """In a column of its own, with its interval and how many labels it rests on."""
    gates = {"airline": GateResult(decision=_gated(decide_on))}
    text = render_markdown(build_report(airline_run(), gates))
    assert "| **-0.2** | -1.0 to +0.6 | **-10.0** (-10.6 to -9.4), 30 labels | 60 |" in text
    assert told in text


def test_without_labels_there_is_no_column_of_them() -> None:
    """Most suites have none."""
    gates = {"airline": GateResult(decision=_gated("raw", labelled=False))}
    assert "people" not in render_markdown(build_report(airline_run(), gates))
