"""Scores, counts and reasons are worded in one way."""

from __future__ import annotations

import pytest
from report_runs import airline_run, airline_suite, empty_run, evidence_run
from report_values import failing_result, make_run, unscored_result

from pytest_sessioneval.reports.build import build_report
from pytest_sessioneval.reports.model import Counts
from pytest_sessioneval.reports.wording import (
    asked,
    comparison,
    count_list,
    counted,
    experts_on,
    headline,
    held_against,
    judged_by,
    not_shown,
    points,
    quotes_told,
    short_name,
    state_list,
    title_shown,
)
from pytest_sessioneval.verdicts.model import CallCount, QuoteCount, View
from pytest_sessioneval.verdicts.run import Run, Sources


@pytest.mark.parametrize(("score", "text"), [(40, "40"), (66.6667, "66.7"), (39.97, "40")])
def test_a_score_has_at_most_one_decimal(score: float, text: str) -> None:
    """A whole score is shown as a whole number."""
    assert points(score) == text


@pytest.mark.parametrize(
    ("score", "threshold", "text"),
    [
        (40, 60, "40 < 60"),
        (66.6667, 70, "66.7 < 70"),
        (39.97, 40, "39.97 < 40"),
        (62.2, 62.25, "62.2 < 62.25"),
        (69.9999999, 70, "69.9999999 < 70"),
    ],
)
def test_a_missed_threshold_is_seen_to_be_missed(score: float, threshold: float, text: str) -> None:
    """As many decimals as it takes: never ``40 < 40``."""
    assert comparison(score, threshold) == text


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 retries"), (1, "1 retry"), (12_000, "12,000 retries")]
)
def test_numbers_agree_with_nouns(number: int, text: str) -> None:
    """One is singular; thousands are grouped."""
    assert counted(number, "retry", "retries") == text


def test_counts_come_most_first() -> None:
    """The largest first; beyond the limit the rest is one number."""
    assert count_list({"a": 1, "b": 5, "c": 2, "d": 1}, 2) == "5 b, 2 c, 2 of other kinds"


def test_names_in_counts_cannot_flood() -> None:
    """A name that a transcript chose is cut."""
    assert len(count_list({"x" * 1_000: 1})) < 70


def test_states_nobody_is_in_are_left_out() -> None:
    """Only what there is; unreadable files are told apart from sessions."""
    assert state_list(Counts(passed=2, error=1, unreadable=1)) == (
        "2 passed, 1 internal error; 1 more unreadable"
    )


def test_the_headline_says_how_many_failed() -> None:
    """Unreadable files count as failed, and low means are told with them."""
    assert headline(build_report(airline_run())) == (
        "5 of 8 sessions failed, 1 mean below threshold"
    )


def test_a_low_mean_alone_is_the_headline() -> None:
    """Sessions that all pass do not hide a mean that is too low."""
    passed = failing_result().model_copy(update={"state": "passed", "shortfalls": ()})
    suite = airline_suite(passed).model_copy(update={"sources": empty_run().suites[0].sources})
    assert headline(build_report(make_run(suite))) == "1 mean below threshold; 1 session passed"


def test_a_threshold_on_nothing_is_no_good_news() -> None:
    """Sessions that pass do not hide a threshold that nothing was held against."""
    suite = evidence_run().suites[0].model_copy(update={"never_scored": ("goal_completion",)})
    assert headline(build_report(make_run(suite))) == (
        "1 axis with a threshold never scored; 2 sessions passed"
    )


def test_nothing_judged_is_no_good_news() -> None:
    """A run in which nothing ran says so instead of ``all passed``."""
    assert headline(build_report(empty_run())) == "no session was judged"


def test_a_run_without_suites_is_no_good_news() -> None:
    """A run without any suite says so too."""
    assert headline(build_report(make_run())) == "no session was judged"


def test_a_green_run_says_so() -> None:
    """How many; one and two in their own words."""
    assert "all 3 sessions passed" == headline(build_report(_green(3)))
    assert "both sessions passed" == headline(build_report(_green(2)))
    assert "1 session passed" == headline(build_report(_green(1)))


def _green(number: int) -> Run:
    suite = evidence_run().suites[0]
    return make_run(suite.model_copy(update={"results": (suite.results[0],) * number}))


def test_what_was_not_run_is_told_beside_what_passed() -> None:
    """Sessions the run ended before are not among those that passed."""
    passed, waiting = (
        failing_result().model_copy(update={"state": state, "shortfalls": ()})
        for state in ("passed", "not_run")
    )
    run = make_run(evidence_run().suites[0].model_copy(update={"results": (passed, waiting)}))
    assert headline(build_report(run)) == "1 session passed, 1 not run"


def test_seats_with_their_own_model_are_named() -> None:
    """A panel of several models names each, the suite's first."""
    suite = build_report(airline_run()).suites[0]
    seats = (suite.judge.seats[0].model_copy(update={"model": "ollama:q"}), *suite.judge.seats[1:])
    judge = suite.judge.model_copy(update={"seats": seats, "repeats": 3})
    assert judged_by(suite.model_copy(update={"judge": judge})) == (
        "3 experts, openai:gpt-5-mini and ollama:q, 3 repeats"
    )


def test_a_suite_model_that_no_seat_uses_is_not_named() -> None:
    """Only who answered is named."""
    suite = build_report(airline_run()).suites[0]
    seats = tuple(s.model_copy(update={"model": "ollama:q"}) for s in suite.judge.seats)
    judge = suite.judge.model_copy(update={"seats": seats})
    assert judged_by(suite.model_copy(update={"judge": judge})) == "3 experts, ollama:q"


