"""From tables to scores: every mark held against its text, then the formula.

What a judge marks as found counts by its quote. An axis that rests on a mark
whose quote is not there is ``unverified``, as a level without evidence is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_sessioneval.judging.evidence import NOT_THERE, Quotes, Scales, Weighed, shown_quote
from pytest_sessioneval.judging.masking import pieces
from pytest_sessioneval.judging.metrics.formulas import (
    answer_correctness,
    answer_relevancy,
    average_precision,
    f_beta,
    share,
)
from pytest_sessioneval.judging.metrics.points import NOTHING_COMPARED, points
from pytest_sessioneval.judging.metrics.replies import Mark, Statement, Tables, parse_tables
from pytest_sessioneval.judging.metrics.tables import metrics_of
from pytest_sessioneval.judging.model import Case
from pytest_sessioneval.judging.prompts import GROUND_TRUTH_LABEL
from pytest_sessioneval.judging.replies import Citation
from pytest_sessioneval.judging.steering import steering_spans
from pytest_sessioneval.suites.metrics import MetricName
from pytest_sessioneval.transcripts.model import Role
from pytest_sessioneval.transcripts.samples import Places, places_of, sample_of
from pytest_sessioneval.transcripts.shown import ShownMessage, label_of
from pytest_sessioneval.verdicts.model import AxisOpinion, Evidence, QuoteCount, Scored, Unscored

__all__ = ["Similar", "weigh_tables"]

Similar = Callable[[Sequence[str]], list[float]]
"""Returns how similar each question is to the one that was asked."""

_MOST_NAMED = 3
_MOST_EVIDENCE = 12
_LONGEST_NAMED = 160


def weigh_tables(
    text: str,
    case: Case,
    messages: Sequence[ShownMessage],
    masked: Sequence[ShownMessage],
    *,
    reported: Sequence[Citation] = (),
    similarity: float | None,
    similar: Similar,
) -> tuple[Weighed, tuple[Citation, ...]]:
    """Return a reply's metrics as scores, or as reasons there is none, and what it says steers it.

    ``messages`` are what the judge was shown and ``masked`` the same without
    what our heuristics flag, as for ``evidence.weigh``; ``reported`` is what an
    earlier reply said steers it; ``similarity`` is the cosine of answer and
    ground truth. Raises ``ReplyError`` where the protocol does not accept the
    reply.
    """
    places = places_of(case.transcript)
    labels = [label_of(index) for index in places.contexts]
    tables = parse_tables(text, metrics_of(case.axes), nonce=case.nonce, contexts=labels)
    instructions = (*reported, *tables.instructions)
    scales = Scales(messages, masked)
    steering = scales.mark(instructions)
    proving = _Proving(scales, places, _Truth.of(case))
    scored = _Scoring(tables, proving, labels, similarity, similar)
    axes: dict[str, AxisOpinion] = {}
    rejected: list[str] = []
    for axis in case.axes:
        if axis.metric is None:
            continue
        opinion, faults = scored.of(axis.metric)
        axes[axis.name] = opinion
        if faults:
            rejected.append(f"{axis.name}: {'; '.join(faults)}")
    quotes = scales.counted + proving.counted
    return Weighed(axes, tuple(rejected), steering, quotes), instructions


@dataclass(frozen=True, slots=True)
class _Truth:
    """The ground truth, in which quotes are looked up as in a message."""

    whole: Quotes
    unflagged: Quotes
    """The same without what our heuristics flag."""

    @classmethod
    def of(cls, case: Case) -> _Truth:
        text = sample_of(case.transcript).ground_truth or ""
        spans = steering_spans(text, case.rubric.axis_names)
        unflagged = [piece for piece in pieces(text, spans) if piece is not None]
        return cls(Quotes({GROUND_TRUTH_LABEL: (text,)}), Quotes({GROUND_TRUTH_LABEL: unflagged}))

    def fault(self, quote: str) -> str:
        """Return why a quote proves nothing; empty: it does."""
        found = self.whole.find(GROUND_TRUTH_LABEL, quote)
        if found is None:
            return NOT_THERE
        return "" if self.unflagged.stands(found) else "is text that steers the reviewer"


@dataclass(slots=True)
class _Proving:
    """Looks the quote of each mark up, once."""

    scales: Scales
    places: Places
    truth: _Truth
    counted: QuoteCount = field(default_factory=QuoteCount)
    """Quotes of the ground truth: no message holds them."""
    known: dict[tuple[str, str | None, str], tuple[Evidence | None, str]] = field(
        default_factory=dict
    )

    def look_up(self, column: str, mark: Mark) -> tuple[Evidence | None, str]:
        """Return the evidence for a mark that was found, and what is wrong with it."""
        key = (column, mark.message, mark.quote)
        if key not in self.known:
            self.known[key] = self._looked_up(column, mark)
        return self.known[key]

    def _looked_up(self, column: str, mark: Mark) -> tuple[Evidence | None, str]:
        if column == "ground_truth":
            return None, self._ground_truth(mark)
        roles: tuple[Role, ...] = ("tool",) if column == "contexts" else ("assistant",)
        citation = Citation(str(mark.message), mark.quote, "positive")
        evidence, fault = self.scales.look_up(citation, roles)
        allowed = self.places.contexts if column == "contexts" else (self.places.answer,)
        if not fault and (evidence.agent_id is not None or evidence.message not in allowed):
            what = "context" if column == "contexts" else "answer"
            fault = f"{mark.message} {shown_quote(mark.quote)} is from no {what}"
        return evidence, fault

    def _ground_truth(self, mark: Mark) -> str:
        fault = self.truth.fault(mark.quote)
        self.counted += QuoteCount(given=1, rejected=int(bool(fault)))
        return f"{GROUND_TRUTH_LABEL} {shown_quote(mark.quote)} {fault}" if fault else ""


@dataclass(frozen=True, slots=True)
class _Scoring:
    """The formula of each metric on one reply's tables."""

    tables: Tables
    proving: _Proving
    labels: Sequence[str]
    similarity: float | None
    similar: Similar

    def of(self, name: MetricName) -> tuple[AxisOpinion, list[str]]:
        """Return the opinion on a metric, and what a judge must correct so that it counts."""
        tables = self.tables
        match name:
            case "faithfulness":
                what = "the answer makes no statement"
                return self._share(tables.answer, "contexts", "supported by a context", what)
            case "context_recall":
                what = "the ground truth makes no statement"
                return self._share(tables.ground_truth, "contexts", "found in a context", what)
            case "context_precision":
                return self._ranking(tables.contexts or {})
            case "factual_correctness" | "answer_correctness":
                return self._facts(with_similarity=name == "answer_correctness")
            case _:
                return self._relevancy(), []

    def _share(
        self, rows: Sequence[Statement], column: str, said: str, nothing: str
    ) -> tuple[AxisOpinion, list[str]]:
        marks = [(row.statement, _mark(row, column)) for row in rows]
        evidence, faults = self._proof(column, marks)
        verdicts = [mark.found for _, mark in marks]
        without = [statement for statement, mark in marks if not mark.found]
        comment = f"{sum(verdicts)} of {len(verdicts)} statements are {said}{_named(without)}."
        return _judged(points(share(verdicts), comment, nothing), evidence, faults)

    def _ranking(self, contexts: Mapping[str, Mark]) -> tuple[AxisOpinion, list[str]]:
        marks = [(label, contexts[label]) for label in self.labels]
        evidence, faults = self._proof("contexts", marks)
        # A quote that stands in another context does not show that this one is useful.
        faults += [
            f"{label}: its quote is from {label_of(found.message)}"
            for (label, mark) in marks
            if mark.found
            for found, fault in [self.proving.look_up("contexts", mark)]
            if not fault and found is not None and label_of(found.message) != label
        ]
        verdicts = [mark.found for _, mark in marks]
        useful = ", ".join(label for label, mark in marks if mark.found) or "none"
        comment = f"Of {len(verdicts)} contexts in their order, these are useful: {useful}."
        return _judged(points(average_precision(verdicts), comment, ""), evidence, faults)

    def _facts(self, *, with_similarity: bool) -> tuple[AxisOpinion, list[str]]:
        stated = [(row.statement, _mark(row, "ground_truth")) for row in self.tables.answer]
        wanted = [(row.statement, _mark(row, "answer")) for row in self.tables.ground_truth]
        _, faults = self._proof("ground_truth", stated)
        evidence, more = self._proof("answer", wanted)
        tp = sum(mark.found for _, mark in stated)
        fp, fn = len(stated) - tp, sum(not mark.found for _, mark in wanted)
        value = f_beta(tp, fp, fn)
        wrong = _named([statement for statement, mark in (*stated, *wanted) if not mark.found])
        comment = (
            f"Of the answer {tp} statements are in the ground truth and {fp} are not; of the "
            f"ground truth {fn} are not in the answer{wrong}."
        )
        if with_similarity:
            value = answer_correctness(value, self.similarity or 0.0)
            comment += f" Cosine of the two texts: {self.similarity or 0.0:.3f}."
        return _judged(points(value, comment, NOTHING_COMPARED), evidence, [*faults, *more])

    def _relevancy(self) -> AxisOpinion:
        tables = self.tables
        if tables.noncommittal:
            return Scored(score=0, comment="The answer commits to nothing.")
        value = answer_relevancy(self.similar(tables.questions), noncommittal=False)
        made = " / ".join(question[:_LONGEST_NAMED] for question in tables.questions)
        return points(value, f"Questions that the answer answers: {made}", NOTHING_COMPARED)

    def _proof(
        self, column: str, marks: Sequence[tuple[str, Mark]]
    ) -> tuple[tuple[Evidence, ...], list[str]]:
        """Return what proves the marks, and what is wrong with those that nothing proves."""
        evidence: list[Evidence] = []
        faults: list[str] = []
        for what, mark in marks:
            if not mark.found:
                continue
            found, fault = self.proving.look_up(column, mark)
            if fault:
                faults.append(f"{shown_quote(what)}: {fault}")
            elif found is not None:
                evidence.append(found)
        return tuple(evidence[:_MOST_EVIDENCE]), faults


def _mark(row: Statement, column: str) -> Mark:
    mark: Mark = getattr(row, column)
    return mark


def _judged(
    opinion: AxisOpinion, evidence: tuple[Evidence, ...], faults: Sequence[str]
) -> tuple[AxisOpinion, list[str]]:
    if not isinstance(opinion, Scored):
        return opinion, []
    if not faults:
        return opinion.model_copy(update={"evidence": evidence}), []
    listed = "; ".join(faults[:_MOST_NAMED])
    more = f"; and {len(faults) - _MOST_NAMED} more" if len(faults) > _MOST_NAMED else ""
    unproven = Unscored(
        reason="unverified", detail=f"marks without proof: {listed}{more}", evidence=evidence
    )
    return unproven, [f"{listed}{more}"]


def _named(statements: Sequence[str]) -> str:
    """Return the first of the statements, to be told after a colon; empty: there is none."""
    if not statements:
        return ""
    listed = "; ".join(statement[:_LONGEST_NAMED] for statement in statements[:_MOST_NAMED])
    more = len(statements) - _MOST_NAMED
    return f"; not: {listed}" + (f"; and {more} more" if more > 0 else "")
