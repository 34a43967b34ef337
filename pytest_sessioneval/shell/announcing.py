"""What a run says before the first call: how many, to whom, and a key nobody uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pytest_sessioneval.evaluation.settings import PlannedCalls
from pytest_sessioneval.reports.wording import counted

__all__ = ["announcement"]

_KEYS = {
    "OPENAI_API_KEY": "openai",
    "ANTHROPIC_API_KEY": "anthropic",
    "SESSIONEVAL_API_KEY": "openai",
}


def announcement(planned: PlannedCalls, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines to print before anything is asked; none where nothing needs saying."""
    if planned.calls:
        stored = planned.sessions - planned.unjudged
        judges = ", ".join(planned.judges)
        sessions, calls = counted(planned.unjudged, "session"), counted(planned.calls, "call")
        most = "at most " if planned.at_most else ""
        if planned.canaries:
            sessions += f" and {counted(planned.canaries, 'canary session')}"
        yield f"judging {most}{sessions}: {most}{calls} to {judges} ({stored:,} from store)"
        if planned.unredacted:
            yield f"--sessioneval-redact off: sessions go to {judges} as they are, secrets included"
    elif planned.embedded:
        for name, prefix in _KEYS.items():
            if environ.get(name):
                yield (
                    f"{name} is set, but the embedded judge asks no model; "
                    f"to ask one: --sessioneval-judge {prefix}:MODEL"
                )
                return
