"""How an evaluation goes about it, and what it is about to ask."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_sessioneval.judging.estimating import Estimate
from pytest_sessioneval.judging.models import ModelTable

__all__ = ["EvaluationSettings", "PlannedCalls"]


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
