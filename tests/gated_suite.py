"""A gated suite whose scores are written in its sessions, its judge, and what a run said of it."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_sessioneval import suites

__all__ = [
    "AXIS",
    "CONFTEST",
    "GATE",
    "NULLABLE",
    "STEADY",
    "GateCase",
    "GatedSuite",
    "Mark",
    "moved",
]

AXIS = "tool_usage_quality"
"""The gated axis."""
GATE = f'[gate]\naxes = ["{AXIS}"]\n'
"""The gate as it comes."""
STEADY: tuple[int, ...] = (80, 60) * 12
"""The scores of 24 sessions: mean 70."""
CONFTEST = '''
def marks(case):
    """Score every axis as the session's first message says: a number, null, or no answer."""
    said = case.transcript.messages[0].text.rpartition("mark ")[2]
    if said.startswith("down"):
        raise RuntimeError("the judge is down")
    scores = {axis.name: None if axis.nullable else 50 for axis in case.axes}
    mark = said.partition(",")[0]
    return scores if mark == "null" else {name: int(mark) for name in scores}

def other(case):
    """Score as the first does: another judge all the same."""
    return marks(case)

def pytest_sessioneval_judges():
    return {"marks": marks, "other": other}
'''
"""A conftest with a judge that gives the mark a session was written with, and its twin."""

Mark = int | str
"""What a session says of itself: its score, ``null`` or ``down``; ``80, again`` re-records it."""
NULLABLE = "self_extension"
"""An axis that ``null`` leaves without a score; the others then get 50."""


_BLESSED: dict[tuple[tuple[str, bytes], ...], bytes] = {}
"""The baselines written so far, by the sessions that they are of: each costs half a second."""


def moved(*by: int, start: Sequence[int] = STEADY) -> tuple[int, ...]:
    """Return the scores, each moved by the next of ``by``, over and over, within 0 to 100.

    Scores and moves take turns two by two, so that high and low ones move alike.
    """
    return tuple(mark + by[place // 2 % len(by)] for place, mark in enumerate(start))


@dataclass(frozen=True)
class GateCase:
    """The test case ``SUITE::gate`` as JUnit XML has it."""

    name: str
    failure: str | None
    """Its message; None: it passed."""
    properties: Mapping[str, str]


@dataclass(frozen=True)
class GatedSuite:
    """Writes a suite, one file a session, and reads what runs said of it."""

    root: Path
    place: str = "suite"
    """Its folder, below the root."""
    name: str = "orders"
    """What it is called."""

    @property
    def folder(self) -> Path:
        """The suite's folder."""
        return self.root / self.place

    @property
    def baseline(self) -> Path:
        """Its baseline file."""
        return self.folder / "baseline.json"

    def write(self, marks: Sequence[Mark] = STEADY, more: str = GATE, *, suite: str = "") -> None:
        """Write the suite anew with one session per mark: ``s00.json`` and so on."""
        (self.root / "conftest.py").write_text(CONFTEST, "utf-8")
        self.folder.mkdir(exist_ok=True)
        for old in self.folder.glob("s*.json"):
            old.unlink()
        for number, mark in enumerate(marks):
            self.session(f"s{number:02d}", mark)
        self.rules(more, suite=suite)

    def rules(self, more: str = GATE, *, suite: str = "") -> None:
        """Write the suite file: its ``[suite]``, and whatever sections follow."""
        text = f'[suite]\nname = "{self.name}"\nsessions = ["s*.json"]\n{suite}\n{more}'
        (self.folder / "sessioneval.toml").write_text(text, "utf-8")

    def session(self, name: str, mark: Mark, **facts: str) -> Path:
        """Write one session; another mark makes it another recording."""
        said = [
            {"role": "user", "content": f"Where is order {name}? mark {mark}"},
            {"role": "assistant", "content": "It was shipped on Monday."},
        ]
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps({**facts, "messages": said}), "utf-8")
        return path

    def bless(self, pytester: pytest.Pytester) -> None:
        """Write the baseline of the sessions as they are: judged the first time, then as it was."""
        paths = sorted(self.folder.glob("s*.json"))
        sessions = tuple((path.name, path.read_bytes()) for path in paths)
        if sessions not in _BLESSED:
            result = pytester.runpytest_inprocess("-q", "--sessioneval-update-baseline")
            assert pytest.ExitCode.OK == result.ret
            _BLESSED[sessions] = self.baseline.read_bytes()
        self.baseline.write_bytes(_BLESSED[sessions])

    def rubric(self) -> None:
        """Write ``rubric.toml``: the built-in rubric as version 2."""
        builtin = Path(suites.__file__).parent / "rubrics" / "agent.toml"
        text = builtin.read_text("utf-8").replace("version = 1", "version = 2")
        (self.folder / "rubric.toml").write_text(text, "utf-8")

    def junit(self, file: Path) -> GateCase | None:
        """Return the gate's test case in a JUnit file; None where it has none."""
        cases = [case for case in ET.parse(file).iter("testcase") if "gate" == case.get("name")]  # noqa: S314
        if not cases:
            return None
        (case,) = cases
        failure = case.find("failure")
        return GateCase(
            name=f"{case.get('classname')}::{case.get('name')}",
            failure=None if failure is None else (failure.text or ""),
            properties={
                str(found.get("name")): str(found.get("value")) for found in case.iter("property")
            },
        )
