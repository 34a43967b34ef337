"""The exam of a suite's judge: labels, outcomes, thumbs, repeats and probes, made into its card."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from pytest_sessioneval.errors import TranscriptError
from pytest_sessioneval.evaluation.bench import Bench, Part
from pytest_sessioneval.evaluation.exam_labels import ExamLabels
from pytest_sessioneval.evaluation.exam_records import (
    exam_warnings,
    is_answered,
    models_of,
    session_records,
    with_a_word,
)
from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.evaluation.probing import Base, probe_panel, task_axis
from pytest_sessioneval.evaluation.reading import TranscriptSource
from pytest_sessioneval.evaluation.selection import fixed_sample
from pytest_sessioneval.gate.agreement.card import (
    Agreement,
    JudgeCard,
    Probe,
    Separation,
    Stability,
    Votes,
)
from pytest_sessioneval.gate.agreement.exam import (
    PASS_LINE,
    effective_panel,
    outcome_agreement,
    people_agreement,
    separation,
    stability,
)
from pytest_sessioneval.gate.agreement.grading import calibrated_axes, card_status
from pytest_sessioneval.gate.agreement.probing import LINES, unmeasured
from pytest_sessioneval.gate.agreement.records import SessionRecord
from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.suites.model import Suite, Thresholds
from pytest_sessioneval.suites.rubric import rubric_version
from pytest_sessioneval.transcripts.registry import Registry
from pytest_sessioneval.verdicts.model import Verdict
from pytest_sessioneval.verdicts.run import JudgeIdentity

__all__ = ["Exam", "ExamSettings"]

_LEVELS = (0.0, 20.0, 40.0, 60.0, 80.0, 100.0)
_PAIR = 2
_RECORDING = "a recording holds no reply to sessions that were changed or are judged again"
_LEFT_OUT = "left out by --no-probes"


@dataclass(frozen=True, slots=True)
class ExamSettings:
    """How thorough an exam is."""

    repeats: int = 5
    """How often sessions are judged to see whether the judge agrees with itself."""
    sessions: int = 20
    """Sessions that are judged again, and that probes are made from."""
    use_outcome: bool = False
    """Recorded outcomes are labels of the task axis."""
    probes: bool = True
    """Whether probes are held."""


class Exam:
    """Examines the judge of one suite, as it judges that suite's sessions.

    The judge is examined blind: it sees neither thumbs nor recorded outcomes,
    whatever the suite shows it. Thresholds and gate decide nothing; a session
    threshold is the axis's pass line. Real sessions go through ``own_store`` and
    changed ones through ``probe_store``; each call of either opens it.
    """

    def __init__(
        self,
        suite: Suite,
        members: Sequence[Member],
        labels: ExamLabels,
        *,
        settings: ExamSettings,
        bench: Bench,
        own_store: Callable[[], Store],
        probe_store: Callable[[], Store],
        registry: Registry,
    ) -> None:
        self._suite = suite
        self._blind = _blind(suite)
        self._labels = labels
        self._settings = settings
        self._bench = bench
        self._own_store = own_store
        self._probe_store = probe_store
        self._registry = registry
        self._source = TranscriptSource(registry)
        self._sample = fixed_sample(members, settings.sessions)
        known = with_a_word(suite, members, labels) | {member.id for member in self._sample}
        self._chosen = [member for member in members if member.id in known]

    def card(self) -> JudgeCard:
        """Return the judge's card; raises what opening judge and store raises."""
        identity = self._bench.identity(self._blind, self._own_store(), self._source)
        replayed = any(seat.model.startswith("recorded:") for seat in identity.seats)
        verdicts = self._verdicts(self._blind, self._chosen)
        again = {} if replayed else self._judged_again()
        judged = [(member, verdicts[member.id]) for member in self._chosen]
        records = session_records(self._suite, judged, again, self._labels)
        probes = self._probes(verdicts, _RECORDING if replayed else "")
        return self._assembled(identity, judged, records, probes)

    def _verdicts(self, suite: Suite, members: Sequence[Member]) -> dict[str, Verdict]:
        found = self._bench.verdicts([Part(suite, members)], self._own_store(), self._source)
        return {member.id: found[suite.name, member.id] for member in members}

    def _judged_again(self) -> dict[str, Verdict]:
        if self._settings.repeats < _PAIR:
            return {}
        repeats = max(self._settings.repeats, self._blind.settings.judge.repeats)
        return self._verdicts(_with_judge(self._blind, repeats=repeats), self._sample)

    def _probes(self, verdicts: Mapping[str, Verdict], why_not: str) -> tuple[Probe, ...]:
        why_not = why_not or ("" if self._settings.probes else _LEFT_OUT)
        if why_not:
            return tuple(unmeasured(line, why_not) for line in LINES)
        gated = {axis.name for axis in self._suite.rubric.axes if axis.gated}
        bases = []
        for member in self._sample:
            scores = {a: s for a, s in verdicts[member.id].scores.items() if a in gated}
            if scores:
                with suppress(TranscriptError):  # it changed since the scan
                    bases.append(
                        Base(member, self._source.load(member, self._blind.redaction), scores)
                    )
        return probe_panel(self._blind, bases, self._bench, self._probe_store(), self._registry)

    def _assembled(
        self,
        identity: JudgeIdentity,
        judged: Sequence[tuple[Member, Verdict]],
        records: Sequence[SessionRecord],
        probes: tuple[Probe, ...],
    ) -> JudgeCard:
        answered = models_of([verdict for _, verdict in judged])
        models = (*(seat.model for seat in identity.seats), *answered)
        agreement, separations = self._agreement(records), self._separation(records)
        return JudgeCard(
            judge_version=identity.version,
            rubric_version=rubric_version(self._suite.rubric),
            judge=identity.model,
            models=answered,
            suite=self._suite.name,
            sessions=len(judged),
            answered=sum(1 for _, verdict in judged if is_answered(verdict)),
            examined_at=self._bench.clock(),
            status=card_status(agreement, separations, probes),
            calibrated=calibrated_axes(agreement, separations, probes),
            agreement=agreement,
            separation=separations,
            stability=self._stability(records),
            probes=probes,
            votes=self._votes(records),
            unsupported=identity.unsupported,
            warnings=tuple(exam_warnings(judged, self._labels, models)),
            spent=self._bench.spent,
        )

    # -- held against ------------------------------------------------------------

    def _agreement(self, records: Sequence[SessionRecord]) -> tuple[Agreement, ...]:
        found: list[Agreement | None] = []
        for axis in self._suite.rubric.axes:
            line = self._pass_line(axis.name)
            levels = sorted(float(level.score) for level in axis.levels)
            levels = levels if len(levels) >= _PAIR else list(_LEVELS)
            found.append(people_agreement(records, axis.name, levels=levels, pass_line=line))
            if self._by_outcome(axis.name):
                found.append(outcome_agreement(records, axis.name, pass_line=line))
        return tuple(one for one in found if one is not None)

    def _separation(self, records: Sequence[SessionRecord]) -> tuple[Separation, ...]:
        gated = [axis.name for axis in self._suite.rubric.axes if axis.gated]
        found = [
            *(separation(records, axis, "outcome") for axis in gated),
            *(separation(records, axis, "thumbs") for axis in gated),
        ]
        return tuple(one for one in found if one is not None)

    def _stability(self, records: Sequence[SessionRecord]) -> tuple[Stability, ...]:
        axes = self._suite.rubric.axis_names
        found = [stability(records, axis, pass_line=self._pass_line(axis)) for axis in axes]
        return tuple(one for one in found if one is not None)

    def _votes(self, records: Sequence[SessionRecord]) -> tuple[Votes, ...]:
        axes = self._suite.rubric.axis_names
        found = [effective_panel(records, a, by_outcome=self._by_outcome(a)) for a in axes]
        return tuple(one for one in found if one is not None)

    def _by_outcome(self, axis: str) -> bool:
        return self._settings.use_outcome and axis == task_axis(self._suite)

    def _pass_line(self, axis: str) -> float:
        return self._suite.settings.thresholds.session.get(axis, PASS_LINE)


def _blind(suite: Suite) -> Suite:
    """Return the suite without what would tell its judge the answers, or end the exam."""
    own = suite.settings
    told = own.suite.model_copy(update={"use_outcome": False})
    settings = own.model_copy(update={"suite": told, "thresholds": Thresholds(), "gate": None})
    return _with_judge(suite.model_copy(update={"settings": settings}), show_feedback=False)


def _with_judge(suite: Suite, **changes: object) -> Suite:
    judge = suite.settings.judge.model_copy(update=changes)
    settings = suite.settings.model_copy(update={"judge": judge})
    return suite.model_copy(update={"settings": settings})
