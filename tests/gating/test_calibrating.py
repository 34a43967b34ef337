"""Labels found, sessions measured, fits accepted and refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from calibration_cases import sessions, write

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.evaluation.calibrating import Attempt, calibrate
from pytest_sessioneval.evaluation.labelling import (
    LabelledSession,
    kind_key_of,
    labels_given,
    labels_recorded,
    measured,
)
from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.evaluation.reading import TranscriptSource
from pytest_sessioneval.evaluation.scanning import scan
from pytest_sessioneval.judging.process.features import FEATURES
from pytest_sessioneval.suites.labels import HumanLabel
from pytest_sessioneval.suites.loading import default_suite
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.transcripts.registry import Registry, builtin_readers

REGISTRY = Registry(builtin_readers())


def members(folder: Path) -> Sequence[Member]:
    """Return the folder's sessions."""
    return scan(default_suite(folder), registry=REGISTRY, store=None).members


def measure(folder: Path, *, kind_key: str | None = "domain") -> list[LabelledSession]:
    """Return the folder's sessions as they are fitted to."""
    suite, found = default_suite(folder), members(folder)
    source = TranscriptSource(REGISTRY)
    return list(measured(suite, found, labels_recorded(found), source, kind_key=kind_key))


def attempt(folder: Path, made: list[Transcript], *, kind_key: str | None = "domain") -> Attempt:
    """Return what calibrating on the sessions comes to."""
    return calibrate(measure(write(folder, made), kind_key=kind_key), kind_key=kind_key)


@pytest.fixture(scope="module")
def telling(tmp_path_factory: pytest.TempPathFactory) -> Attempt:
    """Return what sessions come to of which nine of ten outcomes can be told."""
    return attempt(tmp_path_factory.mktemp("telling"), sessions(told=0.9))


def test_recorded_outcomes_are_labels(tmp_path: Path) -> None:
    """Sessions without one have none."""
    made = sessions(4)
    made[1] = made[1].model_copy(update={"outcome": None})
    found = labels_recorded(members(write(tmp_path, made)))
    assert {"task-0#0": 1.0, "task-1#0": 1.0, "task-1#1": 0.0} == found


def label(digest: str, score: float, **fields: Any) -> HumanLabel:
    """Return somebody's score of a transcript on goal_completion."""
    return HumanLabel(digest=digest, score=score, **{"axis": "goal_completion", **fields})


def test_people_are_averaged_and_other_axes_left_alone(tmp_path: Path) -> None:
    """By the digest of the transcript that they read."""
    first, second, *_ = members(write(tmp_path, sessions(4)))
    one, two = first.session.summary.digest, second.session.summary.digest
    found = labels_given(
        [
            label(one, 100, by="a"),
            label(one, 40, by="b"),
            label(two, 0),
            label(two, 100, axis="communication"),
        ],
        [first, second],
    )
    assert ({"task-0#0": 0.7, "task-0#1": 0.0}, {}, 0) == (
        found.values,
        found.left_out,
        found.elsewhere,
    )


def test_labels_of_sessions_chosen_by_their_end_are_left_out(tmp_path: Path) -> None:
    """Complaints are of failures; and what is not here as it was read is counted."""
    first, *_ = members(write(tmp_path, sessions(4)))
    digest = first.session.summary.digest
    sources = ("complaint", "diagnostic", "complaint")
    given = [label(digest, 0, source=source) for source in sources]
    found = labels_given([*given, label("0" * 64, 100)], [first])
    assert ({}, {"complaint": 2, "diagnostic": 1}, 1) == (
        found.values,
        found.left_out,
        found.elsewhere,
    )


def test_kinds_are_named_by_domain_where_there_is_one(tmp_path: Path) -> None:
    """Or by what the user says; a name that no session has is refused."""
    found = members(write(tmp_path, sessions(4)))
    plain = members(write(tmp_path / "plain", sessions(4, kinds=())))
    assert ["domain", None] == [kind_key_of(found, None), kind_key_of(plain, None)]
    with pytest.raises(SettingError, match=r"--kind team: .* they have domain"):
        kind_key_of(found, "team")


def test_sessions_are_measured_with_task_kind_and_every_feature(tmp_path: Path) -> None:
    """Attempts at one task share it."""
    found = measure(write(tmp_path, sessions(4)))
    assert ["task-0", "task-0", "task-1", "task-1"] == [one.task for one in found]
    assert ["airline", "airline", "retail", "retail"] == [one.kind for one in found]
    assert [True, False, True, False] == [one.success for one in found]
    assert {len(FEATURES)} == {len(one.values) for one in found}


def test_what_process_tells_is_found(telling: Attempt) -> None:
    """Nine of ten outcomes can be told: the fit holds, for new kinds as well."""
    assert telling.holds
    assert telling.calibration.holds_for_new_kinds
    assert (60, 30, 30) == (
        telling.calibration.labels,
        telling.calibration.successes,
        telling.calibration.tasks,
    )
    assert ["airline", "retail"] == [kind.name for kind in telling.calibration.kinds]
    weights = {one.name: one.weight for one in telling.calibration.features}
    assert weights["failures"] < 0 < weights["changes"]


def test_what_process_does_not_tell_is_refused(tmp_path: Path) -> None:
    """The interval includes one half."""
    assert not attempt(tmp_path, sessions(told=0.5)).holds


def test_without_kinds_nothing_is_said_of_new_ones(tmp_path: Path) -> None:
    """Nobody named any."""
    found = attempt(tmp_path, sessions(kinds=()), kind_key=None)
    assert (None, (), None) == (
        found.new_kinds,
        found.calibration.kinds,
        found.calibration.auc_new_kinds,
    )


def test_the_same_labels_give_the_same_calibration(telling: Attempt, tmp_path: Path) -> None:
    """To the last digit of its file."""
    again = attempt(tmp_path, sessions(told=0.9))
    assert telling.calibration.text() == again.calibration.text()


def _some(count: int, successes: int, tasks: int) -> list[LabelledSession]:
    return [
        LabelledSession(number < successes, f"task-{number % tasks}", None, (0.0,) * len(FEATURES))
        for number in range(count)
    ]


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (_some(39, 20, 20), "39 labelled sessions, and a calibration needs at least 40"),
        (_some(40, 7, 20), "7 labelled successes, and a calibration needs at least 8"),
        (_some(40, 33, 20), "7 labelled failures, and a calibration needs at least 8"),
        (_some(40, 20, 9), "9 labelled tasks, and a calibration needs at least 10"),
        ([], "0 labelled sessions"),
    ],
)
def test_too_few_labels_are_refused(made: list[LabelledSession], reason: str) -> None:
    """Sessions, of either outcome, of different tasks."""
    with pytest.raises(SettingError, match=reason):
        calibrate(made, kind_key=None)


def test_kinds_of_one_outcome_each_are_refused() -> None:
    """Nothing of one kind can be compared."""
    made = [replace(one, kind=str(one.success)) for one in _some(40, 20, 20)]
    with pytest.raises(SettingError, match="no kind of task has both successes and failures"):
        calibrate(made, kind_key="domain")
