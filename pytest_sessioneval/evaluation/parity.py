"""Our metrics beside those of the ragas library, on the same samples and the same judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from pytest_sessioneval.evaluation.ragas_parity import SHARED_METRICS, RagasScorer
from pytest_sessioneval.evaluation.sample_scoring import SampleScorer, ScorerTerms
from pytest_sessioneval.suites.metrics import MetricName
from pytest_sessioneval.transcripts.redaction import SECRETS, redact
from pytest_sessioneval.transcripts.registry import Registry, builtin_readers
from pytest_sessioneval.transcripts.samples import Sample, sample_of

__all__ = ["Parity", "parity", "samples_in"]


@dataclass(frozen=True, slots=True)
class Parity:
    """One metric, computed by both."""

    metric: MetricName
    pairs: tuple[tuple[float, float], ...]
    """Ours and theirs, in points, of every sample that both scored."""
    only_ours: int
    only_theirs: int

    @property
    def means(self) -> tuple[float, float] | None:
        """Both means over the pairs; null without any."""
        if not self.pairs:
            return None
        return fmean(ours for ours, _ in self.pairs), fmean(theirs for _, theirs in self.pairs)

    @property
    def apart(self) -> tuple[float, float] | None:
        """Mean and largest absolute difference, in points; null without a pair."""
        if not self.pairs:
            return None
        differences = [abs(ours - theirs) for ours, theirs in self.pairs]
        return fmean(differences), max(differences)


def samples_in(path: Path) -> tuple[Sample, ...]:
    """Return the samples that a file's sessions are, without secrets; raises ``TranscriptError``.

    The first broken sample is raised, too: parity on a part would be another's.
    """
    reading = Registry(builtin_readers()).read(path)
    if reading.broken:
        raise reading.broken[0].error
    return tuple(
        sample_of(redact(found.transcript, SECRETS).transcript) for found in reading.sessions
    )


def parity(
    samples: Sequence[Sample],
    *,
    judge_model: str,
    embedding_model: str | None,
    environ: Mapping[str, str],
) -> tuple[Parity, ...]:
    """Return each shared metric as both compute it.

    Raises ``SettingError`` where the library is not there, and ``JudgeError``
    where either gets no answer.
    """
    library = RagasScorer(environ, judge_model=judge_model, embedding_model=embedding_model)
    theirs = library.score(samples)
    ours = SampleScorer(ScorerTerms(environ=environ))
    try:
        scored = [
            ours.score(
                sample,
                metrics=SHARED_METRICS,
                judge_model=judge_model,
                embedding_model=embedding_model,
            ).scores
            for sample in samples
        ]
    finally:
        ours.close()
    return tuple(
        _compared(name, [row[name] for row in scored], [row[name] for row in theirs])
        for name in SHARED_METRICS
    )


def _compared(
    name: MetricName, ours: Sequence[int | None], theirs: Sequence[float | None]
) -> Parity:
    both = list(zip(ours, theirs, strict=True))
    return Parity(
        metric=name,
        pairs=tuple((float(a), 100 * b) for a, b in both if a is not None and b is not None),
        only_ours=sum(a is not None and b is None for a, b in both),
        only_theirs=sum(a is None and b is not None for a, b in both),
    )
