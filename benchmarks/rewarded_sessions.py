"""Sessions of benchmarks with their recorded rewards, and the calls that were expected of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_sessioneval.judging.process.results import writes
from pytest_sessioneval.judging.process.turns import hands_over
from pytest_sessioneval.transcripts.formats.tau2_bench import READER as TAU2_BENCH
from pytest_sessioneval.transcripts.formats.tau_bench import READER as TAU_BENCH
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.transcripts.registry import Registry

__all__ = ["Session", "canonical", "kinds_of", "made", "sessions_of"]

SUCCESS = 0.5
"""The least reward of a session that succeeded."""

Call = tuple[str, str]
"""A tool's name, and its arguments in one canonical text."""


@dataclass(frozen=True)
class Session:
    """A session with its outcome and what its benchmark expected."""

    transcript: Transcript
    success: bool | None
    kind: str
    expected: tuple[tuple[str, dict[str, Any], bool], ...] | None
    """State-changing calls: tool, arguments, whether the agent was to make it; None: unknown."""

    @property
    def task(self) -> str:
        """Return the task's id; tasks of one number are held out together."""
        return self.transcript.task_id or self.transcript.session_id


def sessions_of(folder: Path) -> list[Session]:
    """Return every session of the benchmark files below a folder."""
    registry = Registry([TAU_BENCH, TAU2_BENCH])
    found = []
    for path in sorted(folder.rglob("*.json")):
        if registry.owns(path):
            continue
        try:
            reading = registry.read(path)
        except Exception as error:  # noqa: BLE001 - other files, and one without a word in it
            print(f"<!-- left out: {path.relative_to(folder)}: {str(error)[-80:]} -->")
            continue
        expected = dict(_expected(json.loads(path.read_text("utf-8"))))
        for one in (session.transcript for session in reading.sessions):
            value = None if one.outcome is None else one.outcome.value
            found.append(
                Session(
                    transcript=one,
                    success=None if value is None else value >= SUCCESS,
                    kind=_kind(one, path),
                    expected=expected.get(
                        (one.task_id or "", one.trial), expected.get((one.task_id or "", None))
                    ),
                )
            )
    return found


def _kind(session: Transcript, path: Path) -> str:
    named = session.metadata.get("domain")
    known = (name for name in ("airline", "retail", "telecom") if name in path.name)
    return f"{session.source} {named or next(known, 'other')}"


def _expected(value: Any) -> Iterator[tuple[tuple[str, int | None], Any]]:
    """Yield the expected state-changing calls by task and trial (None: all trials)."""
    if isinstance(value, list):  # tau-bench
        for run in value:
            actions = run.get("info", {}).get("task", {}).get("actions")
            if actions is not None:
                calls = [(one["name"], one["kwargs"], True) for one in actions]
                yield (str(run["task_id"]), run.get("trial")), _changing(calls)
        return
    for task in value.get("tasks") or []:
        criteria = task.get("evaluation_criteria") or {}
        calls = [
            (one["name"], one["arguments"], one.get("requestor", "assistant") == "assistant")
            for one in criteria.get("actions") or []
        ]
        yield (str(task["id"]), None), _changing(calls)


def _changing(
    calls: Sequence[tuple[str, dict[str, Any], bool]],
) -> tuple[tuple[str, dict[str, Any], bool], ...]:
    return tuple(
        (name, args, by_agent) for name, args, by_agent in calls if _changes_state(name, args)
    )


def _changes_state(name: str, arguments: Any) -> bool:
    return writes(name, arguments) and not hands_over(name)


def made(session: Transcript) -> Counter[Call]:
    """Return the state-changing calls that worked, the simulated user's included."""
    found: Counter[Call] = Counter()
    for message in session.messages:
        for call in message.tool_calls:
            result = None if call.result is None else session.messages[call.result]
            failed = result is not None and (result.is_error or result.text.startswith("Error"))
            if not failed and _changes_state(call.name, call.arguments):
                found[call.name, canonical(call.arguments)] += 1
    return found


def canonical(arguments: Any) -> str:
    """Return arguments in one canonical text."""
    return json.dumps(arguments, sort_keys=True)


def kinds_of(sessions: Sequence[Session]) -> list[tuple[str, list[Session]]]:
    """Return the sessions by kind, then all of them."""
    kinds = list(dict.fromkeys(one.kind for one in sessions))
    parts = [(kind, [one for one in sessions if one.kind == kind]) for kind in kinds]
    return [*parts, ("all", list(sessions))]
