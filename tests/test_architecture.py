"""Layers import downwards only, rooms keep their libraries, and an idle plugin loads nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import pytest_sessioneval

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
HEAVY = (
    "pandas",
    "httpx",
    "pydantic",
    "scipy",
    "jinja2",
    "tenacity",
    "sqlite3",
    "psycopg",
    "click",
    "fastapi",
)


def room_of(module: Path) -> str:
    """Return the room a module lies in; the package's ``__init__`` lies in none."""
    first = module.relative_to(PACKAGE).parts[0]
    return "" if first == "__init__.py" else first.removesuffix(".py")


def imports_of(module: Path) -> Iterator[tuple[str, int]]:
    """Yield (imported module, line), those inside functions and TYPE_CHECKING included."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: relative import"
            yield node.module or "", node.lineno


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


@pytest.mark.parametrize("module", [NAME, f"{NAME}.plugin", f"{NAME}.shell.meeting"])
def test_importing_the_plugin_loads_nothing_heavy(module: str) -> None:
    """A fresh interpreter that imports what every pytest start imports stays light."""
    code = f"import sys, {module}; print([n for n in {HEAVY!r} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def _only_for_types(module: Path, line: int) -> bool:
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            return node.lineno <= line <= (node.end_lineno or line)
    return False
