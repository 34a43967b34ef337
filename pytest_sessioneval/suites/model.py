"""What a suite file and a rubric hold, as values.

Field names are the keys of ``sessioneval.toml`` and of a rubric file; the line
beneath each field is its description in the JSON Schema that the package ships.
What a single value cannot know (that an axis exists, that a path stays inside
the suite) is checked where the files are read: ``suites.rubric`` and
``suites.loading``.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.suites.calibration import Calibration
from pytest_sessioneval.suites.metrics import MetricName
from pytest_sessioneval.transcripts.model import Role
from pytest_sessioneval.transcripts.redaction_policy import OwnSecret, RedactionPolicy

__all__ = [
    "Axis",
    "Expectation",
    "ExpectedCall",
    "Expert",
    "FeedbackEntry",
    "GateSettings",
    "JudgeSettings",
    "Level",
    "RedactSettings",
    "Rubric",
    "Suite",
    "SuiteFile",
    "SuiteSettings",
    "Thresholds",
]

Points = Annotated[float, Field(ge=0, le=100)]
"""Points on the 0–100 scale."""

JudgeSpec = Annotated[
    str,
    Field(
        pattern=r"^(evidence|(openai|anthropic|ollama|hook|recorded):\S(.*\S)?)$",
        examples=[
            "evidence",
            "openai:MODEL",
            "anthropic:MODEL",
            "ollama:MODEL",
            "hook:NAME",
            "recorded:PATH",
        ],
    ),
]
"""Who judges: ``evidence``, or a protocol and what it names."""


def _paragraphs(text: str) -> str:
    """Return the text with each paragraph on one line: a file may wrap its prose anywhere."""
    blocks = text.replace("\r\n", "\n").split("\n\n")
    return "\n\n".join(line for line in (" ".join(block.split()) for block in blocks) if line)


Prose = Annotated[str, AfterValidator(_paragraphs)]
"""Text for people and judges; line breaks within a paragraph are spaces."""


class Level(Frozen):
    """One anchored level of an axis."""

    score: Annotated[int, Field(ge=0, le=100)]
    """The level's score."""
    anchor: Prose
    """What a session at this level looks like: behaviour a reader can point to."""


LevelScore = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]?|100)$")]


def _levels_from_table(value: object) -> object:
    """Return the levels that a table ``score = "anchor"`` spells out, in its order."""
    if not isinstance(value, dict):
        return tuple(value) if isinstance(value, list) else value
    for score, anchor in value.items():
        if not (isinstance(score, str) and re.fullmatch(r"0|[1-9][0-9]?|100", score)):
            raise ValueError(f"level {score!r} is no whole number from 0 to 100")
        if not isinstance(anchor, str):
            raise ValueError(f"level {score} has no text; accepted: a string")  # noqa: TRY004
    return tuple(Level(score=int(score), anchor=anchor) for score, anchor in value.items())


Levels = Annotated[
    tuple[Level, ...],
    BeforeValidator(
        _levels_from_table, json_schema_input_type=dict[LevelScore, str] | tuple[Level, ...]
    ),
]


class Axis(Frozen):
    """One thing that is scored."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    """The axis's name in every report."""
    question: Prose
    """What the expert is asked."""
    levels: Levels
    """Anchored levels, lowest first; in a file a table: score = "what it looks like"."""
    failure_tags: tuple[str, ...] = ()
    """Words for what went wrong; an expert picks one, or ``other``, or ``none``."""
    evidence_roles: tuple[Role, ...] = ()
    """Whose messages may prove a score; empty: anybody's."""
    nullable: bool = False
    """Whether an expert may say that the axis does not apply."""
    null_when: Prose = ""
    """When it does not apply, as the expert is told."""
    applies_if: Literal["always", "subagents"] = "always"
    """A condition checked in code: an axis that cannot apply is never asked for."""
    gated: bool = True
    """Whether thresholds and gate may name it; false: it only describes."""
    metric: MetricName | None = None
    """A metric of retrieval-augmented answering that code computes; null: an expert scores it."""
    direction: Literal["higher"] = "higher"
    """Which scores are better; on every axis 100 is best."""


class Expert(Frozen):
    """One seat of the panel."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
    """The seat's name, unique in the panel."""
    instruction: Prose
    """What the expert is told to look at."""
    axes: tuple[str, ...]
    """The axes it answers."""
    model: JudgeSpec | None = None
    """Its own judge, in the words of ``[judge]`` model; null: the suite's."""


