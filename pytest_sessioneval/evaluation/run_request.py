"""What a run in the background is asked to do, field by field as the service takes it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints, ValidationInfo, field_validator

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.judging.panel import EMBEDDED

__all__ = ["RunRequest", "judge_named"]

_MODELS = ("openai", "anthropic", "ollama")
_ACCEPTED = f"{EMBEDDED}, {', '.join(_MODELS)}"

_Name = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class RunRequest(Frozen):
    """Which sessions to evaluate, and who judges. What else is sent is passed over."""

    model_config = ConfigDict(extra="ignore")

    scope: Literal["unevaluated", "session", "all"] = "unevaluated"
    """``unevaluated``: those that listings show as pending or stale. ``session``: one."""
    session_id: Annotated[str, StringConstraints(min_length=1)] | None = Field(
        default=None, validate_default=True
    )
    """The session of the scope ``session``."""
    since: datetime | None = None
    """Only sessions recorded at or after this time, and those without a time; UTC by default."""
    limit: Annotated[int, Field(strict=True, ge=1)] | None = None
    """At most this many, after ``since``."""
    model: _Name | None = None
    """The model that judges; default: the server's."""
    backend: _Name | None = None
    """What answers for the model: evidence, openai, anthropic or ollama; default: the server's."""

    @field_validator("session_id")
    @classmethod
    def _given(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("scope") == "session":
            raise ValueError("scope session needs the session_id of a session")
        return value

    @field_validator("since")
    @classmethod
    def _zoned(cls, value: datetime | None) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


def judge_named(request: RunRequest, default: str) -> str:
    """Return the judge that a request names, as suites name judges; ``default`` is the server's.

    A model alone is one of the default's backend. Judges that read a file of
    the server or run its code are the default or nothing: a caller chooses
    neither. Raises ``SettingError`` for a judge that cannot be.
    """
    backend, model = request.backend, request.model
    if (backend is None and model is None) or default in {model, f"{backend}:{model}"}:
        return default
    own = default.partition(":")[0]
    if backend is None:
        return _of_model(str(model), own)
    if backend == EMBEDDED:
        if model not in {None, EMBEDDED}:
            raise SettingError(f"backend {EMBEDDED} has no model {model!r}; leave the model out")
        return EMBEDDED
    if backend not in _MODELS:
        raise SettingError(f"{backend!r} is no backend; accepted: {_ACCEPTED}")
    if model is None and own != backend:
        raise SettingError(f"backend {backend} needs a model")
    if model is None:
        return default
    return model if model.startswith(f"{backend}:") else f"{backend}:{model}"


def _of_model(model: str, own: str) -> str:
    """Return the judge of a model alone; ``own`` is the server's backend."""
    if model == EMBEDDED or model.startswith(tuple(f"{kind}:" for kind in _MODELS)):
        return model
    if own not in _MODELS:
        raise SettingError(
            f"model {model!r} is no judge of this server; name its backend: {_ACCEPTED}"
        )
    return f"{own}:{model}"
