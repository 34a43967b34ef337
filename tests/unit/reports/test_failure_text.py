"""A failing item says which thresholds were missed, on whose word, by which quotes."""

from __future__ import annotations

from report_runs import hostile_run
from report_values import failing_result, opinion, result, unscored_result

from pytest_sessioneval.reports.failure import failure_text, headline
from pytest_sessioneval.suites.thresholds import Shortfall
from pytest_sessioneval.verdicts.model import Evidence, PanelScore, Scored, Verdict


def test_every_missed_axis_is_listed() -> None:
    """Not only the first."""
    lines = failure_text(failing_result()).splitlines()
    assert {"goal_completion 30 < 60", "tool_usage_quality 20 < 40"} <= set(lines)


def test_experts_speak_with_score_and_comment() -> None:
    """Each expert of the axis, also one that was not below."""
    text = failure_text(failing_result(), width=200)
    assert "  tools 40: The only call for it ended in an error that was never looked at." in text


def test_quotes_come_with_message_numbers() -> None:
    """So that a reader finds them in the transcript."""
    assert """    M12: "I've processed your refund of $54.04.\"""" in failure_text(failing_result())


def test_evidence_in_favour_is_told_apart() -> None:
    """A positive quote is not taken for an accusation."""
    assert '    M2 (in favour): "May I have your order number?"' in failure_text(failing_result())


def test_a_sub_agents_message_is_named() -> None:
    """Its messages have numbers of their own."""
    text = failure_text(failing_result())
    assert "    M4 of sub-agent a7: the same search, three times" in text


def test_failure_tags_are_shown() -> None:
    """What went wrong, in the rubric's word."""
    assert "  tools 20 [loop]" in failure_text(failing_result())


def test_the_session_can_be_found() -> None:
    """Id, suite, file, key and title."""
    assert (
        "session id-task-3 of suite airline: transcripts/task-3.json (key task-3), "
        "“Refund for a cancelled flight”; shortened for the judge to 38 % of its text"
    ) == failure_text(failing_result(), width=200).splitlines()[-1]


def test_a_title_holds_no_secret() -> None:
    """A failure is shown where everybody may read it."""
    named = result("a", None, state="error", title="Use sk-proj-" + "aB3dE5fG7hJ9kL1mN3pQ5rS7")
    assert failure_text(named, width=200).endswith(", “Use [REDACTED:openai-key:1]”")


def test_not_scored_has_its_own_text() -> None:
    """It is not below any threshold, and says why once, with the axes it is about."""
    lines = failure_text(unscored_result()).splitlines()
    assert lines[0].startswith("not scored: ")
    assert [
        "not scored",
        "  failed: HTTP 503 after 4 tries",
        "    goal_completion, tool_usage_quality",
    ] == lines[2:5]


def test_both_are_told_where_both_are() -> None:
    """A session below one threshold and without a score elsewhere hides neither."""
    both = failing_result().model_copy(update={"not_scored": ("efficiency: failed",)})
    lines = failure_text(both).splitlines()
    assert lines[0].startswith("below threshold: ")
    assert {"not scored", "  efficiency: failed", "goal_completion 30 < 60"} <= set(lines)


def test_an_internal_error_is_the_third_word() -> None:
    """Neither below threshold nor not scored."""
    assert failure_text(result("x", None, state="error")).startswith("internal error: ")


def test_lines_are_wrapped() -> None:
    """No line but the first is wider than asked for, continuation lines are indented."""
    lines = failure_text(failing_result(), width=50).splitlines()
    assert 50 >= max(len(line) for line in lines[1:])
    assert "    issued, but no call that issues one was made." in lines


def test_repeats_are_told_apart() -> None:
    """The second time an expert was asked is named as such."""
    said = {"goal_completion": Scored(score=20)}
    verdict = Verdict(
        session_id="s",
        digest="d",
        axes={"goal_completion": PanelScore(score=20, count=2)},
        opinions=tuple(opinion("s", "outcome", dict(said), repeat=n) for n in (0, 1)),
    )
    low = (Shortfall(axis="goal_completion", score=20, threshold=60),)
    lines = failure_text(result("s", verdict, state="below_threshold", shortfalls=low))
    assert "  outcome 20\n  outcome (repeat 2) 20" in lines


def test_many_quotes_are_counted() -> None:
    """After five the rest is a number."""
    many = tuple(Evidence(message=n, quote=f"quote {n}") for n in range(8))
    verdict = Verdict(
        session_id="s",
        digest="d",
        axes={"goal_completion": PanelScore(score=20)},
        opinions=(opinion("s", "outcome", {"goal_completion": Scored(score=20, evidence=many)}),),
    )
    low = (Shortfall(axis="goal_completion", score=20, threshold=60),)
    text = failure_text(result("s", verdict, state="below_threshold", shortfalls=low))
    assert "and 3 more in the report" in text
    assert "quote 5" not in text


def test_the_first_line_is_the_headline() -> None:
    """The short summary of pytest shows the first line and nothing else."""
    assert headline(failing_result()) == failure_text(failing_result(), width=40).splitlines()[0]


def test_the_headline_is_axes_and_the_most_telling_place() -> None:
    """What pytest's short summary shows: the widest miss first."""
    assert (
        "below threshold: goal_completion 30 < 60, tool_usage_quality 20 < 40 "
        "(M7 'Error: order #W12 not found')"
    ) == headline(failing_result())


def test_the_headline_begins_with_the_widest_miss() -> None:
    """What is cut off is what fell less."""
    falls = reversed(failing_result().shortfalls)
    low = failing_result().model_copy(update={"shortfalls": tuple(falls)})
    assert headline(low).startswith("below threshold: goal_completion 30 < 60, tool")


def test_the_headline_of_not_scored_is_the_cause() -> None:
    """The cause first, because a short summary is cut; then how many axes."""
    assert "not scored: failed: HTTP 503 after 4 tries (2 axes)" == headline(unscored_result())


def test_other_causes_are_counted_in_the_headline() -> None:
    """The first in full, the others as a number."""
    lines = ("one thing", "goal_completion: failed (x)", "another")
    several = unscored_result().model_copy(update={"not_scored": lines})
    assert "not scored: one thing (and 2 other causes)" == headline(several)


def test_hostile_text_cannot_steer_the_terminal() -> None:
    """Neither the text nor the headline holds a control character."""
    attack = hostile_run().suites[0].results[0]
    texts = [*failure_text(attack).splitlines(), headline(attack)]
    assert all(text.isprintable() for text in texts)


def test_no_comment_floods_the_terminal() -> None:
    """A comment of a megabyte is cut."""
    verdict = Verdict(
        session_id="s",
        digest="d",
        axes={"goal_completion": PanelScore(score=20)},
        opinions=(
            opinion("s", "o", {"goal_completion": Scored(score=20, comment="word " * 200_000)}),
        ),
    )
    low = (Shortfall(axis="goal_completion", score=20, threshold=60),)
    text = failure_text(result("s", verdict, state="below_threshold", shortfalls=low))
    assert 2_000 > len(text)