class Rubric(Frozen):
    """What is scored: axes with anchored levels, and the panel that scores them by default."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
    """The rubric's name, as it is shown in versions: ``name@version#digest``."""
    version: Annotated[int, Field(ge=1)]
    """Raised by its author when the meaning of a score changes."""
    axes: tuple[Axis, ...]
    """In the order of every report."""
    experts: tuple[Expert, ...] = ()
    """The default panel; empty: one expert that answers every axis."""
    score_mode: Literal["levels", "free"] = "levels"
    """``levels``: experts choose among the anchored levels; ``free``: any integer 0–100."""

    @property
    def has_metrics(self) -> bool:
        """Whether an axis of it is a metric."""
        return any(axis.metric is not None for axis in self.axes)

    def axis(self, name: str) -> Axis:
        """Return the axis of that name; ``KeyError`` names the axes there are."""
        for axis in self.axes:
            if axis.name == name:
                return axis
        raise KeyError(f"{name!r} is no axis of {self.name}: {', '.join(self.axis_names)}")

    @property
    def axis_names(self) -> tuple[str, ...]:
        """The axes' names, in order."""
        return tuple(axis.name for axis in self.axes)


class FeedbackEntry(Frozen):
    """A person's thumb on one message."""

    session_id: str
    """The session."""
    message_index: Annotated[int, Field(ge=0, le=2**31 - 1)]
    """The message."""
    rating: Literal[1, -1]
    """1: thumbs up; -1: thumbs down."""
    comment: str = ""
    """What the person wrote with it."""
    at: datetime | None = None
    """When."""


class ExpectedCall(Frozen):
    """A tool call that must, or must not, have happened."""

    tool: str
    """The tool's name."""
    args: dict[str, Any] = {}
    """Arguments the call must carry with these values; others are free."""


def _call_by_name(value: object) -> object:
    """Return the call that a bare tool name stands for."""
    return {"tool": value} if isinstance(value, str) else value


CallPattern = Annotated[
    ExpectedCall, BeforeValidator(_call_by_name, json_schema_input_type=str | ExpectedCall)
]
"""A call as a table, or as the tool's name when any arguments will do."""


class Expectation(Frozen):
    """What must have happened in a session, checked in code."""

    session: str | None = None
    """The session's key; null: every session."""
    must_call: tuple[CallPattern, ...] = ()
    """Each must have been called, without an error; a tool's name, or { tool, args }."""
    must_not_call: tuple[CallPattern, ...] = ()
    """None may have been called, with or without an error; a tool's name, or { tool, args }."""
    final_matches: str | None = None
    """Regular expression that the agent's last answer must match somewhere."""
    final_not_matches: str | None = None
    """Regular expression that the agent's last answer must not match anywhere."""
    max_messages: Annotated[int | None, Field(ge=1)] = None
    """The session may not take more messages, sub-agents' left out."""


class SuiteSettings(Frozen):
    """``[suite]``."""

    name: str | None = None
    """The suite's name in reports; default: the folder's."""
    sessions: tuple[str, ...] = ()
    """Globs, relative to the suite; default: every file a reader recognises."""
    key: str | None = None
    """What names a session across runs: path, session_id or a metadata key."""
    cluster: str | None = None
    """What groups sessions that attempt the same task."""
    rubric: str = "agent"
    """A built-in rubric, or the path of a rubric file relative to the suite."""
    feedback: tuple[str, ...] = ()
    """Globs of feedback files (JSON Lines), relative to the suite."""
    use_outcome: bool = False
    """Whether recorded outcomes may score goal_completion."""


