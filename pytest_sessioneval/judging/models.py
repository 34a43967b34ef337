"""What is known of judge models: how much they can read and what they cost, as data.

The package's own table is ``models.toml``; a user's file of the same form comes
before it. A user's file is named by what was typed or by the environment, never
by a file of the repository under test: whoever could change a price could lift
a cap on costs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import Field

from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.suites.tomlfile import Problem, TomlFile, parse_toml, read_toml
from pytest_sessioneval.verdicts.model import CallCount

__all__ = [
    "DEFAULT_CONTEXT",
    "LARGEST_CONTEXT",
    "Model",
    "ModelTable",
    "Prices",
    "known_models",
    "read_models",
]

DEFAULT_CONTEXT = 128_000
"""Tokens a judge is taken to read at once where nothing says otherwise."""

LARGEST_CONTEXT = 200_000
"""Most tokens of a known model's context that are used unless a user asks for more.

Prompts beyond it cost several times as much per session, some of them at a
higher price, and models attend to the middle of them less.
"""

_MILLION = 1_000_000

Dollars = Annotated[float, Field(ge=0)]
"""US dollars per million tokens."""


class Prices(Frozen):
    """What a model costs, in US dollars per million tokens."""

    input: Dollars
    """A prompt token."""
    cached: Dollars | None = None
    """A prompt token read from a cache; default: as any."""
    cache_write: Dollars | None = None
    """A prompt token written to a cache; default: as any."""
    output: Dollars
    """A token of the reply, reasoning included."""
    as_of: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")] = ""
    """The day the prices were seen, ``YYYY-MM-DD``."""
    source: str = ""
    """Where."""

    def cost(self, spent: CallCount) -> float:
        """Return what calls cost in US dollars, by the tokens their responses reported."""
        cached, written = spent.cached_tokens, spent.cache_write_tokens
        plain = max(0, spent.input_tokens - cached - written)
        return (
            plain * self.input
            + cached * (self.input if self.cached is None else self.cached)
            + written * (self.input if self.cache_write is None else self.cache_write)
            + spent.output_tokens * self.output
        ) / _MILLION

    def at_most(self, input_tokens: int, output_tokens: int) -> float:
        """Return the most that one call can cost in US dollars: nothing read from a cache."""
        dearest = max(self.input, self.cache_write or 0)
        return (input_tokens * dearest + output_tokens * self.output) / _MILLION


FREE = Prices(input=0, output=0)
"""What judges cost that ask nobody."""


class Model(Frozen):
    """What is known of the judges whose name matches."""

    name: Annotated[str, Field(min_length=1)]
    """The judge as ``[judge]`` model names it; ``*`` stands for anything."""
    context_tokens: Annotated[int | None, Field(ge=2_000)] = None
    """Prompt and reply together; null: not known."""
    prices: Prices | None = None
    """Null: not known."""


class _File(Frozen):
    model: tuple[Model, ...] = ()


class ModelTable:
    """Looks judges up by name; the first row that knows the answer counts."""

    def __init__(self, rows: Iterable[Model]) -> None:
        self._rows = tuple(rows)

    def before(self, other: ModelTable) -> ModelTable:
        """Return both tables as one, this one's rows first."""
        return ModelTable((*self._rows, *other._rows))

    def prices(self, judge: str) -> Prices | None:
        """Return what the judge costs; None: not known. Judges that ask nobody are free."""
        if judge == "evidence" or judge.startswith("recorded:"):
            return FREE
        return next((row.prices for row in self._matching(judge) if row.prices is not None), None)

    def context_tokens(self, judge: str) -> int:
        """Return how many tokens the judge may be sent and answer together, by default."""
        known = (row.context_tokens for row in self._matching(judge))
        found = next((tokens for tokens in known if tokens is not None), DEFAULT_CONTEXT)
        return min(found, LARGEST_CONTEXT)

    def _matching(self, judge: str) -> Iterator[Model]:
        return (row for row in self._rows if fnmatchcase(judge, row.name))


@cache
def known_models() -> ModelTable:
    """Return the package's own table."""
    name = "models.toml"
    text = files("pytest_sessioneval.judging").joinpath(name).read_text("utf-8")
    return ModelTable(_rows(parse_toml(text, name=name)))


def read_models(path: Path) -> ModelTable:
    """Return a user's table; raises ``SuiteError`` naming file and line where it is none."""
    return ModelTable(_rows(read_toml(path, what="price table")))


def _rows(file: TomlFile) -> tuple[Model, ...]:
    rows = file.read_as(_File).model
    file.check(
        Problem(("model", index), f"{row.name}: neither context_tokens nor prices are given")
        for index, row in enumerate(rows)
        if row.context_tokens is None and row.prices is None
    )
    return rows
