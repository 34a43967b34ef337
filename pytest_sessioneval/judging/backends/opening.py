"""A judge from its name: the one place that knows every protocol."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_sessioneval import __version__
from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.judging.backends.parameters import Parameters, Value
from pytest_sessioneval.judging.budget import CostBudget
from pytest_sessioneval.judging.model import Backend, Embedder, Judge
from pytest_sessioneval.judging.models import ModelTable, known_models
from pytest_sessioneval.suites.calibration import Calibration
from pytest_sessioneval.suites.model import JudgeSettings

if TYPE_CHECKING:  # httpx costs 60 ms; the embedded judge does without
    import httpx

    from pytest_sessioneval.judging.backends.anthropic import AnthropicBackend
    from pytest_sessioneval.judging.backends.endpoints import Endpoint
    from pytest_sessioneval.judging.backends.http import Connections
    from pytest_sessioneval.judging.backends.ollama import OllamaBackend
    from pytest_sessioneval.judging.backends.openai import OpenAIBackend
    from pytest_sessioneval.judging.metering import MeteredBackend

    _Connect = Callable[[Endpoint, dict[str, str]], Connections]

__all__ = ["ACCEPTED", "MODELS", "names_model", "open_backend", "open_judge"]

ACCEPTED = "evidence, openai:MODEL, anthropic:MODEL, ollama:MODEL, hook:NAME or recorded:PATH"
"""The names of judges, as messages to people list them."""

MODELS = "openai:MODEL, anthropic:MODEL or ollama:MODEL"
"""The names of models behind a protocol of our own, as messages to people list them."""

_MODELS = ("openai", "anthropic", "ollama")


def open_judge(
    model: str,
    *,
    settings: JudgeSettings,
    environ: Mapping[str, str],
    timeout_s: float,
    connections: int,
    stop: threading.Event,
    base: Path | None = None,
    hooks: Mapping[str, object] | None = None,
    reserve: Callable[[], None] | None = None,
    transport: httpx.BaseTransport | None = None,
    calibration: Calibration | None = None,
    models: ModelTable | None = None,
    cost: CostBudget | None = None,
) -> Judge:
    """Return the judge that ``model`` names, such as ``evidence`` or ``openai:gpt-5-mini``.

    Addresses and keys come from ``environ`` alone (see ``endpoints``), where
    ``SESSIONEVAL_RECORD`` may also name a file to which replies are appended.
    At most ``connections`` requests are meant to be in flight, each for at most
    ``timeout_s`` seconds; ``reserve`` is called before every request and may
    raise to forbid it; once ``stop`` is set no request starts and no wait for a
    retry lasts. ``recorded:`` paths are relative to ``base``; ``hooks`` are the
    Python judges by name, ``calibration`` the embedded judge's. Nothing is asked
    yet: connections open on first use. ``models`` knows prices (default: the
    package's own table), ``cost`` caps what is spent. Raises ``SettingError``
    that says what to set or name instead, also where a cap is set and the price
    is not known, and ``SuiteError`` for a calibration of other measures.
    """
    _check_cost(model, cost, models)
    kind, _, name = model.partition(":")
    if model == "evidence":
        from pytest_sessioneval.judging.evidence_judge import EvidenceJudge  # noqa: PLC0415

        return EvidenceJudge(calibration)
    if kind in {"hook", "recorded", *_MODELS} and not name:
        raise SettingError(f"judge {model!r} names nothing after the colon; accepted: {ACCEPTED}")
    if kind == "hook":
        return _open_hook(name, hooks or {}, reserve)
    if kind == "recorded":
        return _open_recording((base or Path()) / name)
    if kind in _MODELS:
        budget = cost or CostBudget()
        connect = _connecting(
            connections=connections,
            timeout_s=timeout_s,
            stop=stop,
            reserve=reserve,
            transport=transport,
        )
        backend = _metered(model, settings, environ, connect, models=models, cost=budget)
        embedder: Embedder | None = None
        if settings.embedding_model:
            known = models or known_models()
            embedder = _embedder(settings.embedding_model, environ, known, budget, connect)
        return _prompted(backend, backend.parameters, environ, embedder)
    raise SettingError(f"{model!r} is no judge; accepted: {ACCEPTED}")


def names_model(model: str) -> bool:
    """Return whether the name is that of a model behind a protocol of our own."""
    kind, _, name = model.partition(":")
    return kind in _MODELS and bool(name)


def open_backend(
    model: str,
    *,
    settings: JudgeSettings,
    environ: Mapping[str, str],
    timeout_s: float,
    connections: int,
    stop: threading.Event,
    reserve: Callable[[], None] | None = None,
    transport: httpx.BaseTransport | None = None,
    models: ModelTable | None = None,
    cost: CostBudget | None = None,
) -> MeteredBackend:
    """Return what carries prompts to the model that ``model`` names, within its budgets.

    The arguments are those of ``open_judge``. Raises ``SettingError`` for
    anything but a model behind a protocol of our own.
    """
    _check_cost(model, cost, models)
    if not names_model(model):
        raise SettingError(f"{model!r} names no model to ask; accepted: {MODELS}")
    connect = _connecting(
        connections=connections,
        timeout_s=timeout_s,
        stop=stop,
        reserve=reserve,
        transport=transport,
    )
    return _metered(model, settings, environ, connect, models=models, cost=cost or CostBudget())


def _connecting(
    *,
    connections: int,
    timeout_s: float,
    stop: threading.Event,
    reserve: Callable[[], None] | None,
    transport: httpx.BaseTransport | None,
) -> _Connect:
    """Return what makes connections to an endpoint, with these headers."""
    from pytest_sessioneval.judging.backends.http import Connections  # noqa: PLC0415

    return partial(
        Connections,
        connections=connections,
        timeout_s=timeout_s,
        stop=stop,
        reserve=reserve,
        transport=transport,
    )


def _metered(
    model: str,
    settings: JudgeSettings,
    environ: Mapping[str, str],
    connect: _Connect,
    *,
    models: ModelTable | None,
    cost: CostBudget,
) -> MeteredBackend:
    from pytest_sessioneval.judging.backends.endpoints import endpoint  # noqa: PLC0415
    from pytest_sessioneval.judging.metering import MeteredBackend  # noqa: PLC0415

    kind, _, name = model.partition(":")
    found = endpoint(kind, environ)
    pool = connect(found, _headers(kind, found))
    backend = _backend(kind, name, pool, Parameters.of(settings), local=found.local)
    longest = backend.parameters.get("max_output_tokens")
    reply_tokens = longest if isinstance(longest, int) else None
    prices = (models or known_models()).prices(model)
    return MeteredBackend(
        backend, prices, cost, reply_tokens=reply_tokens, parameters=backend.parameters
    )


def _check_cost(model: str, cost: CostBudget | None, models: ModelTable | None) -> None:
    """Raise ``SettingError`` where a cap is set and the model's price is not known."""
    if cost is None or not cost.is_limited:
        return
    if (models or known_models()).prices(model) is None:
        raise SettingError(
            f"--sessioneval-max-cost: the price of {model} is not known; give it in a file of your "
            "own (--sessioneval-prices FILE, see docs/cost.md), or cap the calls "
            "(--sessioneval-max-calls)"
        )


def _backend(
    kind: str, model: str, connections: Connections, parameters: Parameters, *, local: bool
) -> OpenAIBackend | AnthropicBackend | OllamaBackend:
    from pytest_sessioneval.judging.backends.anthropic import AnthropicBackend  # noqa: PLC0415
    from pytest_sessioneval.judging.backends.ollama import OllamaBackend  # noqa: PLC0415
    from pytest_sessioneval.judging.backends.openai import OpenAIBackend  # noqa: PLC0415

    if kind == "anthropic":
        return AnthropicBackend(model, connections, parameters)
    if kind == "ollama":
        return OllamaBackend(model, connections, parameters)
    return OpenAIBackend(model, connections, parameters, local=local)


def _embedder(
    model: str,
    environ: Mapping[str, str],
    models: ModelTable,
    budget: CostBudget,
    connect: _Connect,
) -> Embedder:
    """Return what compares texts; raises ``SettingError`` as ``open_judge`` does."""
    from pytest_sessioneval.judging.backends.embeddings import EmbeddingBackend  # noqa: PLC0415
    from pytest_sessioneval.judging.backends.endpoints import embedding_endpoint  # noqa: PLC0415

    prices = models.prices(f"openai:{model}")
    if budget.is_limited and prices is None:
        raise SettingError(
            f"--sessioneval-max-cost: the price of embedding model {model} is not known; give it "
            f"as openai:{model} in a file of your own (--sessioneval-prices FILE, see "
            "docs/cost.md), or cap the calls (--sessioneval-max-calls)"
        )
    found = embedding_endpoint(environ)
    return EmbeddingBackend(model, connect(found, _headers("openai", found)), prices, budget)


def _prompted(
    backend: Backend,
    parameters: Mapping[str, Value],
    environ: Mapping[str, str],
    embedder: Embedder | None,
) -> Judge:
    from pytest_sessioneval.judging.backends.recorded import RECORD, ReplyRecorder  # noqa: PLC0415
    from pytest_sessioneval.judging.prompted import PromptedJudge  # noqa: PLC0415

    judge = PromptedJudge(backend, parameters=parameters, embedder=embedder)
    path = environ.get(RECORD, "").strip()
    if not path:
        return judge
    recorder = ReplyRecorder(Path(path), judge.identity, judge.name)
    return PromptedJudge(backend, parameters=parameters, listener=recorder, embedder=embedder)


def _open_recording(path: Path) -> Judge:
    from pytest_sessioneval.judging.backends.recorded import (  # noqa: PLC0415
        RecordedJudge,
        read_recording,
    )

    return RecordedJudge(path, read_recording(path))


def _open_hook(name: str, hooks: Mapping[str, object], reserve: Callable[[], None] | None) -> Judge:
    from pytest_sessioneval.judging.backends.hook import HookJudge  # noqa: PLC0415

    if name not in hooks:
        known = ", ".join(sorted(hooks)) or "none"
        raise SettingError(
            f"no Python judge is named {name!r}; there are: {known}. Return it from the "
            "pytest_sessioneval_judges hook in a conftest.py or plugin"
        )
    return HookJudge(name, hooks[name], reserve=reserve)


def _headers(kind: str, found: Endpoint) -> dict[str, str]:
    headers = {"user-agent": f"pytest-sessioneval/{__version__}"}
    if kind == "anthropic":
        from pytest_sessioneval.judging.backends.anthropic import VERSION  # noqa: PLC0415

        headers["anthropic-version"] = VERSION
        if found.key:
            headers["x-api-key"] = found.key
    elif found.key:
        headers["authorization"] = f"Bearer {found.key}"
    return headers
