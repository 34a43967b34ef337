"""Goal completion from what the user wrote down, or from what the transcript recorded."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_sessioneval.judging.process.results import FAILED, result_status
from pytest_sessioneval.judging.process.scope import HOW_TO_SCORE_GOAL
from pytest_sessioneval.suites.expectations import Check, check
from pytest_sessioneval.suites.model import Axis, Expectation
from pytest_sessioneval.transcripts.model import Message, Outcome, Transcript
from pytest_sessioneval.verdicts.model import AxisOpinion, Evidence, Scored, Unscored

__all__ = ["score_goal"]

_MOST_NAMED = 5
_UNDONE = FAILED | {"outage", "denied"}


def score_goal(
    axis: Axis,
    transcript: Transcript,
    expectations: Sequence[Expectation],
    *,
    use_outcome: bool,
) -> AxisOpinion:
    """Return the score of goal_completion, or how to get one.

    From expectations: 0 when something happened that must not have; else the
    share of conditions that held, times 100. A result that plainly is an error
    counts as one whether or not the source marked it. From the recorded outcome: its
    value times 100. With both, the lower: either alone shows that something is
    missing, and neither can make up for it.
    """
    told = _failures_marked(transcript) if expectations else transcript
    checks = [made for expectation in expectations for made in check(expectation, told)]
    outcome = transcript.outcome if use_outcome else None
    value = None if outcome is None else outcome.value
    scores = [score for score in (_checked(checks), _recorded(value)) if score is not None]
    if not scores:
        return Unscored(reason="unsupported", detail=_why(use_outcome=use_outcome))
    missed = [made for made in checks if not made.held]
    said = []
    if checks:
        said.append(_checks_sentence(checks, missed))
    if value is not None and outcome is not None:
        said.append(_outcome_sentence(outcome, value))
    return Scored(
        score=min(scores),
        comment=" ".join(said),
        evidence=_evidence(checks, transcript),
        failure_tag=_tag(axis, missed, min(scores)),
    )


def _failures_marked(transcript: Transcript) -> Transcript:
    """Return the transcript with a mark on every result that says its call did not work."""
    return transcript.model_copy(
        update={
            "messages": _marked(transcript.messages),
            "subsessions": tuple(
                sub.model_copy(update={"messages": _marked(sub.messages)})
                for sub in transcript.subsessions
            ),
        }
    )


def _marked(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    failed = {
        call.result
        for message in messages
        for call in message.tool_calls
        if call.result is not None and call.result < len(messages)
        if not (result := messages[call.result]).is_error
        and result_status(call.name, result.text, is_error=False) in _UNDONE
    }
    return tuple(
        message.model_copy(update={"is_error": True}) if place in failed else message
        for place, message in enumerate(messages)
    )


def _checked(checks: Sequence[Check]) -> int | None:
    if not checks:
        return None
    if any(made.kind == "must_not_call" and not made.held for made in checks):
        return 0
    return round(100 * sum(made.held for made in checks) / len(checks))


def _recorded(value: float | None) -> int | None:
    return None if value is None else round(100 * min(1.0, max(0.0, value)))


def _why(*, use_outcome: bool) -> str:
    if use_outcome:
        return f"this transcript records no outcome with a number; {HOW_TO_SCORE_GOAL}"
    return HOW_TO_SCORE_GOAL


def _checks_sentence(checks: Sequence[Check], missed: Sequence[Check]) -> str:
    said = f"{len(checks) - len(missed)} of {len(checks)} written expectations held."
    for made in missed[:_MOST_NAMED]:
        where = "" if made.message is None else f" (M{made.message})"
        said += f" Expected: {made.expected}; found: {made.found}{where}."
    if len(missed) > _MOST_NAMED:
        said += f" {len(missed) - _MOST_NAMED} more did not hold."
    return said


def _outcome_sentence(outcome: Outcome, value: float) -> str:
    detail = f", {outcome.detail}" if outcome.detail else ""
    return f"The transcript records {outcome.kind} {value:g}{detail}."


def _evidence(checks: Sequence[Check], transcript: Transcript) -> tuple[Evidence, ...]:
    found = [
        Evidence(
            message=made.message,
            agent_id=made.agent_id,
            polarity="positive" if made.held else "negative",
            note=f"{made.expected}: {made.found}",
        )
        for made in sorted(checks, key=lambda made: made.held)
        if made.message is not None
    ]
    if not found and transcript.messages:
        last = transcript.messages[-1].index
        found.append(Evidence(message=last, polarity="positive", note="the session's end"))
    return tuple(found[:12])


def _tag(axis: Axis, missed: Sequence[Check], score: int) -> str | None:
    """Return the failure tag of the first condition that did not hold; null at 100."""
    best = 100
    if score == best:
        return None
    kinds = {made.kind for made in missed}
    if "must_not_call" in kinds:
        wanted: tuple[str, ...] = ("rule_broken", "unasked_effect")
    elif "must_call" in kinds:
        wanted = ("not_attempted", "partly_done") if score == 0 else ("partly_done",)
    elif "final_matches" in kinds or "final_not_matches" in kinds:
        wanted = ("wrong_result",)
    else:
        wanted = ()
    return next((tag for tag in wanted if tag in axis.failure_tags), "other")
