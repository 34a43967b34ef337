"""What an exam knows of each session: its verdict, beside everybody else's word on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import fmean

from pytest_sessioneval.evaluation.exam_labels import ExamLabels
from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.gate.agreement.families import model_family
from pytest_sessioneval.gate.agreement.records import SessionRecord
from pytest_sessioneval.judging.panel import combine
from pytest_sessioneval.reports.wording import counted
from pytest_sessioneval.suites.model import Suite
from pytest_sessioneval.verdicts.model import NOT_ANSWERED, Verdict

__all__ = ["exam_warnings", "is_answered", "models_of", "session_records", "with_a_word"]

_NAMED = 5


def with_a_word(suite: Suite, members: Sequence[Member], labels: ExamLabels) -> frozenset[str]:
    """Return the ids of the members that somebody labelled or rated, or that have an outcome."""
    rated = {entry.session_id for entry in suite.feedback}
    labelled = labels.by_session
    return frozenset(
        member.id
        for member in members
        if member.session.key in labelled
        or member.session.session_id in rated
        or _succeeded(member) is not None
    )


def session_records(
    suite: Suite,
    judged: Sequence[tuple[Member, Verdict]],
    again: Mapping[str, Verdict],
    labels: ExamLabels,
) -> tuple[SessionRecord, ...]:
    """Return one record per judged member; ``again`` holds verdicts of repeats by member id."""
    thumbs: Counter[str] = Counter()
    for entry in suite.feedback:
        thumbs[entry.session_id] += entry.rating
    labelled = labels.by_session
    return tuple(
        SessionRecord(
            key=member.session.key,
            cluster=member.session.cluster,
            scores=verdict.scores,
            seats=_seat_scores(verdict),
            labels=labelled.get(member.session.key, {}),
            succeeded=_succeeded(member),
            liked=sum_ > 0 if (sum_ := thumbs[member.session.session_id]) else None,
            repeats=_repeat_scores(suite, member, again[member.id]) if member.id in again else {},
        )
        for member, verdict in judged
    )


def models_of(verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    """Return the models that answered, as they name themselves, sorted."""
    answers = [
        opinion
        for verdict in verdicts
        for opinion in verdict.opinions
        if any(
            said.kind == "scored" or said.reason not in NOT_ANSWERED
            for said in opinion.axes.values()
        )
    ]
    return tuple(sorted({opinion.judge_model for opinion in answers}))


def exam_warnings(
    judged: Sequence[tuple[Member, Verdict]], labels: ExamLabels, models: Iterable[str]
) -> Iterator[str]:
    """Yield what a reader of the card must know, a sentence each.

    ``models`` are the judge's: as configured, and as they name themselves.
    """
    agents = Counter(
        (family, model)
        for member, _ in judged
        if (model := member.session.summary.agent_model) is not None
        if (family := model_family(model)) is not None
    )
    judges = {family: model for model in models if (family := model_family(model)) is not None}
    for (family, model), count in sorted(agents.items()):
        if family in judges:
            agent = f"{model}, {counted(count, 'session')}"
            yield (
                f"judge ({judges[family]}) and agent ({agent}) are both of {family}'s family: "
                "judges favour what their own family wrote"
            )
    silent = sum(1 for _, verdict in judged if not is_answered(verdict))
    if silent:
        yield f"the judge gave no answer on {silent} of {len(judged)} sessions"
    if labels.unasked:
        yield (
            f"nothing says how the sessions of {counted(labels.unasked, 'label')} were chosen: "
            "agreement holds for them, not for the suite; sessioneval label-queue draws at random"
        )
    if labels.apart:
        yield f"{counted(labels.apart, 'label')} of complaints and diagnostic queues not used"
    if labels.strangers:
        named = ", ".join(labels.strangers[:_NAMED])
        more = " …" if len(labels.strangers) > _NAMED else ""
        missing = counted(len(labels.strangers), "labelled session")
        yield f"{missing} not in the suite: {named}{more}"


def is_answered(verdict: Verdict) -> bool:
    """Return whether the judge answered every question about a session."""
    return not any(
        result.kind == "unscored" and result.reason in NOT_ANSWERED
        for result in verdict.axes.values()
    )


def _succeeded(member: Member) -> bool | None:
    """Return whether a success was recorded; None: nothing that says so."""
    outcome = member.session.summary.outcome
    return None if outcome is None or outcome.value is None else outcome.value >= 1


def _seat_scores(verdict: Verdict) -> dict[str, dict[str, float]]:
    given: dict[str, dict[str, list[float]]] = {}
    for opinion in verdict.opinions:
        for axis, said in opinion.axes.items():
            if said.kind == "scored":
                given.setdefault(opinion.expert_id, {}).setdefault(axis, []).append(said.score)
    return {
        seat: {axis: fmean(scores) for axis, scores in axes.items()} for seat, axes in given.items()
    }


def _repeat_scores(suite: Suite, member: Member, verdict: Verdict) -> dict[str, tuple[float, ...]]:
    """Return what the panel would have given by each repeat alone, per axis it then scores."""
    found: dict[str, list[float]] = {}
    for repeat in sorted({opinion.repeat for opinion in verdict.opinions}):
        alone = [opinion for opinion in verdict.opinions if opinion.repeat == repeat]
        single = combine(suite.rubric, member.session, alone, from_store=False)
        for axis, score in single.scores.items():
            found.setdefault(axis, []).append(score)
    return {axis: tuple(scores) for axis, scores in found.items()}
