"""One sample scored on metrics of retrieval-augmented answering, without a run around it.

The same rubric, judges, prompts and checks as a session of a suite; what is
left out is the suite, the store and the report.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.judging.answering import case_of
from pytest_sessioneval.judging.backends.opening import MODELS, names_model, open_judge
from pytest_sessioneval.judging.budget import CallBudget, CostBudget
from pytest_sessioneval.judging.keys import nonce
from pytest_sessioneval.judging.metrics.measured import lacking
from pytest_sessioneval.judging.model import Judge
from pytest_sessioneval.judging.panel import EMBEDDED, Panel
from pytest_sessioneval.suites.metrics import METRICS, MetricName, missing_inputs
from pytest_sessioneval.suites.model import JudgeSettings, Rubric, Suite, SuiteFile
from pytest_sessioneval.suites.rubric import load_rubric
from pytest_sessioneval.suites.session import SuiteSession
from pytest_sessioneval.suites.wording import nearest
from pytest_sessioneval.transcripts.digest import summarise
from pytest_sessioneval.transcripts.redaction import SECRETS, redact
from pytest_sessioneval.transcripts.redaction_policy import RedactionPolicy
from pytest_sessioneval.transcripts.samples import Sample, session_of
from pytest_sessioneval.verdicts.model import AxisOpinion, CallCount, Scored

__all__ = [
    "METRICS",
    "Effective",
    "Sample",
    "SampleScorer",
    "SampleScores",
    "ScorerTerms",
    "check_judge",
    "effective",
    "known_metrics",
]

_SAMPLE = "sample"
_MOST_JUDGES = 100
"""Judges that one scorer opens; whoever may name judges could else name them without end."""


@dataclass(frozen=True, slots=True)
class Effective:
    """Which of the metrics asked for a sample has the inputs of, in the order asked."""

    metrics: tuple[MetricName, ...]
    skipped: tuple[str, ...]
    """The others, sorted."""


@dataclass(frozen=True, slots=True)
class SampleScores:
    """What scoring one sample gave."""

    scores: Mapping[str, int | None]
    """0–100 for every metric asked for, in that order; None where there is no score."""
    skipped: tuple[str, ...]
    """The metrics that were not computed, sorted: an input, or a model, is missing."""
    reasons: Mapping[str, str]
    """Why, for every metric without a score: one sentence."""
    judge_model: str
    """Who answered, as it names itself."""
    judge_version: str
    """What has to be equal for two scores to be comparable."""
    spent: CallCount = field(default_factory=CallCount)


@dataclass(frozen=True, slots=True)
class ScorerTerms:
    """How to go about scoring; none of it moves a score but ``redaction``."""

    environ: Mapping[str, str]
    """Where addresses and keys come from."""
    timeout_s: float = 120.0
    connections: int = 8
    max_calls: int | None = None
    """Most requests of the scorer's life; None: without end."""
    max_cost: float | None = None
    """Most US dollars, as ``max_calls``."""
    redaction: RedactionPolicy = SECRETS
    budget: CallBudget | None = None
    """What others take from, too, instead of the two limits; None: a budget of its own."""


def known_metrics(names: Sequence[str]) -> tuple[MetricName, ...]:
    """Return the names as metrics, each once, in order; raises ``SettingError`` for any other."""
    found: dict[MetricName, None] = {}
    for name in names:
        known = next((metric for metric in METRICS if metric == name), None)
        if known is None:
            raise SettingError(
                f"{name!r} is no metric{nearest(name, METRICS)}; accepted: {', '.join(METRICS)}"
            )
        found[known] = None
    return tuple(found)


def effective(sample: Sample, metrics: Sequence[str]) -> Effective:
    """Return which of the metrics have their inputs in the sample.

    Says nothing of models: a metric that compares embeddings needs one besides.
    Raises ``SettingError`` for a name that is no metric.
    """
    asked = known_metrics(metrics)
    there = tuple(name for name in asked if not missing_inputs(name, sample))
    return Effective(there, tuple(sorted(set(asked) - set(there))))


