"""Sessions, written and real, in front of the embedded judge."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from pytest_sessioneval.errors import TranscriptError
from pytest_sessioneval.judging.evidence_judge import EvidenceJudge
from pytest_sessioneval.judging.model import Answer, Case
from pytest_sessioneval.judging.process.reading import Part, read
from pytest_sessioneval.suites.model import Expert
from pytest_sessioneval.suites.rubric import load_rubric
from pytest_sessioneval.transcripts.model import Message, ToolCall, Transcript
from pytest_sessioneval.transcripts.registry import Registry, builtin_readers
from pytest_sessioneval.verdicts.model import AxisOpinion, Scored, Unscored

RUBRIC = load_rubric("agent", base=Path())
EXPERT = Expert(id="evidence", instruction="", axes=RUBRIC.axis_names)
FOLDERS = ("tau-bench", "tau2-bench", "claude-code")


def case(transcript: Transcript, **fields: Any) -> Case:
    """Return the transcript as a case of the built-in rubric, asked what can apply to it."""
    axes = tuple(
        axis for axis in RUBRIC.axes if axis.applies_if == "always" or transcript.subsessions
    )
    given = {"rubric": RUBRIC, "expert": EXPERT, "axes": axes, **fields}
    return Case(session_id=transcript.session_id, transcript=transcript, **given)


def opinion(transcript: Transcript, axis: str, **fields: Any) -> AxisOpinion:
    """Return the judge's opinion on one axis."""
    return EvidenceJudge().judge(case(transcript, **fields)).axes[axis]


def scored(transcript: Transcript, axis: str, **fields: Any) -> Scored:
    """Return the score on one axis; fails where there is none."""
    found = opinion(transcript, axis, **fields)
    assert isinstance(found, Scored), found
    return found


def unscored(transcript: Transcript, axis: str, **fields: Any) -> Unscored:
    """Return why there is no score on one axis; fails where there is one."""
    found = opinion(transcript, axis, **fields)
    assert isinstance(found, Unscored), found
    return found


def main_part(transcript: Transcript) -> Part:
    """Return the main agent's part, read in full."""
    return read(transcript, 1_000_000).main


def calling(*calls: tuple[str, dict[str, Any]]) -> Message:
    """Return a message that makes calls without results."""
    made = tuple(ToolCall(name=name, arguments=arguments) for name, arguments in calls)
    return Message(index=0, role="assistant", tool_calls=made)


@cache
def real_sessions(data: Path, folder: str) -> tuple[Transcript, ...]:
    """Return every session of one folder of real transcripts, in the order of its files.

    What a reader refuses is left out: the readers' own tests say why it does.
    """
    registry = Registry(builtin_readers())
    found: list[Transcript] = []
    for path in sorted((data / folder).rglob("*.json*")):
        if path.name.endswith(".meta.json") or path.name == "metadata.json":
            continue
        if any(reader.owns(path) for reader in registry.readers):
            continue
        try:
            reading = registry.read(path)
        except TranscriptError:
            continue
        found += [session.transcript for session in reading.sessions]
    assert found, f"no session below {data / folder}"
    return tuple(found)


@cache
def real_answers(data: Path, folder: str) -> tuple[tuple[Transcript, Answer], ...]:
    """Return every session of one folder with the judge's answer."""
    judge = EvidenceJudge()
    return tuple((one, judge.judge(case(one))) for one in real_sessions(data, folder))
