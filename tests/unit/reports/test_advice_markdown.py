"""advice.md: short, the worst first, harmless to show, the same bytes for the same verdicts."""

from __future__ import annotations

import re

import pytest
from advice_suites import JUDGE, advised_run, baseline, run_of, said, session
from report_runs import hostile_run
from report_values import HOSTILE

from pytest_sessioneval.gate.model import Baseline
from pytest_sessioneval.reports.advice.build import Background, advise
from pytest_sessioneval.reports.advice.markdown import first_advice, render_advice
from pytest_sessioneval.reports.advice.model import Advisor, FollowUp, Suggestion
from pytest_sessioneval.reports.build import build_report
from pytest_sessioneval.reports.markdown import render_markdown
from pytest_sessioneval.reports.model import Report
from pytest_sessioneval.suites.model import Thresholds
from pytest_sessioneval.verdicts.model import AxisOpinion
from pytest_sessioneval.verdicts.run import Run, SessionResult


def _advised(run: Run, *, past: Baseline | None = None) -> Report:
    report = build_report(run)
    suites = tuple(
        suite.model_copy(update={"advice": advise(suite, Background(baseline=past))})
        for suite in report.suites
    )
    return report.model_copy(update={"suites": suites})


def _shown(report: Report) -> str:
    return render_advice(report.suites)


def _heads(text: str) -> list[str]:
    return re.findall(r"^#### (.*)$", text, re.MULTILINE)


def _low(name: str, score: int = 40, tag: str = "loop") -> SessionResult:
    return session(name, {"tools": said(score, tag, (3, f"Error: {tag} it", f"tool_{tag}"))})


def test_the_same_verdicts_give_the_same_bytes_in_another_run() -> None:
    """Neither the run's id nor its time is in the file."""
    run = advised_run()
    later = run.model_copy(
        update={"run_id": "20261122-000000-ffffff", "started_at": run.finished_at}
    )
    assert _shown(_advised(run)) == _shown(_advised(later))


def test_it_says_what_it_was_made_of() -> None:
    """The digest of its facts stands in the file."""
    report = _advised(advised_run())
    advice = report.suites[0].advice
    assert advice is not None
    assert f"made of `sha256:{advice.digest}`" in _shown(report)


def test_it_says_that_no_agent_may_be_fed_with_it() -> None:
    """In its first sentence."""
    assert "Nothing feeds this file back to an agent" in _shown(_advised(advised_run()))


def test_what_costs_most_comes_first() -> None:
    """Clusters of several sessions have a heading each, numbered by their cost."""
    report = _advised(run_of(_low("a"), _low("b"), _low("c", 0, "x"), _low("d", 0, "x")))
    assert ["1. tools −50.0: x, `tool_x`", "2. tools −30.0: loop, `tool_loop`"] == _heads(
        _shown(report)
    )


def test_at_most_five_clusters_are_told_in_full() -> None:
    """The others take a line each, ten at most."""
    many = [_low(f"s{n:02}{twin}", tag=f"tag{n:02}") for n in range(17) for twin in "ab"]
    text = _shown(_advised(run_of(*many)))
    assert 5 == len(_heads(text))
    assert 10 == len(re.findall(r"^- tools −", text, re.MULTILINE))
    assert "\n- and 2 more: see report.json\n" in text


def test_one_session_is_told_as_one() -> None:
    """A single session has a line and its quote, and no share."""
    text = _shown(_advised(run_of(_low("a"))))
    assert [] == _heads(text)
    assert "- tools −60.0: loop, `tool_loop` – `a#M3` **40**: `Error: loop it`\n" in text


def test_good_enough_is_said_and_no_more() -> None:
    """With every score at its threshold there is nothing to read."""
    run = run_of(_low("a"), thresholds=Thresholds(session={"tools": 40}))
    text = _shown(_advised(run))
    assert "Every score is at or above its threshold: nothing is advised." in text
    assert [] == _heads(text)


def test_nothing_lost_is_said() -> None:
    """Full marks need no advice."""
    run = run_of(session("a", {"tools": said(100)}))
    assert "Nothing was lost in 1 session." in _shown(_advised(run))


def test_new_and_persisting_stand_beside_the_share() -> None:
    """And what was fixed stands in the table of the axis."""
    past = baseline("tools", {"a": 100, "b": 40, "c": 40})
    run = run_of(_low("a"), _low("b"), session("c", {"tools": said(100)}))
    text = _shown(_advised(run, past=past))
    assert "· 1 new, 1 persisting\n" in text
    assert "| tools | 1 | 1 | 1 | 3 | p = 1.000 |" in text


