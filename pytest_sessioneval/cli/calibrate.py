"""Fits the embedded judge to a suite's labels, says what came of it, and writes it if it holds."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_sessioneval.errors import SettingError, SuiteError
from pytest_sessioneval.evaluation.calibrating import Attempt, calibrate
from pytest_sessioneval.evaluation.labelling import (
    GivenLabels,
    kind_key_of,
    labels_given,
    labels_recorded,
    measured,
)
from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.evaluation.reading import TranscriptSource
from pytest_sessioneval.evaluation.scanning import Scan, scan
from pytest_sessioneval.evaluation.walking import passed_over
from pytest_sessioneval.reports.neutralise import one_line
from pytest_sessioneval.reports.wording import counted
from pytest_sessioneval.reports.writing import replace_file
from pytest_sessioneval.suites.calibration import Calibration, Estimate
from pytest_sessioneval.suites.discovery import find_suite_file
from pytest_sessioneval.suites.labels import HumanLabel, LabelQueue, read_labels
from pytest_sessioneval.suites.loading import default_suite, load_suite
from pytest_sessioneval.transcripts.registry import Registry, builtin_readers

__all__ = ["CalibrationResult", "calibrate_suite"]

_FILE = "calibration.json"
_MOST_WEIGHTS = 4
_LEAST_WEIGHT = 0.05


@dataclass(frozen=True, slots=True)
class CalibrationResult:
    """What came of it, in words, and whether a file was written."""

    lines: tuple[str, ...]
    written: bool


def calibrate_suite(
    path: str, *, labels: Sequence[str], kind: str | None, write: str | None, force: bool
) -> CalibrationResult:
    """Fit, and write the calibration when it tells success from failure on tasks held out.

    Raises ``SettingError`` and ``SuiteError`` where it cannot be tried: no folder,
    labels that cannot be read, too few of them, a file that is there already.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise SettingError(f"{path} is no folder; name the folder of a suite")
    is_suite = find_suite_file(folder) is not None
    suite = load_suite(folder, calibrated=False) if is_suite else default_suite(folder)
    named = suite.settings.judge.calibration or _FILE
    file = Path(write) if write is not None else folder / named
    if os.path.lexists(file) and not force:
        raise SettingError(
            f"{file} is there already; replace it with --force, which changes the judge's "
            "version and makes baselines not comparable, or name another file with --write"
        )
    registry = Registry(builtin_readers())
    found = scan(suite, registry=registry, store=None, ignored=passed_over)
    given = _given(labels, found.members) if labels else None
    values = labels_recorded(found.members) if given is None else given.values
    key = kind_key_of(found.members, kind)
    source = TranscriptSource(registry)
    sessions = list(measured(suite, found.members, values, source, kind_key=key))
    attempt = calibrate(sessions, kind_key=key)
    said = [*_labels_said(path, found, attempt.calibration, given), *_figures(attempt)]
    if not attempt.holds:
        said.append(_refusal(attempt))
        return CalibrationResult(tuple(said), written=False)
    _write(file, attempt.calibration)
    said += _weights(attempt.calibration)
    said += _next_steps(file, folder, in_use=suite.settings.judge.calibration)
    return CalibrationResult(tuple(said), written=True)


def _given(files: Sequence[str], members: Sequence[Member]) -> GivenLabels:
    labels: list[HumanLabel] = []
    queues: list[LabelQueue] = []
    for file in files:
        held = read_labels(Path(file), queues)
        labels += held.labels
        queues += held.queues
    return labels_given(labels, members)


def _labels_said(
    path: str, found: Scan, made: Calibration, given: GivenLabels | None
) -> Iterator[str]:
    source, least = ("recorded outcomes", "0.5") if given is None else ("people's labels", "50")
    yield (
        f"{one_line(path)}: {counted(made.labels, 'labelled session')} of "
        f"{counted(made.tasks, 'task')}, {made.successes:,} succeeded ({source}; {least} and "
        "more is success)"
    )
    unlabelled = len(found.members) - made.labels
    if unlabelled:
        yield f"  {counted(unlabelled, 'session')} without a label: not used"
    if found.problems:
        yield f"  {counted(len(found.problems), 'file')} cannot be read: not used"
    if given is not None:
        for why, count in given.left_out.items():
            yield f"  {counted(count, f'{why} label')}: not used, chosen by how a session ended"
        if given.elsewhere:
            yield (
                f"  {counted(given.elsewhere, 'label')} of transcripts that are not here as they "
                "were read: not used"
            )
    if made.kind_key is not None:
        kinds = ", ".join(
            f"{one_line(kind.name or '(none)')} {kind.labels:,} ({kind.successes:,} succeeded)"
            for kind in made.kinds
        )
        yield f"  {one_line(made.kind_key)}: {kinds}"


def _figures(attempt: Attempt) -> Iterator[str]:
    made = attempt.calibration
    yield f"tasks held out: AUC {made.auc} (0.5 is a coin)"
    if made.auc_new_kinds is not None:
        says = (
            "sessions of other kinds will be estimated, too"
            if made.holds_for_new_kinds
            else "sessions of other kinds will not be estimated"
        )
        yield f"kinds held out: AUC {made.auc_new_kinds}: {says}"
    yield (
        f"Brier score {attempt.held_out.brier:.3f} on tasks held out; always saying the share "
        f"of successes: {attempt.held_out.brier_of_base_rate:.3f}"
    )


def _refusal(attempt: Attempt) -> str:
    auc: Estimate = attempt.calibration.auc
    return (
        f"nothing was written: the interval of the AUC, [{auc.low:.2f}, {auc.high:.2f}], does not "
        "lie above 0.5, so these labels do not show that process tells success from failure "
        "here; label more sessions, write [[expect]] entries, or ask a judge model"
    )


def _weights(made: Calibration) -> Iterator[str]:
    heaviest = sorted(made.features, key=lambda feature: -abs(feature.weight))[:_MOST_WEIGHTS]
    named = ", ".join(
        f"{feature.name} {feature.weight:+.2f}"
        for feature in heaviest
        if abs(feature.weight) >= _LEAST_WEIGHT
    )
    if named:
        yield f"what weighs most (log odds per standard deviation): {named}"


def _write(file: Path, made: Calibration) -> None:
    try:
        replace_file(file, [made.text()])
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SuiteError(f"{file}: cannot be written: {reason}; nothing was changed") from None


def _next_steps(file: Path, folder: Path, *, in_use: str | None) -> Iterator[str]:
    yield f"wrote {one_line(str(file))}"
    relative = os.path.relpath(file, folder)
    if in_use is not None and os.path.normpath(in_use) == relative:
        yield "the suite uses it: a baseline made before is not comparable any more"
    elif relative.startswith(".."):
        yield f"to use it, move it into {one_line(str(folder))}: a suite's files lie inside it"
    else:
        text = one_line(relative.replace(os.sep, "/"))
        yield f'to use it: calibration = "{text}" under [judge] in sessioneval.toml'