class SampleScorer:
    """Scores samples, from any thread; judges are opened on first use and shared."""

    def __init__(self, terms: ScorerTerms) -> None:
        self._terms = terms
        self._budget = terms.budget or CallBudget(terms.max_calls, CostBudget(terms.max_cost))
        self._stop = threading.Event()
        self._opening = threading.Lock()
        self._judges: dict[str, Judge] = {}
        self._secret = secrets.token_bytes(16)
        self._rubric = load_rubric("rag", base=Path())

    def score(
        self,
        sample: Sample,
        *,
        metrics: Sequence[str] = METRICS,
        judge_model: str = EMBEDDED,
        embedding_model: str | None = None,
    ) -> SampleScores:
        """Return the sample's scores.

        A judge's name without a protocol (``gpt-5-mini``) is a model behind
        OpenAI's. Raises ``SettingError`` for an unknown metric or judge, and
        ``JudgeError`` where the judge gave no answer; a score that the judge
        could not prove, or that text in the sample raised, is none.
        """
        asked = known_metrics(metrics)
        settings = _settings(judge_model, embedding_model)
        panel = self._panel(asked, settings)
        there = effective(sample, asked).metrics
        unsupported = panel.unsupported()
        wanted = tuple(name for name in there if name not in unsupported)
        if wanted != asked:
            panel = self._panel(wanted, settings) if wanted else panel
        opinions, model, spent = self._opinions(sample, panel, wanted)
        reasons: dict[str, str] = {
            name: why.detail for name in asked if (why := lacking(name, sample)) is not None
        }
        reasons |= {name: unsupported[name] for name in there if name in unsupported}
        skipped = tuple(sorted(reasons))
        scores: dict[str, int | None] = {}
        for name in asked:
            given = opinions.get(name)
            scores[name] = given.score if isinstance(given, Scored) else None
            if given is not None and not isinstance(given, Scored):
                reasons[name] = f"{given.reason}: {given.detail}"
        return SampleScores(scores, skipped, reasons, model, panel.version, spent)

    def close(self) -> None:
        """Ask nothing any more, and release the judges."""
        self._stop.set()
        with self._opening:
            for judge in self._judges.values():
                judge.close()

    def _opinions(
        self, sample: Sample, panel: Panel, wanted: Sequence[MetricName]
    ) -> tuple[dict[str, AxisOpinion], str, CallCount]:
        """Return the opinion on each metric, who gave them, and what it took."""
        opinions: dict[str, AxisOpinion] = {}
        spent, model = CallCount(), panel.suite.settings.judge.model
        if not wanted:
            return opinions, model, spent
        transcript = redact(session_of(sample, _SAMPLE), self._terms.redaction).transcript
        summary = summarise(transcript)
        session = SuiteSession(suite=_SAMPLE, key=_SAMPLE, path="", summary=summary)
        fence = nonce(self._secret, summary.digest)
        for question in panel.questions(session):
            case = case_of(panel, question, _SAMPLE, transcript, fence)
            answer = question.seat.judge.judge(case)
            opinions.update(answer.axes)
            spent += answer.spent
            model = answer.model
        return opinions, model, spent

    def _panel(self, metrics: Sequence[MetricName], settings: JudgeSettings) -> Panel:
        axes = tuple(self._rubric.axis(name) for name in metrics)
        rubric: Rubric = self._rubric.model_copy(update={"axes": axes})
        suite = Suite(
            root=Path(),
            name=_SAMPLE,
            file=None,
            settings=SuiteFile(judge=settings),
            rubric=rubric,
            redaction=self._terms.redaction,
        )
        return Panel.of(suite, {settings.model: self._judge(settings)})

    def _judge(self, settings: JudgeSettings) -> Judge:
        key = settings.model_dump_json()
        with self._opening:
            if key not in self._judges:
                if len(self._judges) >= _MOST_JUDGES:
                    raise SettingError(
                        f"{_MOST_JUDGES} judges are in use already: name one of those, or start "
                        "the server again"
                    )
                self._judges[key] = open_judge(
                    settings.model,
                    settings=settings,
                    environ=self._terms.environ,
                    timeout_s=self._terms.timeout_s,
                    connections=self._terms.connections,
                    stop=self._stop,
                    reserve=self._budget.reserve,
                    cost=self._budget.cost,
                )
            return self._judges[key]


def _settings(judge_model: str, embedding_model: str | None) -> JudgeSettings:
    """Return the settings of a judge by name; raises ``SettingError`` where it is none.

    A recording or a Python judge is none: a request must not choose files or code.
    """
    model = judge_model.strip()
    if model != EMBEDDED and ":" not in model and model:
        model = f"openai:{model}"
    if model != EMBEDDED and not (names_model(model) and [model] == model.split()):
        raise SettingError(
            f"judge_model {judge_model!r} is not accepted; accepted: {EMBEDDED}, {MODELS}"
        )
    return JudgeSettings(model=model, embedding_model=embedding_model or None)


def check_judge(judge_model: str) -> None:
    """Raise ``SettingError`` where ``SampleScorer.score`` would, of that name alone."""
    _settings(judge_model, None)
