"""All that is measured of a session, as findings: what was seen, where, and how much of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pytest_sessioneval.judging.process.calls import (
    Call,
    Cycle,
    Repeats,
    calls_of,
    cycles_of,
    repeats_of,
)
from pytest_sessioneval.judging.process.delegation import Delegation, delegations
from pytest_sessioneval.judging.process.extension import extends_itself
from pytest_sessioneval.judging.process.grounding import Figure, Ungrounded, ungrounded
from pytest_sessioneval.judging.process.novelty import unrelated_answer
from pytest_sessioneval.judging.process.reading import Part, Reading
from pytest_sessioneval.judging.process.results import writes
from pytest_sessioneval.judging.process.speech import claims_success
from pytest_sessioneval.judging.process.turns import Conversation, conversation, hands_over
from pytest_sessioneval.transcripts.model import Message

__all__ = ["Cite", "Effort", "Finding", "Signals", "measure"]

_LONGEST_QUOTE = 160
_CHARS_PER_TOKEN = 4
_MOST_PLACES = 6
_MOST_SOUGHT = 24
_SPAWNING = frozenset({"Task", "Agent", "dispatch_agent", "spawn_agent"})


@dataclass(frozen=True, slots=True)
class Cite:
    """A place that a finding rests on."""

    message: int
    quote: str = ""
    """Words that stand in that message; empty: the message as a whole."""
    agent_id: str | None = None
    tool: str | None = None
    """The tool called there."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was seen."""

    kind: str
    """Which rule of ``scoring`` it falls under."""
    label: str
    """What was seen; findings of one label are told together. Empty: the kind says it all."""
    place: str
    """Where: the messages by number. Empty: the label names them."""
    cites: tuple[Cite, ...]
    amount: float = 1.0
    """How much it counts: most count once, a run of repeats one for each repetition."""

    @property
    def text(self) -> str:
        """Return label and place in one phrase."""
        return (
            f"{self.label} ({self.place})" if self.label and self.place else self.label + self.place
        )


@dataclass(frozen=True, slots=True)
class Effort:
    """How large the session is."""

    messages: int
    """Messages of the main agent's transcript."""
    steps: int
    """The agents' messages, sub-agents' included."""
    calls: int
    """Tool calls, sub-agents' included."""
    tools: int
    """Different tools called."""
    requests: int
    """What the user asked of the agent, farewells left out."""
    subagents: int
    output_tokens: int
    """What the agents wrote: their characters (calls included) over four, or recorded, if more."""
    changes: int = 0
    """Calls that may have changed something and did not fail, handing over left out."""


@dataclass(frozen=True, slots=True)
class Signals:
    """Everything measured of one session."""

    findings: Mapping[str, tuple[Finding, ...]]
    """By kind, in the order of the transcript."""
    effort: Effort
    conversation: Conversation
    extensions: tuple[Finding, ...]
    """Work on the agent's own means."""
    coverage: float
    """Share of the transcript's characters that was read, 0–1."""

    def of(self, kind: str) -> tuple[Finding, ...]:
        """Return the findings of one kind."""
        return self.findings.get(kind, ())


def measure(reading: Reading) -> Signals:
    """Return everything that is measured of a session."""
    calls = {part.agent_id: calls_of(part) for part in reading.parts}
    talk = conversation(reading.main)
    found: list[Finding] = []
    for part in reading.parts:
        found.extend(_call_findings(part, calls[part.agent_id]))
    found.extend(_talk_findings(reading.main, talk))
    found.extend(_figure_findings(reading))
    found.extend(_answer_findings(reading.main, talk, calls[None]))
    if reading.subs:
        found.extend(_delegation_findings(delegations(reading, calls)))
        found.extend(_spawn_findings(reading, calls[None]))
    by_kind: dict[str, list[Finding]] = {}
    for finding in found:
        by_kind.setdefault(finding.kind, []).append(finding)
    return Signals(
        findings={kind: tuple(group) for kind, group in by_kind.items()},
        effort=_effort(reading, calls, talk),
        conversation=talk,
        extensions=tuple(_extensions(reading, calls)),
        coverage=reading.coverage,
    )