def test_the_embedded_judge_is_no_expert() -> None:
    """It has one seat and no model; its name says what it is."""
    assert "embedded judge" == judged_by(build_report(evidence_run()).suites[0])


def test_the_embedded_judge_speaks_under_its_name() -> None:
    """Its seat is called evidence, which would read like a count of it."""
    verdict = evidence_run().suites[0].results[0].verdict
    assert verdict is not None
    assert ["embedded judge"] == [who for who, _ in experts_on(verdict, "tool_usage_quality")]


def test_nobody_asked_is_nothing_said() -> None:
    """No calls, no text."""
    assert asked(CallCount()) == ""


def test_a_share_is_never_rounded_up_to_all() -> None:
    """99.9 % shown is not all of it."""
    verdict = failing_result().verdict
    assert verdict is not None
    opinions = tuple(o.model_copy(update={"coverage": 0.999}) for o in verdict.opinions)
    shown = not_shown(verdict.model_copy(update={"opinions": opinions}))
    assert shown == "shortened for the judge to 99 % of its text"


TOO_LONG = (
    "too long for the judge: 100 % of its text was read in 6 parts, "
    "scored from 24 quotes of them, 2 more had no place; left out: M3–M5"
)


@pytest.mark.parametrize(
    ("coverage", "view", "text"),
    [
        (1.0, None, ""),
        (
            0.5,
            View(shortened=tuple(f"M{n}" for n in range(14)), more_shortened=3),
            "shortened for the judge to 50 % of its text; shown in part: "
            + ", ".join(f"M{n}" for n in range(12))
            + " and 5 more",
        ),
        (
            1.0,
            View(parts=6, quotes=24, dropped=2, left_out=("M3–M5",)),
            TOO_LONG,
        ),
    ],
)
def test_what_a_judge_did_not_see_is_said(coverage: float, view: View | None, text: str) -> None:
    """The share, how it was read, and which messages are missing or incomplete."""
    verdict = failing_result().verdict
    assert verdict is not None
    update = {"coverage": coverage, "view": view}
    opinions = tuple(opinion.model_copy(update=update) for opinion in verdict.opinions)
    assert text == not_shown(verdict.model_copy(update={"opinions": opinions}))


@pytest.mark.parametrize(
    ("score", "threshold", "shown", "text"),
    [
        (97.9, 90, "97.9", ("97.9", "≥ 90")),
        (90, 90, "90.0", ("90.0", "≥ 90")),
        (59.8, 90, "59.8", ("59.8", "< 90")),
        (89.96, 90, "90.0", ("89.96", "< 90")),
        (62.49, 62.5, "62.5", ("62.49", "< 62.5")),
    ],
)
def test_a_score_is_held_against_its_threshold(
    score: float, threshold: float, shown: str, text: tuple[str, str]
) -> None:
    """With as many decimals as it takes."""
    assert text == held_against(score, threshold, shown)


@pytest.mark.parametrize(
    ("key", "title", "name"),
    [
        ("gift-wrap", "Wrap a book", "gift-wrap"),
        ("5d0f3c1e-8a47-4b1c-9a55-2f6f0b7d1e90", "VAT a penny off", "“VAT a penny off”"),
        ("5d0f3c1e-8a47-4b1c-9a55-2f6f0b7d1e90", None, "5d0f3c1e-8a4…"),
        ("gpt-4o-airline.balanced.json::task-13.trial-0", None, "task-13.trial-0"),
        ("checkpoints/6786ea0065/0/full.jsonl", " ", "6786ea0065/0/full.jsonl"),
        ("projects/5c0375b4-57a5-4f26-b12d-d022ee4e51b7.jsonl", None, "5c0375b4-57a…"),
        ("a/very/long/path/that/ends/in/a/slash/", None, "that/ends/in/a/slash/"),
    ],
)
def test_a_session_has_a_short_name(key: str, title: str | None, name: str) -> None:
    """The key where it is short, else the title, else what tells it apart."""
    session = build_report(airline_run()).suites[0].sessions[0]
    assert name == short_name(session.model_copy(update={"key": key, "title": title}))


def test_a_title_is_shown_in_quotes_and_shortened() -> None:
    """It is the session's, so it may be of any length and on any number of lines."""
    assert "“Refund”" == title_shown(" Refund\n", "task-3")
    assert 62 == len(title_shown("word " * 100))


@pytest.mark.parametrize("title", [None, "", " \n", "task-3"])
def test_no_title_is_made_up(title: str | None) -> None:
    """Nor is a key said twice."""
    assert "" == title_shown(title, "id-3", "task-3")


def test_nothing_scored_is_told_apart_from_failing() -> None:
    """A judge that is down says nothing of the sessions."""
    results = [unscored_result(name) for name in "ab"]
    suite = airline_suite(*results).model_copy(update={"sources": Sources()})
    lost = headline(build_report(make_run(suite.model_copy(update={"mean_shortfalls": ()}))))
    assert "2 of 2 sessions could not be scored" == lost


@pytest.mark.parametrize(
    ("quotes", "told"),
    [
        (QuoteCount(given=1), "1 quote"),
        (
            QuoteCount(given=1_312, moved=5, rejected=14),
            (
                "1,312 quotes, 14 of them proving nothing (not found there, or not admitted), "
                "5 found in another message than the one cited"
            ),
        ),
    ],
)
def test_what_became_of_quotes_is_told(quotes: QuoteCount, told: str) -> None:
    """Nothing is said of what did not happen."""
    assert told == quotes_told(quotes)
