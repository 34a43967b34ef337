"""The canonical model of one recorded session.

Near ATIF (Harbor's trajectory format, v1.8): ordered messages with source,
text, reasoning, tool calls, results linked to the calls they answer, usage,
sub-sessions and compaction marks. Every reader produces this and nothing else
in the package knows where a session came from.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator

from pytest_sessioneval.frozen import Frozen

__all__ = [
    "CallRef",
    "JsonObject",
    "Media",
    "Message",
    "Outcome",
    "Reference",
    "Role",
    "SessionSummary",
    "Subsession",
    "ToolCall",
    "Transcript",
    "Usage",
]

JsonObject = dict[str, Any]
Role = Literal["system", "user", "assistant", "tool"]
MessageKind = Literal["plain", "instruction", "command", "interrupt", "compaction", "notification"]
"""What a message of role user or system really is, where the source says so.

``plain`` is what the person (or agent) wrote; ``instruction`` is text injected
by the harness; ``command`` a slash or shell command and its echo; ``interrupt``
a request that was broken off; ``compaction`` a summary that replaced earlier
messages; ``notification`` news from a background task.
"""


class CallRef(Frozen):
    """Which tool call a result answers: the ``ordinal``-th call of message ``message``."""

    message: int
    """Index of the message that made the call."""
    ordinal: int
    """Position of the call in that message, from 0."""


class ToolCall(Frozen):
    """One call of a tool, by the agent or (in simulations) by the user."""

    name: str
    """The tool's name as recorded."""
    arguments: JsonObject | str
    """The arguments as an object, or as the recorded text where that is no JSON object."""
    call_id: str | None = None
    """The recorded id; ids repeat within real sessions, so pairing never rests on it alone."""
    result: int | None = None
    """Index of the message that holds the result; null: the call has none."""


class Media(Frozen):
    """Something that is not text, kept as its fingerprint only."""

    kind: str
    """The media type as recorded, such as image/png."""
    size: int
    """Bytes (of the decoded content where it was inline, else 0)."""
    sha256: str
    """SHA-256 of the decoded content, or of its address where it was remote."""


class Usage(Frozen):
    """Tokens and money one agent response took; null where the source does not say."""

    input_tokens: int | None = None
    """Prompt tokens, cached ones included."""
    output_tokens: int | None = None
    """Completion tokens, reasoning included."""
    cached_tokens: int | None = None
    """Prompt tokens read from a cache."""
    cost_usd: float | None = None
    """US dollars."""


class Message(Frozen):
    """One entry of a transcript."""

    index: int
    """Position in the transcript, from 0; what evidence and feedback point to."""
    role: Role
    """Who speaks: system, user, assistant (the agent) or tool."""
    text: str = ""
    """What was said or returned; empty for a message that only calls tools."""
    kind: MessageKind = "plain"
    """What the message really is; see MessageKind."""
    reasoning: str = ""
    """The agent's recorded reasoning; hidden from judges unless a suite shows it."""
    tool_calls: tuple[ToolCall, ...] = ()
    """Calls made in this message, in order."""
    answers: CallRef | None = None
    """For role tool: the call this is the result of; null: no such call is recorded."""
    tool_name: str | None = None
    """For role tool: the tool's name, where it is known."""
    is_error: bool = False
    """For role tool: the source marked the result as an error."""
    media: tuple[Media, ...] = ()
    """Images and documents of the message."""
    model: str | None = None
    """The model that wrote the message."""
    usage: Usage | None = None
    """What the response took; a response split over several records is counted once."""
    at: datetime | None = None
    """When, where the source says so."""


class Subsession(Frozen):
    """One sub-agent's part of a session."""

    agent_id: str
    """The sub-agent's id, unique within the session."""
    name: str | None = None
    """The kind of agent, such as Explore."""
    spawned_by: CallRef | None = None
    """The call that started it, where it is known."""
    parent_agent_id: str | None = None
    """The sub-agent that started it; null: the main agent did."""
    messages: tuple[Message, ...] = ()
    """Its messages, indexed from 0 of their own."""


class Outcome(Frozen):
    """What the source recorded about success; never a judge's opinion."""

    kind: str
    """What was recorded: reward, resolved, exit_status …"""
    value: float | None = None
    """0 is failure, 1 is success, between is partial; null: recorded without a number."""
    detail: str | None = None
    """The recorded word, such as a termination reason."""


def _saying_something(text: str | None) -> str | None:
    return text if text is not None and text.strip() else None


class Reference(Frozen):
    """What people hold a session against; nobody in the session said it."""

    answer: Annotated[str | None, AfterValidator(_saying_something)] = None
    """The answer that is taken as right (ground truth); null, and so a blank one: none is known."""
    ids: tuple[str, ...] | None = None
    """Ids of the documents that ought to have been retrieved; null: not known."""
    calls: tuple[ToolCall, ...] | None = None
    """The tool calls that ought to have been made, in any order; null: not known."""


class Transcript(Frozen):
    """One recorded run of an agent."""

    session_id: str
    """The session's id as recorded, or made by the reader from its place in the file."""
    source: str
    """Name of the reader that produced this."""
    messages: tuple[Message, ...]
    """The main agent's messages, ``messages[i].index == i``."""
    subsessions: tuple[Subsession, ...] = ()
    """Its sub-agents, in order of start."""
    task_id: str | None = None
    """The task, where several sessions may attempt the same one."""
    trial: int | None = None
    """Which attempt at the task."""
    agent_model: str | None = None
    """The agent's model, where one is recorded for the session."""
    profile_id: str | None = None
    """What the agent was told to be, by id."""
    name: str | None = None
    """A title a person would know the session by."""
    created_at: datetime | None = None
    """First time stamp."""
    last_active: datetime | None = None
    """Last time stamp."""
    outcome: Outcome | None = None
    """The recorded outcome, where there is one."""
    retrieved_ids: tuple[str, ...] | None = None
    """Ids of the documents that were retrieved, best first; null: not recorded."""
    reference: Reference | None = None
    """What people hold it against, where the source carries it."""
    metadata: dict[str, str | int | float | bool | None] = {}
    """Whatever else the source says of the session that a suite may use as key or cluster."""


class SessionSummary(Frozen):
    """What collection keeps of a session: enough to select, pair and look up, no text."""

    session_id: str
    """See Transcript."""
    locator: str | None = None
    """What names the session within its file; null: the file holds exactly one."""
    source: str
    """Name of the reader."""
    digest: str
    """Digest of the transcript's canonical form (transcripts.digest)."""
    task_id: str | None = None
    """See Transcript."""
    trial: int | None = None
    """See Transcript."""
    agent_model: str | None = None
    """See Transcript."""
    profile_id: str | None = None
    """See Transcript."""
    name: str | None = None
    """See Transcript."""
    created_at: datetime | None = None
    """See Transcript."""
    last_active: datetime | None = None
    """See Transcript."""
    message_count: int
    """Messages of the main agent."""
    subsession_count: int = 0
    """Sub-agents."""
    tool_call_count: int = 0
    """Tool calls, the sub-agents' included."""
    prefix_digests: str = ""
    """A rolling digest of 16 hex digits per message, joined; what starts with another's grew."""
    outcome: Outcome | None = None
    """See Transcript."""
    metadata: dict[str, str | int | float | bool | None] = {}
    """See Transcript."""