def _call_findings(part: Part, calls: Sequence[Call]) -> Iterable[Finding]:
    last = part.messages[-1].index if part.messages else -1
    for call in calls:
        if call.status == "missing" and call.message == last:
            continue  # the recording ends here
        if call.status not in ("ok", "reported"):
            index = call.message if call.result is None else call.result
            yield Finding(call.status, call.name, part.place(index), (_result_cite(part, call),))
    foreign = [m.index for m in part.messages if m.role == "user" and m.tool_calls]
    for repeats in repeats_of(calls, foreign):
        yield _repeat_finding(part, repeats)
    for cycle in cycles_of(calls):
        yield _cycle_finding(part, cycle)


def _repeat_finding(part: Part, repeats: Repeats) -> Finding:
    places = ", ".join(part.place(call.message) for call in repeats.calls[:_MOST_PLACES])
    if len(repeats.calls) > _MOST_PLACES:
        places += ", …"
    said = "failed in the same way" if repeats.failing else "returned the same result"
    return Finding(
        kind="retry" if repeats.failing else "repeat",
        label=f"{len(repeats.calls)} identical calls of {repeats.name} ({places}) {said}",
        place="",
        cites=tuple(_result_cite(part, call) for call in repeats.calls[1:]),
        amount=len(repeats.calls) - 1,
    )


def _cycle_finding(part: Part, cycle: Cycle) -> Finding:
    names = " → ".join(dict.fromkeys(call.name for call in cycle.calls))
    first, last = cycle.calls[0], cycle.calls[-1]
    rounds = len(cycle.calls) // cycle.period
    return Finding(
        kind="cycle",
        label=f"{names} went round {rounds} times with the same results "
        f"({part.place(first.message)} to {part.place(last.message)})",
        place="",
        cites=tuple(
            Cite(call.message, agent_id=part.agent_id, tool=call.name) for call in (first, last)
        ),
        amount=rounds - 2,
    )


def _talk_findings(part: Part, talk: Conversation) -> Iterable[Finding]:
    if talk.silent is not None:
        yield _said("silent", part, talk.silent)
    for index in talk.unanswered:
        yield _said("unanswered", part, index)
    if talk.unfinished is not None:
        yield Finding("unfinished", "", f"M{talk.unfinished}", (Cite(talk.unfinished),))
    for index, words in talk.corrections:
        yield Finding("correction", f"“{words}”", f"M{index}", (Cite(index, words),))
    for kind, pairs in (("asked_again", talk.asked_again), ("repeated_text", talk.repeated)):
        for first, again in pairs:
            cite = Cite(again, _opening(part.messages[again]))
            yield Finding(kind, "", f"M{again} as M{first}", (cite,))
    for index in talk.interrupts:
        yield Finding("interrupt", "", f"M{index}", (Cite(index),))
    for index in talk.compactions:
        yield Finding("compaction", "", f"M{index}", (Cite(index),))
    for index in talk.declined:
        yield _said("declined", part, index)


def _figure_findings(reading: Reading) -> Iterable[Finding]:
    found = ungrounded(reading.main, reading.given)
    if reading.coverage < 1:
        found = Ungrounded(
            *(_truly_new(reading.main, group) for group in (found.said, found.passed))
        )
    for figure in found.said:
        message = reading.main.messages[figure.message]
        quote = figure.text if figure.text in message.text else ""
        cite = Cite(figure.message, quote)
        yield Finding(f"ungrounded_{figure.kind}", figure.text, f"M{figure.message}", (cite,))
    for figure in found.passed:
        label = f"{figure.argument} = {figure.text}"
        cite = Cite(figure.message, tool=figure.argument.partition("(")[0] or None)
        yield Finding("invented_argument", label, f"M{figure.message}", (cite,))


def _truly_new(part: Part, figures: Sequence[Figure]) -> tuple[Figure, ...]:
    """Return those of the first figures that do not stand in what was left out of the reading."""
    return tuple(
        figure
        for figure in figures[:_MOST_SOUGHT]
        if not any(
            figure.text in message.text or any(figure.text in text for text in arguments)
            for message, arguments in zip(
                part.messages[: figure.message], part.arguments[: figure.message], strict=True
            )
        )
    )


