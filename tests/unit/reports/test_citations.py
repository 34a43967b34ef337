"""What experts cite is told once, and the headline has the place that says most."""

from __future__ import annotations

import pytest
from report_values import opinion

from pytest_sessioneval.reports.citations import Citation, citations, most_telling
from pytest_sessioneval.suites.thresholds import Shortfall
from pytest_sessioneval.verdicts.model import (
    AxisOpinion,
    Evidence,
    PanelScore,
    Scored,
    Unscored,
    Verdict,
)

_SEVEN = "7 identical calls of track (M5, M7, M9) returned the same result"


def _said(comment: str, *evidence: Evidence) -> Scored:
    return Scored(score=30, comment=comment, evidence=evidence)


def _verdict(**axes: AxisOpinion) -> Verdict:
    return Verdict(
        session_id="s",
        digest="d",
        axes={axis: PanelScore(score=30) for axis in axes},
        opinions=(opinion("s", "evidence", axes),),
    )


def _missed(**by: int) -> tuple[Shortfall, ...]:
    return tuple(Shortfall(axis=axis, score=70 - n, threshold=70) for axis, n in by.items())


# -- citations -----------------------------------------------------------------------


def test_one_quote_of_many_messages_is_one_line() -> None:
    """Seven identical calls print their result once, with all message numbers."""
    found = citations(_said("", *(Evidence(message=n, quote="in transit") for n in (9, 5, 7, 5))))
    assert (Citation(label="M5, M7, M9", quote="in transit", note=""),) == found


def test_one_note_of_many_messages_is_one_line() -> None:
    """A finding without a quote has all its messages, too."""
    found = citations(_said("", *(Evidence(message=n, note="went in circles") for n in (5, 17))))
    assert ["M5, M17: went in circles"] == [citation.text(99) for citation in found]


def test_many_places_are_counted() -> None:
    """After eight the rest is a number."""
    (found,) = citations(_said("", *(Evidence(message=n, quote="x") for n in range(11))))
    assert "M0, M1, M2, M3, M4, M5, M6, M7 and 3 more" == found.label


@pytest.mark.parametrize(
    "other",
    [
        Evidence(message=9, quote="no", agent_id="a7"),
        Evidence(message=9, quote="no", polarity="positive"),
        Evidence(message=9, quote="no", verified=False),
    ],
    ids=["agent", "polarity", "verified"],
)
def test_places_that_differ_stay_apart(other: Evidence) -> None:
    """One line is of one agent, for or against, found or not."""
    assert 2 == len(citations(_said("", Evidence(message=5, quote="no"), other)))


@pytest.mark.parametrize(
    ("evidence", "label"),
    [
        (Evidence(message=4, agent_id="a7"), "M4 of sub-agent a7"),
        (Evidence(message=4, polarity="positive"), "M4 (in favour)"),
        (Evidence(message=4, polarity="positive", verified=False), "M4 (not found there)"),
    ],
)
def test_a_label_says_what_is_odd(evidence: Evidence, label: str) -> None:
    """Whose message it is, whether it speaks in favour, and whether the quote stands there."""
    assert label == citations(_said("", evidence))[0].label


def test_a_note_that_the_comment_tells_is_left_out() -> None:
    """The quote stays, because the comment does not have it."""
    said = _said(f"{_SEVEN}.", Evidence(message=6, quote="in transit", note=f"repeat: {_SEVEN}"))
    assert ['M6: "in transit"'] == [citation.text(99) for citation in citations(said)]


def test_a_note_told_together_with_others_is_left_out() -> None:
    """The comment names several places in one breath: ``Edit (M6, M8)``."""
    failed = Evidence(message=8, quote="gone", note="failed: Edit (M8)")
    assert [""] == [c.note for c in citations(_said("2 calls failed: Edit (M6, M8).", failed))]


def test_a_message_that_the_comment_does_not_name_keeps_its_note() -> None:
    """A number alone would tell nothing."""
    said = _said("2 calls failed: Edit.", Evidence(message=7, note="failed: Edit"))
    assert ["M7: failed: Edit"] == [citation.text(99) for citation in citations(said)]


def test_a_finding_that_the_comment_tells_is_left_out() -> None:
    """Message, note and quote stand in the comment already."""
    comment = "Told, and found nowhere before: NP559 (M7)."
    note = "ungrounded identifier: NP559 (M7)"
    assert () == citations(_said(comment, Evidence(message=7, quote="NP559", note=note)))


def test_a_quote_of_a_judge_model_always_stands() -> None:
    """Its comment is not checked, its quotes are."""
    said = _said("M7 says NP559.", Evidence(message=7, quote="NP559"))
    assert ['M7: "NP559"'] == [citation.text(99) for citation in citations(said)]


