"""What the tests of evaluations and of scanning begin with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from evaluation_cases import Bench
from scripted_judge import HeldJudge

from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.stores.sqlite import open_sqlite


@pytest.fixture
def judge() -> HeldJudge:
    """Return a judge that answers at once and counts."""
    return HeldJudge(held=False)


@pytest.fixture
def bench(tmp_path: Path, judge: HeldJudge) -> Bench:
    """Return a folder with nothing in it yet, and a store."""
    return Bench(tmp_path, judge)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Return an empty store beside the suite."""
    opened = open_sqlite(tmp_path / "store" / "store.db")
    yield opened
    opened.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return an empty suite folder."""
    folder = tmp_path / "suite"
    folder.mkdir()
    return folder