def test_axes_that_nobody_scored_are_named() -> None:
    """No advice on an axis is not the same as nothing to advise."""
    text = _shown(_advised(run_of(_low("a"))))
    assert "Scored nowhere, so nothing is advised on: goal." in text


def test_report_md_has_the_costliest_line() -> None:
    """A reviewer who reads the report only sees what to look at first."""
    report = _advised(run_of(_low("a"), _low("b")))
    line = (
        "What costs most: loop, `tool_loop` takes 60.0 points off the mean of tools, in 2 of 2 "
        "sessions"
    )
    assert f"\n{line}: see [advice.md](there/advice.md).\n" in render_markdown(
        report, advice="there/advice.md"
    )
    assert f"\n{line}.\n" in render_markdown(report)


def test_the_costliest_line_is_a_pattern_where_there_is_one() -> None:
    """As in advice.md, several sessions go before a single one that costs more."""
    report = _advised(run_of(_low("a", 80), _low("b", 80), _low("c", 0, "x")))
    assert first_advice(report.suites[0]).startswith("loop, `tool_loop` takes 13.3 points")
    alone = _advised(run_of(_low("c", 0, "x")))
    assert first_advice(alone.suites[0]).startswith("x, `tool_x` takes 100.0 points")


def test_doubts_on_another_axis_are_named_in_words() -> None:
    """What is told beside a doubtful judgement says why that is doubtful, too."""
    low: dict[str, AxisOpinion] = {"goal": said(0), "tools": said(20)}
    high: dict[str, AxisOpinion] = {"goal": said(60), "tools": said(80)}
    report = _advised(run_of(session("a", low, high), session("b", low, high)))
    line = "- also tools −50.0: experts are 40 points or more apart, in 2, nearly all of these"
    assert f"\n{line}\n" in _shown(report)


def test_a_report_without_advice_has_no_such_line() -> None:
    """Reports of older versions are shown as they are."""
    report = build_report(advised_run())
    assert "What costs most" not in render_markdown(report)
    assert "" == first_advice(report.suites[0])
    assert "## " not in _shown(report)


@pytest.mark.parametrize("text", ["tag", "tool", "quote", "key"])
def test_what_strangers_write_is_no_markdown(text: str) -> None:
    """Tags, tools, quotes and keys make no HTML, link, mention, heading or escape."""
    tag = HOSTILE if text == "tag" else "loop"
    cited = (3, HOSTILE if text == "quote" else "no such", HOSTILE if text == "tool" else "find")
    name = HOSTILE if text == "key" else "a"
    run = run_of(
        session(name, {"tools": said(0, tag, cited)}),
        session(f"{name}!", {"tools": said(0, tag, cited)}),
        judge=JUDGE,
    )
    shown = _shown(_advised(run))
    outside = re.sub(r"(`+).*?\1|\\.", "", shown)
    for raw in ("<script", "](http", "](javascript", "@everyone", "\x1b", "\u202e", "\x07"):
        assert raw not in outside
    assert "\n# owned" not in shown


def test_what_a_model_writes_is_no_markdown() -> None:
    """Its guess is a quotation, and cannot leave it."""
    report = _advised(run_of(_low("a"), _low("b")))
    advice = report.suites[0].advice
    assert advice is not None
    suggestion = Suggestion(
        id="0a1b2c3d",
        cluster=advice.clusters[0].id,
        hypothesis=HOSTILE,
        suggested_change=HOSTILE,
        target="prompt",
        expected_axis=HOSTILE,
        evidence=("F1", "F2"),
        test=HOSTILE,
    )
    followed = FollowUp(id="0", suggested_change=HOSTILE, axis=HOSTILE, sessions=2, pairs=0)
    advisor = Advisor(
        model=HOSTILE, asked=3, suggestions=(suggestion,), rejected=(HOSTILE,), failures=(HOSTILE,)
    )
    advice = advice.model_copy(update={"advisor": advisor, "follow_ups": (followed,)})
    suites = (report.suites[0].model_copy(update={"advice": advice}),)
    text = render_advice(suites)
    outside = re.sub(r"(`+).*?\1|\\.", "", text)
    for raw in ("<script", "](http", "](javascript", "@everyone", "\x1b", "\u202e", "\x07"):
        assert raw not in outside
    assert "1 suggestion, 1 rejected (unknown facts, none, or of one session), 1 without" in text
    assert 3 == text.count("\n>\n") + text.count("**A model's guess**")


def test_a_hostile_run_has_the_headings_of_any_other() -> None:
    """No line of a transcript becomes structure."""
    text = _shown(_advised(hostile_run()))
    heads = [line for line in text.splitlines() if line.startswith("#")]
    assert 4 == len(heads)
