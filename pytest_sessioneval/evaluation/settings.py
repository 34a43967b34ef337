"""How an evaluation goes about it, and what it is about to ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_sessioneval.errors import SettingError, SuiteError
from pytest_sessioneval.judging.allowance import Allowance, Slots
from pytest_sessioneval.judging.budget import CallBudget, CostBudget
from pytest_sessioneval.judging.estimating import Estimate
from pytest_sessioneval.judging.models import ModelTable, known_models, read_models

__all__ = [
    "CONTEXT_VARIABLE",
    "EMBEDDING_VARIABLE",
    "LEAST_CONTEXT",
    "PRICES_VARIABLE",
    "EvaluationSettings",
    "PlannedCalls",
    "allowance_of",
    "models_named",
    "settings_in",
    "typed_judge",
]

CONTEXT_VARIABLE = "SESSIONEVAL_CONTEXT_TOKENS"
EMBEDDING_VARIABLE = "SESSIONEVAL_EMBEDDING_MODEL"
PRICES_VARIABLE = "SESSIONEVAL_PRICES"
LEAST_CONTEXT = 2_000
_RECORDED = "recorded:"


@dataclass(frozen=True, slots=True)
class EvaluationSettings:
    """How an evaluation goes about it; only context and embedding model can move a score."""

    concurrency: int = 32
    """Most questions in flight."""
    lookahead: int | None = None
    """Most sessions started and not yet consumed; default: eight times the concurrency."""
    embedding_model: str | None = None
    """What compares texts for the metrics that need it; None: the suite's."""
    context_tokens: int | None = None
    """What a judge may be sent and answer together; None: as suite and model table say."""
    max_calls: int | None = None
    """Most requests to judges; None: without end."""
    max_cost_usd: float | None = None
    """Most US dollars to spend on judges; None: without end."""
    models: ModelTable | None = None
    """What judges cost and can read; None: the package's own table."""
    offline: bool = False
    """Ask nobody: what the store does not know is not scored."""
    for_baseline: bool = False
    """Ask each expert as often as a baseline wants it."""
    fresh: bool = False
    """Ask about everything again, whatever the store has; what is answered replaces it."""


@dataclass(frozen=True, slots=True)
class PlannedCalls:
    """What a run is about to ask, retries and repairs not counted."""

    sessions: int
    """Sessions of the plan."""
    unjudged: int
    """Those whose verdict is not in the store."""
    calls: int
    """Requests to judges outside of this process."""
    judges: tuple[str, ...]
    """Who will be asked."""
    embedded: bool
    """Every judge is the embedded one: nobody is asked."""
    at_most: bool = False
    """Early stopping may make them fewer."""
    canaries: int = 0
    """Frozen sessions that are judged again; their calls count, they do not."""
    estimate: Estimate | None = None
    """What that is likely to take; None: not estimated."""
    estimated_from: int = 0
    """Sessions whose requests were measured for it; the rest are taken to be like them."""
    unredacted: bool = False
    """Sessions go to them with their secrets."""


def allowance_of(settings: EvaluationSettings) -> Allowance:
    """Return what all that goes on at once may take together, by the settings' limits."""
    budget = CallBudget(settings.max_calls, CostBudget(settings.max_cost_usd))
    return Allowance(Slots(settings.concurrency), budget)


def typed_judge(judge: str, where: Path) -> str:
    """Return a judge that was typed or is in the environment, a recording by its full path.

    Its path is relative to ``where``, as that of any file that is typed; one
    that is not there is left to be looked for in the suite's folder.
    """
    path = where / judge.removeprefix(_RECORDED)
    return f"{_RECORDED}{path}" if judge.startswith(_RECORDED) and path.is_file() else judge


def settings_in(environ: Mapping[str, str]) -> EvaluationSettings:
    """Return what the environment says of judges; the rest is as by default.

    Raises ``SettingError`` where it names no such number or table.
    """
    tokens = environ.get(CONTEXT_VARIABLE, "").strip()
    if tokens and not (tokens.isascii() and tokens.isdigit() and int(tokens) >= LEAST_CONTEXT):
        raise SettingError(
            f"{CONTEXT_VARIABLE}: {tokens!r} is not accepted; "
            f"give a whole number from {LEAST_CONTEXT}"
        )
    prices = environ.get(PRICES_VARIABLE, "").strip()
    return EvaluationSettings(
        context_tokens=int(tokens) if tokens else None,
        embedding_model=environ.get(EMBEDDING_VARIABLE) or None,
        models=models_named(Path(prices), PRICES_VARIABLE) if prices else None,
    )


def models_named(path: Path, origin: str) -> ModelTable:
    """Return the table in a file, before the package's own.

    Raises ``SettingError``, naming ``origin``, where the file is no such table.
    """
    try:
        return read_models(path).before(known_models())
    except SuiteError as error:
        raise SettingError(f"{origin}: {error}; docs/cost.md shows such a table") from None
