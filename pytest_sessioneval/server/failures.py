"""Errors as answers: JSON with ``detail``, in the words of the error, without a traceback."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from pydantic.config import JsonDict
from starlette.exceptions import HTTPException

from pytest_sessioneval.errors import (
    SessionEvalError,
    StoreError,
    TranscriptError,
    UsageError,
)

__all__ = ["Failure", "FieldFailure", "RejectedField", "answer_failures"]


_NOT_FOUND = "session not found: task-99"
_REJECTED: JsonDict = {
    "loc": ["query", "limit"],
    "msg": "Input should be less than or equal to 500",
    "type": "less_than_equal",
}


class Failure(BaseModel):
    """What was wrong."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"detail": _NOT_FOUND}]})

    detail: str
    """In a sentence."""


class RejectedField(BaseModel):
    """A field that is not accepted."""

    loc: list[str | int]
    """Where: ``body``, ``query`` or ``path``, then the field."""
    msg: str
    """What is wrong with it."""
    type: str
    """The kind of mistake."""


class FieldFailure(BaseModel):
    """What was wrong with a request, field by field."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"detail": [_REJECTED]}]})

    detail: list[RejectedField]
    """One entry per field."""


_UNKNOWN: dict[int, str] = {
    HTTPStatus.NOT_FOUND: "there is no address {path}",
    HTTPStatus.METHOD_NOT_ALLOWED: "{method} is not accepted at {path}; accepted: {allowed}",
}
_STATUS: tuple[tuple[type[SessionEvalError], int], ...] = (
    (StoreError, 503),
    (TranscriptError, 422),
    (UsageError, 400),
    (SessionEvalError, 500),
)


def answer_failures(app: FastAPI) -> None:
    """Make the application answer every error of ours, and what pydantic rejects."""
    app.add_exception_handler(RequestValidationError, _rejected)
    app.add_exception_handler(SessionEvalError, _failed)
    app.add_exception_handler(HTTPException, _refused)


async def _rejected(_: Request, error: Exception) -> JSONResponse:
    """Name each field; what was sent is not repeated: it may be anything."""
    found = error.errors() if isinstance(error, RequestValidationError) else ()
    fields = [
        RejectedField(loc=list(one["loc"]), msg=_said(one), type=one["type"]) for one in found
    ]
    return JSONResponse(FieldFailure(detail=fields).model_dump(), status_code=422)


def _said(rejected: Mapping[str, Any]) -> str:
    """Return what is wrong; of a body that is no JSON also where."""
    if rejected["type"] != "json_invalid":
        return str(rejected["msg"])
    reason = rejected.get("ctx", {}).get("error", "")
    return f"no JSON: {reason} at character {rejected['loc'][-1]}"


async def _refused(request: Request, error: Exception) -> JSONResponse:
    """Say more than the framework does of an address or a method that there is not."""
    if not isinstance(error, HTTPException):
        raise error
    status, headers, detail = error.status_code, error.headers, error.detail
    if detail == HTTPStatus(status).phrase and status in _UNKNOWN:
        detail = _UNKNOWN[status].format(
            method=request.method,
            path=request.url.path[:200],
            allowed=(headers or {}).get("Allow", "another"),
        )
    return JSONResponse({"detail": detail}, status_code=status, headers=headers)


async def _failed(_: Request, error: Exception) -> JSONResponse:
    status = next(status for kind, status in _STATUS if isinstance(error, kind))
    return JSONResponse({"detail": str(error)}, status_code=status)
