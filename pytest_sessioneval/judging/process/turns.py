"""The conversation: who asked, who was answered, who had to set whom right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pytest_sessioneval.judging.process.farewells import asks, closes
from pytest_sessioneval.judging.process.reading import Part
from pytest_sessioneval.judging.process.speech import corrects, declines, same_words
from pytest_sessioneval.transcripts.model import Message

__all__ = ["Conversation", "conversation", "hands_over"]

_ASKING = ("askuser", "ask_user", "ask_followup", "request_user_input", "ask_question")
_HANDING_OVER = (
    "transfer",
    "handoff",
    "hand_off",
    "escalate",
    "end_call",
    "end_conversation",
    "finish",
    "submit",
    "attempt_completion",
    "complete_task",
    "task_complete",
    "exitplanmode",
    "final_answer",
    "done",
    "exit",
)
_FEWEST_REPEATED = 40
_FEWEST_ASKED_AGAIN = 12
_BEGINNING = 2_000


@dataclass(slots=True)
class Conversation:
    """What the conversation shows; every number is the index of a message."""

    requests: list[int] = field(default_factory=list)
    """What the user asked of the agent: words without farewells, and commands it acted on."""
    unanswered: list[int] = field(default_factory=list)
    """Said to an agent that answered nothing before the user spoke again, or ever."""
    corrections: list[tuple[int, str]] = field(default_factory=list)
    """The user sets the agent right; with the words."""
    asked_again: list[tuple[int, int]] = field(default_factory=list)
    """The user says the same once more: first and again."""
    repeated: list[tuple[int, int]] = field(default_factory=list)
    """The agent says the same once more: first and again."""
    declined: list[int] = field(default_factory=list)
    """The agent says that it cannot, or hands over."""
    interrupts: list[int] = field(default_factory=list)
    compactions: list[int] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    """The agent's messages with words for the user."""
    silent: int | None = None
    """The first request, where the agent never said anything at all; None: it did."""
    unfinished: int | None = None
    """The last message of a session that breaks off without an answer; None: it does not."""


def conversation(part: Part) -> Conversation:
    """Return what the conversation of one part shows."""
    listener = _Listener()
    for message, text in zip(part.messages, part.texts, strict=True):
        if message.role == "assistant":
            listener.hear_agent(message, text)
        elif message.role == "user":
            listener.hear_user(message, text)
    seen = listener.seen
    if seen.requests and not seen.answers:
        seen.silent = seen.requests[0]
    _ending(seen, part.messages, listener.pending)
    return seen


@dataclass(slots=True)
class _Listener:
    """Follows a conversation message by message."""

    seen: Conversation = field(default_factory=Conversation)
    pending: int | None = None
    """What the user said last, while no word of the agent has followed."""
    prompt: int | None = None
    """The command or instruction that nobody has acted on yet."""
    worked: bool = False
    """The agent called tools since the user spoke."""
    answer: str = ""
    """What the agent said last."""
    said: dict[str, int] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)

    def hear_agent(self, message: Message, text: str) -> None:
        if self.prompt is not None:
            self.seen.requests.append(self.prompt)
        self.prompt = None
        if text.strip():
            self._agent_speaks(message.index, text)
            self.pending, self.worked = None, False
        elif message.tool_calls:
            self.worked = True
            if any(_named(call.name, _ASKING) for call in message.tool_calls):
                self.pending = None

    def hear_user(self, message: Message, text: str) -> None:
        match message.kind:
            case "interrupt":
                self.seen.interrupts.append(message.index)
                self.pending = None
            case "compaction":
                self.seen.compactions.append(message.index)
            case "command" | "instruction":
                self.prompt = message.index
            case "plain" if not message.tool_calls and (text.strip() or message.media):
                if self.pending is not None and self.worked:
                    self.seen.unanswered.append(self.pending)
                self.pending = self._user_speaks(message.index, text)
                self.worked, self.prompt = False, None
            case _:
                pass

    def _agent_speaks(self, index: int, text: str) -> None:
        self.seen.answers.append(index)
        self.answer = text
        if declines(text[:_BEGINNING]):
            self.seen.declined.append(index)
        words = same_words(text)
        if len(words) < _FEWEST_REPEATED:
            return
        if words in self.said:
            self.seen.repeated.append((self.said[words], index))
        else:
            self.said[words] = index

    def _user_speaks(self, index: int, text: str) -> int | None:
        """Record what a user says; return its index when it wants an answer."""
        words = corrects(text) if self.seen.answers or self.seen.interrupts else None
        if words is not None:
            self.seen.corrections.append((index, words))
        if closes(text, asked=not self.answer or asks(self.answer)):
            return None
        said = same_words(text)
        if len(said) >= _FEWEST_ASKED_AGAIN:
            if said in self.asked:
                self.seen.asked_again.append((self.asked[said], index))
            else:
                self.asked[said] = index
        self.seen.requests.append(index)
        return index


def _ending(seen: Conversation, messages: Sequence[Message], pending: int | None) -> None:
    """Record how the session ends: answered, broken off, or with a request nobody answered."""
    last = next(
        (m for m in reversed(messages) if m.kind in ("plain", "interrupt") and m.role != "system"),
        None,
    )
    if last is None or last.kind == "interrupt":
        return
    if last.role == "user":
        if pending is not None and not last.tool_calls:
            seen.unanswered.append(pending)
        return
    if last.role == "assistant" and not last.tool_calls:
        if not last.text.strip():
            seen.unfinished = last.index
        return
    calls = [call for m in messages[-4:] if m.role == "assistant" for call in m.tool_calls]
    if not calls or not hands_over(calls[-1].name):
        seen.unfinished = last.index


def hands_over(tool: str) -> bool:
    """Return whether a tool of that name ends the agent's part: it hands over, or hands in."""
    return _named(tool, _HANDING_OVER)


def _named(name: str, words: Sequence[str]) -> bool:
    plain = name.lower()
    return any(word in plain for word in words)
