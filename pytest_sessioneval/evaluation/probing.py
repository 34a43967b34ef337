"""Probes of a panel: changed sessions made, judged, and held against the probes' lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pytest_sessioneval.evaluation.bench import Bench, MadeSource, Part
from pytest_sessioneval.evaluation.exam_records import is_answered
from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.gate.agreement.card import Probe
from pytest_sessioneval.gate.agreement.probing import LINES, Line, Reading, judge_probe
from pytest_sessioneval.judging.probes import Variant, attacked, silenced, variants
from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.suites.model import Suite
from pytest_sessioneval.transcripts.digest import summarise
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.transcripts.registry import Registry
from pytest_sessioneval.verdicts.model import Verdict

__all__ = ["Base", "probe_panel", "task_axis"]

_TASK = "goal_completion"
_ROOM = 80


@dataclass(frozen=True, slots=True)
class Base:
    """A real session that probes are made from."""

    member: Member
    transcript: Transcript
    """Redacted."""
    scores: Mapping[str, float]
    """What it got as it is, on gated axes."""

    @property
    def unit(self) -> str:
        """What groups sessions of one task."""
        session = self.member.session
        return session.key if session.cluster is None else f"cluster {session.cluster}"


@dataclass(frozen=True, slots=True)
class _Made:
    """A changed session, and the one it was made from."""

    probe: str
    base: Base
    member: Member
    transcript: Transcript


def task_axis(suite: Suite) -> str | None:
    """Return the axis that says whether the task was done; None where the rubric has no axis."""
    gated = [axis.name for axis in suite.rubric.axes if axis.gated]
    return _TASK if _TASK in gated else next(iter(gated), None)


def probe_panel(
    suite: Suite, bases: Sequence[Base], bench: Bench, store: Store, registry: Registry
) -> tuple[Probe, ...]:
    """Return what every probe found on the suite's panel, in the order of ``LINES``.

    Changed sessions and what is said of them go into ``store`` only, which is
    closed in the end.
    """
    probed = suite.model_copy(update={"name": f"{suite.name} (probes)"})
    rubric = suite.rubric.model_copy(update={"axes": tuple(reversed(suite.rubric.axes))})
    turned = suite.model_copy(update={"name": f"{suite.name} (axis order)", "rubric": rubric})
    gated = [axis.name for axis in suite.rubric.axes if axis.gated]
    made = [
        *_made(bases, gated),
        *(
            _Made("axis_order", base, _member(base, base.transcript, "axis_order"), base.transcript)
            for base in bases
        ),
    ]
    source = MadeSource(registry, {one.member.id: one.transcript for one in made})
    parts = [
        Part(probed, [one.member for one in made if one.probe != "axis_order"]),
        Part(turned, [one.member for one in made if one.probe == "axis_order"]),
    ]
    verdicts = bench.verdicts(parts, store, source)
    names = {"axis_order": turned.name}
    found = []
    for line in LINES:
        own = [one for one in made if one.probe == line.probe]
        judged = [(one, verdicts[names.get(line.probe, probed.name), one.member.id]) for one in own]
        found.append(_probe(line, judged, suite))
    return tuple(found)


def _probe(line: Line, judged: Sequence[tuple[_Made, Verdict]], suite: Suite) -> Probe:
    gated = [axis.name for axis in suite.rubric.axes if axis.gated]
    task = task_axis(suite)
    scored = [axis for axis in gated if any(axis in one.base.scores for one, _ in judged)]
    axes = [axis for axis in scored if line.axes == "all" or axis == task]
    answered = [(one, verdict) for one, verdict in judged if is_answered(verdict)]
    readings = [
        Reading(
            after={axis: score for axis, score in verdict.scores.items() if axis in gated},
            before=one.base.scores,
            cluster=one.base.unit,
        )
        for one, verdict in answered
    ]
    probe = judge_probe(line, readings, axes, unanswered=len(judged) - len(answered))
    if judged and not axes:
        reason = f"this judge gives these sessions no score on {task}"
        probe = probe.model_copy(update={"why": reason})
    return probe


def _made(bases: Sequence[Base], axes: Sequence[str]) -> Iterator[_Made]:
    transcripts = [base.transcript for base in bases]
    # An answer swapped within one task may well fit: look for another task first.
    for at, base in enumerate(bases):
        others = [*bases[at + 1 :], *bases[:at]]
        other = next((one for one in others if one.unit != base.unit), None)
        for variant in variants(base.transcript, (other or base).transcript):
            yield _of(base, variant)
    for at, variant in silenced(transcripts):
        yield _of(bases[at], variant)
    open_to = [base for base in bases if any(score <= _ROOM for score in base.scores.values())]
    for at, variant in attacked([base.transcript for base in open_to], axes):
        yield _of(open_to[at], variant)


def _of(base: Base, variant: Variant) -> _Made:
    name = f"{variant.probe} {variant.name}".strip()
    member = _member(base, variant.transcript, name)
    return _Made(variant.probe, base, member, variant.transcript)


def _member(base: Base, transcript: Transcript, name: str) -> Member:
    # The key stays: what is expected of the session is expected of its variants.
    session = base.member.session.model_copy(update={"summary": summarise(transcript)})
    return Member(id=f"{base.member.id} ({name})", path=base.member.path, session=session)
