"""What pages read: a run's report and advice from the output folder, a session's transcript."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pytest_sessioneval.errors import SettingError, TranscriptError
from pytest_sessioneval.reports.json_file import read_report
from pytest_sessioneval.reports.model import Report
from pytest_sessioneval.reports.writing import RUN_ID
from pytest_sessioneval.server.pages.session_view import Recorded
from pytest_sessioneval.server.service import Service

__all__ = ["ADVICE", "Advice", "advice_of", "recorded_of", "report_of"]

ADVICE = ("advice.md", "optimization_advice.md")
"""The files that hold advice, in a run's folder."""

_REPORT_BYTES = 64 * 1024 * 1024
_ADVICE_CHARS = 200_000


@dataclass(frozen=True, slots=True)
class Advice:
    """A run's advice, as far as it is shown."""

    text: str
    cut: bool


def report_of(out: Path, run_id: str) -> Report | None:
    """Return what the run's report.json holds; None where there is none that can be read."""
    file = _file(out, run_id, "report.json")
    if file is None or file.stat().st_size > _REPORT_BYTES:
        return None
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
        return read_report(value, place=str(file), origin="the page")
    except (OSError, ValueError, RecursionError, SettingError):
        return None


def advice_of(out: Path, run_id: str) -> Advice | None:
    """Return the run's advice; None where there is none."""
    for name in ADVICE:
        file = _file(out, run_id, name)
        if file is not None:
            with file.open(encoding="utf-8", errors="replace") as text:
                found = text.read(_ADVICE_CHARS + 1)
            return Advice(found[:_ADVICE_CHARS], cut=len(found) > _ADVICE_CHARS)
    return None


def recorded_of(service: Service, session_id: str) -> Recorded:
    """Return a session's transcript, redacted as its suite says; where there is none, why."""
    found = service.sessions.find(session_id)
    if found is None:
        return Recorded(
            None,
            "",
            "The transcript is not here: no folder that this server serves holds the session, and "
            "nobody posted it. What the store keeps of it is shown. To read the transcript, start "
            "the server with its folder, or send it to POST /eval/sessions.",
        )
    served, member = found
    try:
        transcript = service.sessions.transcript(served, member)
    except TranscriptError as error:
        return Recorded(None, "", f"The transcript cannot be read any more: {error}")
    return Recorded(transcript, member.session.summary.digest)


def _file(out: Path, run_id: str, name: str) -> Path | None:
    """Return a file of the run's folder; None where the id names none, or it leads elsewhere."""
    if not RUN_ID.fullmatch(run_id):
        return None
    file = out / "runs" / run_id / name
    try:
        inside = file.resolve(strict=True).is_relative_to((out / "runs").resolve(strict=True))
    except (OSError, RuntimeError):
        return None
    return file if inside and file.is_file() else None