class JudgeSettings(Frozen):
    """``[judge]``."""

    model: JudgeSpec = "evidence"
    """evidence, openai:MODEL, anthropic:MODEL, ollama:MODEL, hook:NAME or recorded:PATH."""
    repeats: Annotated[int, Field(ge=1, le=100)] = 1
    """How often each expert is asked about each session."""
    baseline_repeats: Annotated[int, Field(ge=1, le=100)] = 3
    """The same, for sessions that go into a baseline."""
    show_feedback: bool | None = None
    """Whether experts see people's thumbs; default: only in a suite without a gate."""
    temperature: float | None = None
    """Sent only when set: some models refuse it."""
    seed: int | None = None
    """Sent only when set."""
    max_output_tokens: Annotated[int | None, Field(ge=1)] = None
    """Longest reply asked for; default: the backend's."""
    context_tokens: Annotated[int | None, Field(ge=2_000)] = None
    """Prompt and reply together, in tokens; default: what is known of the model, at most 200000,
    else 128000. Longer sessions are shortened or read in parts, and the report says so."""
    embedding_model: str | None = None
    """Model of an OpenAI-compatible /embeddings; metrics that compare texts need one."""
    calibration: str | None = None
    """File of ``sessioneval calibrate``: the embedded judge then estimates goal_completion."""
    card: str | None = None
    """The judge's committed card, as sessioneval judge-check wrote it, relative to the suite."""
    experts: tuple[Expert, ...] = ()
    """The panel; default: the rubric's."""


class Thresholds(Frozen):
    """``[thresholds]``: the lowest scores accepted, 0–100; ``>=`` passes."""

    session: dict[str, Points] = {}
    """Per axis, for every session."""
    mean: dict[str, Points] = {}
    """Per axis, for the suite's mean."""


class GateSettings(Frozen):
    """``[gate]``."""

    baseline: str = "baseline.json"
    """The committed file, relative to the suite."""
    axes: tuple[str, ...] = ()
    """The axes that decide."""
    on_inconclusive: Literal["auto", "fail", "pass"] = "auto"
    """What an undecided comparison means."""
    on_missing_baseline: Literal["fail", "pass"] = "fail"
    """What a missing baseline means."""
    break_: Annotated[Points, Field(alias="break")] = 40
    """No session may fall by more points."""
    strict: bool = False
    """Pass only with the distribution-free bound."""
    decide_on: Literal["raw", "corrected"] = "raw"
    """What decides: the judge's scores, or those scores corrected by people's random labels."""
    sequential: Literal["off", "obf"] = "off"
    """Stop judging when the decision is reached."""
    min_pairs: Annotated[int, Field(ge=2)] = 20
    """Fewest pairs that can pass."""
    canaries: tuple[str, ...] = ()
    """Globs, relative to the suite, of frozen sessions that tell a judge that moved from an
    agent that did; they are no sessions of the suite."""
    max_unverified: Annotated[float, Field(ge=0, le=100)] = 10
    """Per cent of the sessions whose score may lack evidence that checks out."""
    margins: dict[str, Points] = {}
    """Per axis, and ``default``: points of mean drop that are tolerated."""


class RedactSettings(Frozen):
    """``[redact]``."""

    what: Literal["secrets", "secrets+pii"] = "secrets"
    """What is replaced; to have nothing replaced: --sessioneval-redact off, typed."""
    patterns: tuple[OwnSecret, ...] = ()
    """Kinds of secrets that only you know of, each with a regular expression."""


class SuiteFile(Frozen):
    """All of ``sessioneval.toml``."""

    suite: SuiteSettings = SuiteSettings()
    """What the suite is."""
    profiles: dict[str, str] = {}
    """What the agent was told to be: paths of text files by profile id, or ``default``."""
    judge: JudgeSettings = JudgeSettings()
    """Who judges."""
    expect: tuple[Expectation, ...] = ()
    """What must have happened."""
    thresholds: Thresholds = Thresholds()
    """What is good enough."""
    redact: RedactSettings = RedactSettings()
    """What is replaced before a judge, a report or the store sees a session."""
    gate: GateSettings | None = None
    """Comparison with a baseline; no section, no gate."""


class Suite(Frozen):
    """A suite ready to be run: its file, and everything the file points to, read and checked."""

    root: Path
    """The suite's folder."""
    name: str
    """The suite's name."""
    file: Path | None
    """Its ``sessioneval.toml``; null: the folder was named on the command line."""
    settings: SuiteFile
    """What the file says, or the defaults."""
    rubric: Rubric
    """The rubric, read."""
    profiles: dict[str, str] = {}
    """Profile texts by id."""
    feedback: tuple[FeedbackEntry, ...] = ()
    """People's thumbs."""
    redaction: RedactionPolicy = RedactionPolicy()
    """What is replaced in its sessions: the file's word, or what was said instead."""
    calibration: Calibration | None = None
    """How the embedded judge estimates goal_completion; null: it does not."""