def _answer_findings(part: Part, talk: Conversation, calls: Sequence[Call]) -> Iterable[Finding]:
    novelty = unrelated_answer(part, talk.answers)
    if novelty is not None:
        cite = Cite(novelty.message, _opening(part.messages[novelty.message]))
        share = f"{novelty.share:.0%} of them"
        yield Finding("unrelated_answer", share, f"M{novelty.message}", (cite,))
    if not talk.answers or not calls:
        return
    answer, last = talk.answers[-1], calls[-1]
    asked_since = any(last.message < request < answer for request in talk.requests)
    if not last.failed or last.message >= answer or asked_since:
        return
    words = claims_success(part.texts[answer])
    if words is not None:
        at = last.message if last.result is None else last.result
        yield Finding(
            kind="false_claim",
            label=f"M{answer} says “{words}” after {last.name} failed (M{at})",
            place="",
            cites=(Cite(answer, words), _result_cite(part, last)),
        )


def _delegation_findings(work: Sequence[Delegation]) -> Iterable[Finding]:
    for one in work:
        name = one.part.agent_id or ""
        where: tuple[Cite, ...] = ()
        if one.spawned is not None:
            where = (Cite(one.spawned.message, agent_id=one.parent_id),)
        if not one.finished:
            end = (Cite(one.last, agent_id=name),) if one.last >= 0 else where
            yield Finding("unfinished_subagent", name, "", end)
        elif one.used is False:
            yield Finding("unused_report", name, "", where)
        for own, other, theirs in one.doubled:
            yield Finding(
                kind="doubled_call",
                label=f"{own.name} by {name} (M{own.message}) as by {other} (M{theirs.message})",
                place="",
                cites=(Cite(own.message, agent_id=name, tool=own.name),),
            )


def _spawn_findings(reading: Reading, calls: Sequence[Call]) -> Iterable[Finding]:
    """Yield the calls that were to start a sub-agent, and failed."""
    by_place = {(call.message, call.ordinal): call.name for call in calls}
    started = (sub.spawned_by for sub in reading.transcript.subsessions)
    spawning = _SPAWNING | {
        by_place.get((ref.message, ref.ordinal), "Task") for ref in started if ref is not None
    }
    for call in calls:
        if call.failed and call.name in spawning:
            place = reading.main.place(call.message)
            yield Finding("failed_spawn", call.name, place, (_result_cite(reading.main, call),))


def _extensions(reading: Reading, calls: Mapping[str | None, Sequence[Call]]) -> Iterable[Finding]:
    for part in reading.parts:
        for call in calls[part.agent_id]:
            what = extends_itself(call)
            if what is not None:
                cite = Cite(call.message, agent_id=part.agent_id)
                yield Finding("extension", what, part.place(call.message), (cite,))


def _effort(
    reading: Reading, calls: Mapping[str | None, Sequence[Call]], talk: Conversation
) -> Effort:
    every = [call for group in calls.values() for call in group]
    steps, recorded, written = 0, 0, 0
    for part in reading.parts:
        for message, arguments in zip(part.messages, part.arguments, strict=True):
            if message.role != "assistant":
                continue
            steps += 1
            written += len(message.text) + sum(len(text) for text in arguments)
            recorded += (message.usage and message.usage.output_tokens) or 0
    return Effort(
        messages=len(reading.main.messages),
        steps=steps,
        calls=len(every),
        tools=len({call.name for call in every}),
        requests=len(talk.requests),
        subagents=len(reading.subs),
        output_tokens=max(recorded, written // _CHARS_PER_TOKEN),
        changes=sum(1 for call in every if _changes(call)),
    )


def _changes(call: Call) -> bool:
    return not (call.failed or hands_over(call.name)) and writes(call.name, call.arguments)


def _said(kind: str, part: Part, index: int) -> Finding:
    return Finding(kind, "", f"M{index}", (Cite(index, _opening(part.messages[index])),))


def _result_cite(part: Part, call: Call) -> Cite:
    if call.result is None:
        return Cite(call.message, agent_id=part.agent_id, tool=call.name)
    return Cite(call.result, _opening(part.messages[call.result]), part.agent_id, call.name)


def _opening(message: Message) -> str:
    """Return the message's first line with words, shortened, as it stands there."""
    for line in message.text[:2_000].splitlines():
        if line.strip():
            return line.strip()[:_LONGEST_QUOTE].rstrip()
    return ""
