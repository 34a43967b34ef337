"""The text of a suite file that fits the sessions a scan found."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from pytest_sessioneval.evaluation.covering import covering_globs
from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.evaluation.scanning import Scan
from pytest_sessioneval.reports.neutralise import one_line
from pytest_sessioneval.reports.wording import count_list, counted
from pytest_sessioneval.suites.expectations import check
from pytest_sessioneval.suites.model import Expectation, ExpectedCall, GateSettings
from pytest_sessioneval.transcripts.model import Transcript

__all__ = ["Example", "example_of", "suite_text"]

_WIDTH = 98
_AGENT_AXES = ("tool_usage_quality", "communication")
_SAMPLE_AXES = ("faithfulness",)
_LONGEST_NAME = 80
_RANDOM_ID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
_ESCAPED = re.compile(
    '["\\\\\x00-\x1f\x7f-\xa0\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f'
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Example:
    """What one session did and did not do: an expectation that it meets."""

    session: str
    """Its key."""
    called: str
    """A tool it called without an error."""
    not_called: str | None
    """A tool that others called and it did not; None: there is none."""


def example_of(sample: Sequence[tuple[str, Transcript]]) -> Example | None:
    """Return an expectation that one of the sessions meets; None: none of them called a tool.

    ``sample`` pairs keys with transcripts. The tool is the one that fewest of
    them called: what every session calls tells nothing about any of them.
    """
    called = [_tools_of(transcript) for _, transcript in sample]
    spread = Counter(tool for tools in called for tool in tools if _can_be_written(tool))
    rarest_first = sorted(spread, key=lambda tool: (spread[tool], tool))
    for tool in rarest_first:
        for (key, transcript), tools in zip(sample, called, strict=True):
            if tool in tools and _can_be_written(key) and _succeeded(tool, transcript):
                others = (other for other in rarest_first if other not in tools)
                return Example(session=key, called=tool, not_called=next(others, None))
    return None


def suite_text(scan: Scan, example: Example | None) -> str:
    """Return a ``sessioneval.toml`` for what was found; it loads as it stands.

    What changes nothing is written as comments: settings that are off have no
    space after the ``#`` and load when it is taken away (of several ``model``
    lines, one). There is no gate.
    """
    samples = _are_samples(scan)
    sections = [_head(scan), _suite(scan), _judge(samples=samples)]
    if not samples:  # nothing is expected of a single answer
        sections.append(_expect(example))
    sections += [_thresholds(samples=samples), _gate(scan)]
    return "\n\n".join("\n".join(section) for section in sections) + "\n"


def _are_samples(scan: Scan) -> bool:
    """Return whether all sessions are samples of retrieval-augmented answers."""
    return all(member.session.summary.source == "samples" for member in scan.members)


# -- sections ------------------------------------------------------------------------


def _head(scan: Scan) -> Iterator[str]:
    formats = Counter(member.session.summary.source for member in scan.members)
    yield from _prose(
        "How the sessions in this folder are judged. Written by `sessioneval init`, which found "
        f"{counted(len(scan.members), 'session')} ({count_list(formats)}) in "
        f"{counted(scan.sources.files_read, 'file')}."
    )
    yield from _prose(
        "A line that begins with # and no space is a setting that is off: take the # away to use "
        "it. Every key is explained in docs/suite-file.md of pytest-sessioneval; `sessioneval "
        "schema` prints the JSON Schema for editors."
    )


def _suite(scan: Scan) -> Iterator[str]:
    yield "[suite]"
    name = _SURROGATES.sub("\ufffd", scan.suite.name)
    yield f"name = {_string(name)}"
    if _are_samples(scan):
        yield from _prose(
            "Samples of answers that rest on retrieved contexts: scored by the metrics made for "
            "them (docs/rag.md), not by the axes of an agent's work."
        )
        yield 'rubric = "rag"'
    for part in (_sessions(scan), *(of(scan.members) for of in (_key, _cluster, _outcome))):
        lines = list(part)
        yield from ["", *lines] if lines else []


def _sessions(scan: Scan) -> Iterator[str]:
    others = scan.sources.not_sessions
    if not others:
        return
    unreadable = {path.relative_to(scan.suite.root).as_posix() for path, _ in scan.problems}
    sessions = {member.session.path for member in scan.members}
    globs = covering_globs(sessions | unreadable, others)
    yield from _prose(
        f"{counted(len(others), 'file')} here {'holds' if len(others) == 1 else 'hold'} no "
        "session, so those that do are named. Without this line every file that a reader "
        "recognises counts."
        if globs
        else f"{counted(len(others), 'file')} without a session will be counted and listed in "
        "every report. To look at fewer files, name those with sessions:"
    )
    listed = ", ".join(map(_string, globs or ("sessions/**/*.json",)))
    yield f"{'' if globs else '#'}sessions = [{listed}]"


def _key(members: Sequence[Member]) -> Iterator[str]:
    if any(member.session.key != member.id for member in members):
        yield from _prose(
            "A session's key, its name across runs, is its task id (with its trial, where there "
            "is one): they are unique here."
        )
        return
    names = _unique_names(members)
    yield from _prose(
        "A session's key, its name across runs, is its path"
        + (f"; unique here, too: {', '.join(names)}." if names else ".")
        + " Best is what stays the same when the sessions are recorded anew."
    )
    if names:
        yield f"#key = {_string(names[0])}"


def _cluster(members: Sequence[Member]) -> Iterator[str]:
    summaries = [member.session.summary for member in members]
    tasks = Counter(summary.task_id for summary in summaries if summary.task_id is not None)
    attempts = Counter((s.task_id, s.trial) for s in summaries if s.task_id is not None)
    if not any(count > 1 for count in tasks.values()):
        return
    yield from _prose(
        f"{counted(tasks.total(), 'session')} attempt {counted(len(tasks), 'task')}: they are "
        "grouped by task, with or without this line."
    )
    if tasks.total() == len(summaries):
        yield '#cluster = "task_id"'
    if any(count > 1 for count in attempts.values()):
        yield from _prose(
            "Some tasks and trials are there more than once. If they come from several benchmarks "
            "or agents, give each a folder with a suite file of its own."
        )


def _outcome(members: Sequence[Member]) -> Iterator[str]:
    outcomes = [member.session.summary.outcome for member in members]
    usable = [outcome for outcome in outcomes if outcome is not None and outcome.value is not None]
    if not usable:
        return
    kinds = ", ".join(sorted({one_line(outcome.kind, 40) for outcome in usable}))
    yield from _prose(
        f"{counted(len(usable), 'session')} {'records' if len(usable) == 1 else 'record'} an "
        f"outcome ({kinds}). It may score goal_completion, which the embedded judge cannot score "
        "by itself:"
    )
    yield "#use_outcome = true"


def _judge(*, samples: bool) -> Iterator[str]:
    yield "[judge]"
    does = (
        "It compares words, ids and calls, and knows no meaning."
        if samples
        else "It measures how the agent worked and checks what you expect; it does not know "
        "whether a task was solved."
    )
    yield from _prose(f"Embedded: no key, no network. {does}")
    yield 'model = "evidence"'
    yield ""
    yield from _prose(
        f"A model that reads the sessions, {'two' if samples else 'three'} calls for each, in "
        "place of the line above. Keys and addresses come from the environment (OPENAI_API_KEY, "
        "OPENAI_BASE_URL, ANTHROPIC_API_KEY, OLLAMA_HOST), never from this file."
    )
    yield '#model = "openai:gpt-5-mini"'
    yield '#model = "anthropic:MODEL"'
    yield '#model = "ollama:MODEL"'
    if samples:
        yield ""
        yield from _prose("What compares texts: three of the metrics need it beside a judge model.")
        yield '#embedding_model = "text-embedding-3-small"'


def _expect(example: Example | None) -> Iterator[str]:
    yield from _prose(
        "What must have happened, checked in code: goal_completion is scored from it. One table "
        "for each session you know; without `session`, for all of them. "
        + ("This one holds." if example else "")
    )
    yield "#[[expect]]"
    if example is None:
        yield r"#final_matches = '\S'"
        return
    yield f"#session = {_string(example.session)}"
    yield f"#must_call = [{_string(example.called)}]"
    if example.not_called is not None:
        yield f"#must_not_call = [{_string(example.not_called)}]"


def _thresholds(*, samples: bool) -> Iterator[str]:
    yield from _prose(
        "The lowest scores accepted, 0 to 100: first for every session, then for the suite's "
        "means. Judge once, look at the report, then set them; trying others costs nothing, as "
        "what was judged is kept. An axis must have scores to have a threshold."
    )
    first, *others = _SAMPLE_AXES if samples else _AGENT_AXES
    yield "#[thresholds.session]"
    yield f"#{first} = 50"
    yield ""
    yield "#[thresholds.mean]"
    yield from (f"#{axis} = 70" for axis in (first, *others))


def _gate(scan: Scan) -> Iterator[str]:
    least = GateSettings().min_pairs
    # sessions of one task are one observation to the gate
    clusters = {member.session.cluster or member.id for member in scan.members}
    what = "sessions" if len(clusters) == len(scan.members) else "tasks"
    yield from _prose(
        "Comparison with a baseline that you commit: no section, no gate. It takes "
        f"{least} {what} at least to pass (here: {len(clusters):,}). Write the baseline with "
        "--sessioneval-update-baseline; docs/gate.md explains the rest."
    )
    yield "#[gate]"
    yield '#baseline = "baseline.json"'
    axes = _SAMPLE_AXES if _are_samples(scan) else _AGENT_AXES
    yield f"#axes = [{', '.join(map(_string, axes))}]"
    yield ""
    yield "#[gate.margins]"
    yield "#default = 5"


# -- words ---------------------------------------------------------------------------


def _prose(text: str) -> list[str]:
    return textwrap.wrap(
        one_line(text),
        _WIDTH,
        initial_indent="# ",
        subsequent_indent="# ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _string(text: str) -> str:
    """Return the text as a TOML string in which nothing steers a terminal or reorders text."""
    return f'"{_ESCAPED.sub(_escape, text)}"'


def _escape(found: re.Match[str]) -> str:
    char = found.group()
    return f"\\{char}" if char in '"\\' else f"\\U{ord(char):08x}"


def _can_be_written(name: str) -> bool:
    return 0 < len(name.strip()) <= _LONGEST_NAME and not _SURROGATES.search(name)


def _unique_names(members: Sequence[Member]) -> list[str]:
    """Return what a suite could use as its key: recorded for every session, and never twice."""
    if len(members) < 2:  # noqa: PLR2004 - one session is unique in every way
        return []
    summaries = [member.session.summary for member in members]
    columns: dict[str, Collection[object]] = {
        "session_id": [summary.session_id for summary in summaries],
        "name": [summary.name for summary in summaries],
    }
    for name in sorted({name for summary in summaries for name in summary.metadata}):
        if re.fullmatch(r"\w+", name):
            columns[name] = [summary.metadata.get(name) for summary in summaries]
    return [name for name, values in columns.items() if _could_be_key(values)]


def _could_be_key(values: Collection[object]) -> bool:
    words = [str(value) for value in values if isinstance(value, str | int)]
    return (
        len(set(words)) == len(values)
        and all(_can_be_written(word) for word in words)
        and not any(isinstance(value, bool) for value in values)
        and not all(_RANDOM_ID.fullmatch(word) for word in words)
    )


def _tools_of(transcript: Transcript) -> frozenset[str]:
    parts = (transcript.messages, *(sub.messages for sub in transcript.subsessions))
    return frozenset(
        call.name
        for messages in parts
        for message in messages
        if message.role == "assistant"
        for call in message.tool_calls
    )


def _succeeded(tool: str, transcript: Transcript) -> bool:
    expectation = Expectation(must_call=(ExpectedCall(tool=tool),))
    return all(condition.held for condition in check(expectation, transcript))
