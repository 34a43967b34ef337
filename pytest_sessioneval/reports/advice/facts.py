"""What took points off: one fact per session and axis, with cause, tag, tool and speaker."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from pytest_sessioneval.gate.drawing import CONTESTED
from pytest_sessioneval.reports.advice.model import Cause
from pytest_sessioneval.reports.model import SessionReport, SuiteReport
from pytest_sessioneval.suites.thresholds import ROUNDING
from pytest_sessioneval.verdicts.means import COMPLEXITY
from pytest_sessioneval.verdicts.model import AxisOpinion, Evidence, PanelScore, Verdict

__all__ = ["BEST", "Fact", "Thumbs", "facts_of", "references"]

BEST = 100.0
"""What an axis without a threshold is held against."""

Thumbs = Mapping[str, Mapping[int, int]]
"""1 or -1 by message, by session id."""

_LOW = 50.0
_UNNAMED = frozenset({"none", "other", ""})
_KIND = re.compile(r"([a-z]+(?: [a-z]+){0,2})(?::|$)")


@dataclass(frozen=True, slots=True)
class Fact:
    """One session that loses points on one axis, or whose score there is doubtful."""

    session: SessionReport
    axis: str
    cause: Cause
    tag: str
    """The failure tag, the kind of finding, or the doubt; empty: nothing is named."""
    tool: str
    """The tool concerned; empty: none."""
    score: float | None
    lost: float
    """Points below the reference, at least 0."""
    said: AxisOpinion | None
    """What the expert with the lowest score said."""

    @property
    def is_named(self) -> bool:
        """Whether anybody says what was wrong, or shows it."""
        return bool(self.tag or self.tool or _against(self.said))


def references(suite: SuiteReport) -> dict[str, float]:
    """Return what each axis with a score is held against, in the rubric's order.

    The higher one of the axis's two thresholds; 100 where it has none. What only
    describes a session has no reference.
    """
    found: dict[str, float] = {}
    for row in suite.means:
        doubtful = row.unscored.get("unverified", 0) + row.unscored.get("tampered", 0)
        if row.axis != COMPLEXITY and (row.scored or doubtful):
            set_ = [at for at in (row.session_threshold, row.mean_threshold) if at is not None]
            found[row.axis] = max(set_, default=BEST)
    return found


def facts_of(suite: SuiteReport, held: Mapping[str, float], thumbs: Thumbs) -> Iterator[Fact]:
    """Yield the facts of every session and axis, in order of collection and of the rubric.

    ``held`` are the axes' references.
    """
    for session in suite.sessions:
        verdict = session.verdict
        if verdict is None:
            continue
        for axis, reference in held.items():
            result = verdict.axes.get(axis)
            if result is None:
                continue
            if result.kind == "scored":
                if result.score < reference - ROUNDING:
                    given = thumbs.get(session.session_id)
                    yield _low(session, verdict, axis, result, reference=reference, thumbs=given)
            elif result.reason in ("unverified", "tampered"):
                yield Fact(session, axis, "judge", result.reason, "", None, 0.0, result)


def _low(
    session: SessionReport,
    verdict: Verdict,
    axis: str,
    result: PanelScore,
    *,
    reference: float,
    thumbs: Mapping[int, int] | None,
) -> Fact:
    said = _lowest(verdict, axis)
    lost = reference - result.score
    doubt = _doubt(result, reference, thumbs)
    if doubt:
        return Fact(session, axis, "judge", doubt, "", result.score, lost, said)
    against = _against(said)
    tool = _tool(against)
    if against and all(_tells_outage(one.quote) for one in against):
        return Fact(session, axis, "tool_outage", "", tool, result.score, lost, said)
    return Fact(session, axis, "agent", _tag(said, against), tool, result.score, lost, said)


def _doubt(result: PanelScore, reference: float, thumbs: Mapping[int, int] | None) -> str:
    """Return why the score is doubtful; empty: it is not."""
    if thumbs and sum(thumbs.values()) > 0 and (reference < BEST or result.score < _LOW):
        return "liked"
    return "contested" if result.spread >= CONTESTED else ""


def _lowest(verdict: Verdict, axis: str) -> AxisOpinion | None:
    lowest: AxisOpinion | None = None
    for opinion in verdict.opinions:
        said = opinion.axes.get(axis)
        if said is None or said.kind != "scored":
            continue
        if lowest is None or lowest.kind != "scored" or said.score < lowest.score:
            lowest = said
    return lowest


def _against(said: AxisOpinion | None) -> list[Evidence]:
    if said is None:
        return []
    return [one for one in said.evidence if one.polarity == "negative" and one.verified]


@lru_cache(maxsize=1024)
def _tells_outage(quote: str) -> bool:
    """Return whether the words are an error that says a tool was out of order."""
    # Compiles what the embedded judge reads errors by: a run without faults does not pay it.
    from pytest_sessioneval.judging.process.results import tells_outage  # noqa: PLC0415

    return tells_outage(quote)


def _tag(said: AxisOpinion | None, against: list[Evidence]) -> str:
    """Return the failure tag where it names something, else the kind of what is cited first."""
    tag = (said.failure_tag or "") if said is not None and said.kind == "scored" else ""
    if tag not in _UNNAMED:
        return tag
    return next((kind for one in against if (kind := _kind(one.note))), "")


def _kind(note: str) -> str:
    """Return the kind of finding that leads a note of the embedded judge; empty: none does."""
    found = _KIND.match(note)
    return found[1] if found else ""


def _tool(against: list[Evidence]) -> str:
    """Return the tool that is cited most, of those cited equally often the first."""
    tools = [one.tool for one in against if one.tool]
    if len(tools) < 2:  # noqa: PLR2004 -- nothing to count
        return tools[0] if tools else ""
    return Counter(tools).most_common(1)[0][0]
