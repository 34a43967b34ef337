"""JSON Schemas (Draft 2020-12) of the files that users write, made from the models."""

from __future__ import annotations

from typing import Any

from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.suites.model import Rubric, SuiteFile

__all__ = ["rubric_schema", "suite_schema"]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def suite_schema() -> dict[str, Any]:
    """Return the JSON Schema of ``sessioneval.toml``."""
    return _schema(SuiteFile, "sessioneval.toml", "A suite of recorded agent sessions.")


def rubric_schema() -> dict[str, Any]:
    """Return the JSON Schema of a rubric file."""
    schema = _schema(Rubric, "rubric", "What is scored: axes with anchored levels, and a panel.")
    for option in schema["$defs"]["Axis"]["properties"]["levels"]["anyOf"]:
        if "patternProperties" in option:
            option["additionalProperties"] = False  # pydantic leaves other keys open
    return schema


def _schema(model: type[Frozen], title: str, description: str) -> dict[str, Any]:
    schema = model.model_json_schema(by_alias=True, mode="validation")
    return {"$schema": _DRAFT, **schema, "title": title, "description": description}
