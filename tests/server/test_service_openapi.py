"""The OpenAPI description: it has examples, and no request that it allows, or not, breaks us."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from jsonschema import Draft202012Validator
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks
from served import AUTHORIZED, TOKEN, asked, opened, record

from pytest_sessioneval.server.application import create_app
from pytest_sessioneval.server.service import Service

DESCRIBED = create_app(cast("Service", None), token=None).openapi()
OPERATIONS = [
    (path, method) for path, methods in DESCRIBED["paths"].items() for method in sorted(methods)
]
PASSED = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
MANY = os.environ.get("SESSIONEVAL_TEST_EXAMPLES") == "full"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    """Yield the application of a service with a session, on one store for all requests."""
    home = tmp_path_factory.mktemp("described")
    folder = record(home / "shop", asked("a"))
    with opened(f"sqlite:///{home}/.sessioneval/store.db", home, [folder]) as service:
        yield create_app(service, token=TOKEN, hosts=["testserver"])


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=str)
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_no_request_breaks_the_server(
    app: FastAPI, path: str, method: str, mode: GenerationMode
) -> None:
    """Whatever is sent, the answer is one that the description names, and never a 500."""
    schema = schemathesis.openapi.from_dict(app.openapi())
    schema.app = app

    @given(case=schema[path][method].as_strategy(generation_mode=mode))
    @settings(
        max_examples=200 if MANY else 10,
        derandomize=not MANY,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    def answered(case: schemathesis.Case[Any]) -> None:
        case.validate_response(case.call(headers=AUTHORIZED), checks=PASSED)

    try:
        answered()
    except Unsatisfiable:  # there is nothing that could be wrong with it
        assert mode == GenerationMode.NEGATIVE


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_request_and_answer_has_an_example_that_fits(path: str, method: str) -> None:
    """Of each content of a request, and of each answer, success or not."""
    operation = DESCRIBED["paths"][path][method]
    request = operation.get("requestBody", {}).get("content", {}).get("application/json")
    contents = [] if request is None else [request]
    for status, answer in operation["responses"].items():
        assert status.isdigit()
        contents += answer["content"].values()
    for content in contents:
        examples = _examples(content)
        assert examples
        for example in examples:
            _validator(content["schema"]).validate(example)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_endpoint_says_what_it_does(path: str, method: str) -> None:
    """In a sentence, with what each parameter is for."""
    operation = DESCRIBED["paths"][path][method]
    assert operation["description"]
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "query":
            assert parameter.get("description"), parameter["name"]


def test_every_surface_is_described() -> None:
    """The evaluation API and the scoring of samples, in one description."""
    assert {"/eval/sessions", "/eval/run", "/api/score"} <= set(DESCRIBED["paths"])


def _examples(content: dict[str, Any]) -> list[Any]:
    if "example" in content:
        return [content["example"]]
    named = [one["value"] for one in content.get("examples", {}).values()]
    return [*named, *_resolved(content["schema"]).get("examples", ())]


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: dict[str, Any] = DESCRIBED["components"]["schemas"][Path(reference).name]
    return found


def _validator(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": DESCRIBED["components"]})