def test_a_note_beyond_what_is_shown_stands() -> None:
    """What was cut off the comment tells nothing."""
    said = _said(f"{'word ' * 50}{_SEVEN}", Evidence(message=6, quote="x", note=_SEVEN))
    assert _SEVEN == citations(said, shown=100)[0].note


def test_notes_of_one_quote_are_told_together() -> None:
    """Each once."""
    said = _said("", *(Evidence(message=n, quote="no", note=f"kind {n % 2}") for n in (1, 2, 3)))
    assert ["kind 1; kind 0"] == [citation.note for citation in citations(said)]


def test_a_note_of_two_quotes_is_told_once() -> None:
    """What was said and what was so, of one finding."""
    note = "claims success"
    said = _said(
        "",
        Evidence(message=8, quote="done", note=note),
        Evidence(message=7, quote="failed", note=note),
    )
    assert ["claims success", ""] == [citation.note for citation in citations(said)]


def test_an_unscored_axis_cites_too() -> None:
    """What could not be verified is shown with the reason."""
    said = Unscored(
        reason="unverified", detail="", evidence=(Evidence(message=3, quote="x", verified=False),)
    )
    assert ['M3 (not found there): "x"'] == [citation.text(99) for citation in citations(said)]


# -- the headline's place ------------------------------------------------------------


def test_the_widest_miss_is_told() -> None:
    """The axis that fell most gives the quote."""
    verdict = _verdict(
        goal=_said("", Evidence(message=1, quote="near")),
        tools=_said("", Evidence(message=2, quote="far")),
    )
    assert "M2 'far'" == most_telling(verdict, _missed(goal=3, tools=55))


def test_of_equal_misses_the_first_is_told() -> None:
    """In the rubric's order."""
    verdict = _verdict(
        goal=_said("", Evidence(message=1, quote="one")),
        tools=_said("", Evidence(message=2, quote="two")),
    )
    assert "M1 'one'" == most_telling(verdict, _missed(goal=9, tools=9))


def test_an_axis_without_evidence_leaves_it_to_the_next() -> None:
    """Something is told if anything is cited."""
    verdict = _verdict(goal=_said(""), tools=_said("", Evidence(message=2, quote="two")))
    assert "M2 'two'" == most_telling(verdict, _missed(goal=60, tools=1))


@pytest.mark.parametrize(
    ("weak", "strong"),
    [
        (Evidence(message=1, note="silent: M1"), Evidence(message=9, quote="not found")),
        (Evidence(message=1, quote="Hello?"), Evidence(message=9, quote="Error: not found")),
    ],
    ids=["quote", "error"],
)
def test_words_that_tell_more_go_first(weak: Evidence, strong: Evidence) -> None:
    """A quote before a note, an error before other words, whatever was cited first."""
    verdict = _verdict(goal=_said("", weak, strong))
    assert f"M9 '{strong.quote}'" == most_telling(verdict, _missed(goal=9))


def test_what_speaks_against_the_agent_goes_first() -> None:
    """Praise is told only where there is nothing else."""
    praise = Evidence(message=2, quote="Error handled", polarity="positive")
    verdict = _verdict(goal=_said("", praise, Evidence(message=4, note="unclear")))
    assert "M4: unclear" == most_telling(verdict, _missed(goal=9))


def test_the_lowest_expert_goes_first() -> None:
    """Who scored lowest says why."""
    mild = Scored(score=60, evidence=(Evidence(message=1, quote="mild"),))
    hard = Scored(score=0, evidence=(Evidence(message=2, quote="hard"),))
    verdict = _verdict(goal=mild)
    both = (*verdict.opinions, opinion("s", "second", {"goal": hard}))
    verdict = verdict.model_copy(update={"opinions": both})
    assert "M2 'hard'" == most_telling(verdict, _missed(goal=9))


@pytest.mark.parametrize(
    ("evidence", "text"),
    [
        (Evidence(message=4, quote="Hello?", note="unanswered: M4"), "M4 unanswered 'Hello?'"),
        (Evidence(message=9, note="unfinished: M9"), "M9: unfinished"),
        (Evidence(message=5, note="cycle: get went round"), "M5: get went round"),
        (Evidence(message=5, note="refund is called: never"), "M5: refund is called: never"),
        (Evidence(message=5), "M5"),
    ],
)
def test_the_kind_of_finding_leads_the_quote(evidence: Evidence, text: str) -> None:
    """Words of the transcript stand in quotes, an expert's own do not."""
    assert text == most_telling(_verdict(goal=_said("", evidence)), _missed(goal=9))


def test_nothing_cited_is_nothing_told() -> None:
    """No place is made up."""
    assert "" == most_telling(_verdict(goal=_said("")), _missed(goal=9))
