"""What people's thumbs say of the judge of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.evaluation.reported import valued_axes
from pytest_sessioneval.gate.agreement.thumbs import Share, ThumbedSession, Validity, validity
from pytest_sessioneval.judging.panel import shows_feedback
from pytest_sessioneval.reports.model import SessionReport, SuiteReport
from pytest_sessioneval.reports.neutralise import one_line
from pytest_sessioneval.reports.plain_table import plain_table
from pytest_sessioneval.reports.wording import counted
from pytest_sessioneval.suites.discovery import find_suite_file
from pytest_sessioneval.suites.loading import load_suite

__all__ = ["circular", "suite_validity", "validity_lines"]

_CHANCE = 0.5


def suite_validity(suite: SuiteReport, thumbs: Mapping[str, Mapping[int, int]]) -> Validity:
    """Return what thumbs, by session id and message, say of the suite's judge.

    Raises ``SettingError`` when no judged session has one.
    """
    judged = [one for one in suite.sessions if one.verdict is not None]
    if not thumbs:
        raise SettingError(
            f"feedback validity: none of {counted(len(judged), 'judged session')} of suite "
            f"{suite.suite!r} has a thumb; bring some in with sessioneval feedback import"
        )
    sessions = [_thumbed(one, thumbs.get(one.session_id, {})) for one in judged]
    return validity(sessions, valued_axes(suite))


def circular(folder: Path) -> str:
    """Return why agreement with thumbs proves nothing there; empty where it may.

    That is where ``[judge]`` shows the thumbs of the suite's feedback files to
    the judge that is then held against them.
    """
    if find_suite_file(folder) is None:
        return ""
    suite = load_suite(folder)
    if not suite.settings.suite.feedback or not shows_feedback(suite):
        return ""
    return (
        "This suite shows its feedback files to the judge ([judge] show_feedback), so agreement "
        "with those thumbs proves nothing: set show_feedback = false and judge again."
    )


def validity_lines(found: Validity, suite: str) -> Iterator[str]:
    """Yield it in words for people, a line each."""
    answered, down = found.responses, found.down
    yield (
        f"{one_line(suite)}: thumbs on {answered.count} of "
        f"{counted(answered.of, 'judged session')} ({_percent(answered)}); "
        f"{down.count} of {counted(down.of, 'thumb')} down ({_percent(down)})"
    )
    if found.undecided:
        yield f"  {counted(found.undecided, 'session')} with as many up as down, on neither side"
    if found.misplaced:
        yield (
            f"  {counted(found.misplaced, 'thumb')} on messages that their session does not have: "
            "left out"
        )
    rows = []
    for axis in found.axes:
        limits = (
            "" if axis.low is None or axis.high is None else f"[{axis.low:.2f}, {axis.high:.2f}]"
        )
        shown = "-" if axis.auc is None else f"{axis.auc:.2f}"
        rows.append(
            (axis.axis, str(axis.up), str(axis.down), shown, limits, _meaning(axis.low, axis.high))
        )
    head = ("axis", "up", "down", "AUC", "90 % CI", "")
    yield from plain_table(head, rows, right=("up", "down", "AUC"))
    same = found.concordance
    yield (
        f"evidence: the judge cites {same.recall.count} of "
        f"{counted(same.recall.of, 'message')} with thumbs down against the agent "
        f"({_percent(same.recall)}), and {_percent(same.cited)} of all messages of these sessions"
    )
    yield (
        f"  of {counted(same.precision.of, 'rated message')} so cited {same.precision.count} have "
        f"thumbs down ({_percent(same.precision)}), of all rated ones {_percent(same.disliked)}"
    )
    yield "Who answers is no sample: this is evidence of how good the judge is, and no score."


def _thumbed(session: SessionReport, thumbs: Mapping[int, int]) -> ThumbedSession:
    verdict = session.verdict
    opinions = () if verdict is None else verdict.opinions
    cited = {
        evidence.message
        for opinion in opinions
        for said in opinion.axes.values()
        for evidence in said.evidence
        if evidence.verified and evidence.polarity == "negative" and evidence.agent_id is None
    }
    return ThumbedSession(
        key=session.key,
        cluster=session.cluster,
        messages=session.messages,
        scores={} if verdict is None else verdict.scores,
        criticised=frozenset(cited),
        thumbs=thumbs,
    )


def _meaning(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return "too few to tell"
    if low > _CHANCE:
        return "agrees with people"
    return "against people" if high < _CHANCE else "no better than a coin, as far as this shows"


def _percent(share: Share) -> str:
    if share.share is None:
        return "none"
    return f"{100 * share.share:.0f} % [{100 * share.low:.0f}, {100 * share.high:.0f}]"
