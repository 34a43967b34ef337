"""Layers import downwards only, rooms keep their libraries, and every value says what it holds."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from pydantic.json_schema import models_json_schema

import pytest_sessioneval
from pytest_sessioneval.frozen import Frozen

PACKAGE = Path(pytest_sessioneval.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
NAME = "pytest_sessioneval"

# A room may import itself and the rooms named here: what stands left of it in
# docs/architecture.md. judging, stores and gate do not know each other.
GROUND = {"errors", "frozen", "garbage", ""}
TRANSCRIPTS = GROUND | {"transcripts"}
SUITES = TRANSCRIPTS | {"suites"}
VERDICTS = SUITES | {"verdicts"}
REPORTS = VERDICTS | {"judging", "stores", "gate", "reports"}
EVALUATION = REPORTS | {"evaluation"}
MAY_IMPORT = {
    "errors": set(),
    "frozen": set(),
    "garbage": set(),
    "transcripts": TRANSCRIPTS,
    "suites": SUITES,
    "verdicts": VERDICTS,
    "judging": VERDICTS | {"judging"},
    "stores": VERDICTS | {"stores"},
    "gate": VERDICTS | {"gate"},
    "reports": REPORTS,
    "evaluation": EVALUATION,
    "shell": EVALUATION | {"shell"},
    "plugin": EVALUATION | {"shell"},
    "server": EVALUATION | {"server"},
    "cli": EVALUATION | {"server", "cli"},
    "testing": EVALUATION | {"testing"},
}
ROOMS_OF_LIBRARY = {
    "pytest": {"shell", "plugin", "testing"},
    "httpx": {"judging/backends"},
    "pandas": {"reports"},
    "sqlite3": {"stores"},
    "psycopg": {"stores"},
    "scipy": {"gate"},
    "click": {"cli"},
    "fastapi": {"server"},
    "starlette": {"server"},
    "uvicorn": {"server"},
    "jinja2": {"server"},
    "markupsafe": {"server"},
    "markdown_it": {"server"},
}


def room_of(module: Path) -> str:
    """Return the room a module lies in; the package's ``__init__`` lies in none."""
    first = module.relative_to(PACKAGE).parts[0]
    return "" if first == "__init__.py" else first.removesuffix(".py")


@cache
def imports_of(module: Path) -> list[tuple[str, int]]:
    """Return (imported module, line), those inside functions and TYPE_CHECKING included."""
    found: list[tuple[str, int]] = []
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: relative import"
            found.append((node.module or "", node.lineno))
    return found


def _tree(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"))


@pytest.mark.parametrize("module", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_imports_only_lower_layers(module: Path) -> None:
    """Every import of our own points to the same room or to a lower one."""
    allowed = MAY_IMPORT.get(room_of(module), GROUND)
    for name, line in imports_of(module):
        if name == NAME or name.startswith(f"{NAME}."):
            parts = name.split(".")
            room = parts[1] if len(parts) > 1 else ""
            assert room in allowed | {""}, f"{module}:{line} imports {name}"


@pytest.mark.parametrize("module", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_library_is_imported_in_its_own_room_only(module: Path) -> None:
    """Outside of its room nobody knows pytest, httpx, pandas or the database."""
    place = str(module.relative_to(PACKAGE))
    for name, line in imports_of(module):
        rooms = ROOMS_OF_LIBRARY.get(name.split(".")[0])
        if rooms is not None:
            inside = any(place == f"{room}.py" or place.startswith(f"{room}/") for room in rooms)
            assert inside or _only_for_types(module, line), f"{module}:{line} imports {name}"


def test_every_room_is_known_here() -> None:
    """A new room must be given its place among the layers."""
    assert {room_of(module) for module in MODULES} - {""} <= set(MAY_IMPORT)


def _only_for_types(module: Path, line: int) -> bool:
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            return node.lineno <= line <= (node.end_lineno or line)
    return False


def _models() -> Iterator[type[Frozen]]:
    """Yield every public value of the package."""
    prefix = f"{pytest_sessioneval.__name__}."
    for module in pkgutil.walk_packages(pytest_sessioneval.__path__, prefix):
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError as error:  # an extra that is not installed here
            if str(error.name).startswith(pytest_sessioneval.__name__):
                raise
    waiting = list(Frozen.__subclasses__())
    while waiting:
        model = waiting.pop()
        waiting += model.__subclasses__()
        if model.__module__.startswith(prefix) and not model.__name__.startswith("_"):
            yield model


def test_every_field_of_every_value_is_described() -> None:
    """No field of the package lacks its line."""
    models = list(_models())
    _, schema = models_json_schema([(model, "validation") for model in models])
    properties = {
        name: model["properties"]
        for name, model in schema["$defs"].items()
        if "properties" in model
    }
    assert sum(bool(model.model_fields) for model in models) <= len(properties)
    bare = [
        f"{model}.{name}"
        for model, fields in properties.items()
        for name, field in fields.items()
        if not field.get("description")
    ]
    assert [] == bare
