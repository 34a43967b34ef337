"""What the OpenAPI description says beside the types: answers that every endpoint may give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from pytest_sessioneval.server.failures import Failure, FieldFailure

__all__ = ["EVERYWHERE", "Answers", "Described", "answer", "no_such"]

Answers = dict[int | str, dict[str, Any]]
"""Answers by status, as ``responses`` of a route."""


class Described(FastAPI):
    """An application whose description keeps the nulls of its examples."""

    surfaces: Sequence[APIRouter] = ()
    """The routers that are described."""

    def openapi(self) -> dict[str, Any]:
        """Return the description: the framework's, which leaves every null out, with them."""
        if self.openapi_schema is None:
            described = super().openapi()
            for route in (route for router in self.surfaces for route in router.routes):
                if isinstance(route, APIRoute) and route.path_format in described["paths"]:
                    _with_examples(described["paths"][route.path_format], route)
        return super().openapi()


def _with_examples(path: dict[str, Any], route: APIRoute) -> None:
    for method in route.methods or ():
        for status, given in route.responses.items():
            content = path[method.lower()]["responses"][str(status)].get("content", {})
            for media, one in given.get("content", {}).items():
                content[media] |= one


def answer(example: object) -> Answers:
    """Return the answer of an endpoint that did what it was asked, by an example."""
    return {200: {"content": {"application/json": {"example": example}}}}


def no_such(detail: str) -> Answers:
    """Return the answer 404, by an example of its ``detail``."""
    return _failure(404, "There is none of that id.", detail)


def _failure(status: int, description: str, detail: str) -> Answers:
    content = {"application/json": {"example": {"detail": detail}}}
    return {status: {"model": Failure, "description": description, "content": content}}


EVERYWHERE: Answers = (
    _failure(
        400,
        "It cannot be done as asked, or the Host header is not one of this server's.",
        "host not allowed: sessions.example.org; this server answers to 127.0.0.1, localhost: "
        "start it with --allow-host NAME where it has another name",
    )
    | _failure(401, "The token is missing or not the server's.", "a token is needed: …")
    | _failure(
        403,
        "A page of another site sent it.",
        "requests from pages of other sites are not accepted",
    )
    | _failure(408, "The body came too slowly.", "the body did not arrive within 30 seconds")
    | _failure(
        413, "The body is too large.", "the body is larger than 8,388,608 bytes, which is the most"
    )
    | _failure(
        415,
        "The body is of a type that is not accepted.",
        "content type 'text/plain' is not accepted: send 'Content-Type: application/json'",
    )
    | {
        422: {
            "model": FieldFailure,
            "description": "A field is not accepted; `loc` names it.",
        }
    }
    | _failure(
        500,
        "A mistake of the server's.",
        "internal error (ValueError): the server's output says more",
    )
    | _failure(
        503,
        "Too many requests at a time, or the store cannot be used now.",
        "64 requests are in progress, which is the most: ask again later",
    )
    | _failure(504, "It took too long.", "no answer within 300 seconds")
)
"""What may be answered whatever is asked."""
