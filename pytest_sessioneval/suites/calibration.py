"""A calibration: how a user's own labels weigh the embedded judge's signals, as a file.

``sessioneval calibrate`` writes it, ``[judge] calibration`` names it, and the
embedded judge scores goal_completion by it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from pytest_sessioneval.errors import Place, SuiteError
from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.suites.tomlfile import read_text
from pytest_sessioneval.transcripts.strict_json import JsonError, parse_strict

__all__ = [
    "Calibration",
    "Estimate",
    "FeatureWeight",
    "KindOfTask",
    "kind_of",
    "read_calibration",
]

FORMAT = 1
_NAME = "logistic"
_DEPTH = 6
_MOST_DEVIATIONS = 3.0
"""A value farther from the labelled sessions' mean counts as being this far: nothing is known
of what lies beyond."""

Share = Annotated[float, Field(ge=0, le=1)]


class Estimate(Frozen):
    """A figure with its 95 % interval."""

    value: Share
    """The figure."""
    low: Share
    """The interval's lower end."""
    high: Share
    """The interval's upper end."""

    def __str__(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


class FeatureWeight(Frozen):
    """What one feature weighs."""

    name: str
    """The feature, as the embedded judge names it."""
    mean: float
    """Its mean over the labelled sessions."""
    scale: Annotated[float, Field(gt=0)]
    """Its standard deviation over them; 1 where it never varied."""
    weight: float
    """Log odds of success per standard deviation."""

    def contribution(self, value: float) -> float:
        """Return what a session's value adds to the log odds of its success."""
        deviations = (value - self.mean) / self.scale
        return self.weight * max(-_MOST_DEVIATIONS, min(_MOST_DEVIATIONS, deviations))


class KindOfTask(Frozen):
    """Labels of one kind of task."""

    name: str | None
    """The kind; null: sessions that name none."""
    labels: Annotated[int, Field(ge=1)]
    """Labelled sessions."""
    successes: Annotated[int, Field(ge=0)]
    """Those that succeeded."""


class Calibration(Frozen):
    """How the embedded judge estimates the probability that a session succeeded."""

    format: Literal[1] = 1
    """The file's format."""
    judge: Literal["evidence"] = "evidence"
    """Whose scores it is for: the embedded judge's."""
    measures: Annotated[int, Field(ge=1)]
    """Version of the embedded judge whose signals were fitted."""
    features: tuple[FeatureWeight, ...]
    """Every feature, in the embedded judge's order."""
    intercept: float
    """Log odds of success where every feature is at its mean."""
    ridge: Annotated[float, Field(gt=0)]
    """How strongly weights were held at zero."""
    labels: Annotated[int, Field(ge=1)]
    """Labelled sessions."""
    successes: Annotated[int, Field(ge=0)]
    """Those that succeeded."""
    tasks: Annotated[int, Field(ge=1)]
    """Different tasks among them."""
    auc: Estimate
    """AUC on sessions whose task was held out, among sessions of one kind of task."""
    kind_key: str | None = None
    """The metadata key that names a session's kind of task; null: kinds are not known."""
    kinds: tuple[KindOfTask, ...] = ()
    """The kinds that were labelled; empty: kinds are not known."""
    auc_new_kinds: Estimate | None = None
    """The same on kinds of task that were held out; null: fewer than two could be."""

    @property
    def version(self) -> str:
        """Return ``logistic@1#digest``: another for every other fit."""
        return f"{_NAME}@{FORMAT}#{hashlib.sha256(self.text().encode()).hexdigest()[:8]}"

    @property
    def holds_for_new_kinds(self) -> bool:
        """Whether it told success from failure on kinds of task it had not seen."""
        return self.auc_new_kinds is not None and self.auc_new_kinds.low > 0.5  # noqa: PLR2004

    def knows(self, kind: str | None) -> bool:
        """Return whether sessions of a kind of task may be estimated."""
        labelled = not self.kinds or any(known.name == kind for known in self.kinds)
        return labelled or self.holds_for_new_kinds

    def text(self) -> str:
        """Return the file's text: the same for equal values, a feature a line."""
        values = self.model_dump(mode="json")
        features = values.pop("features")
        head = json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False)
        head = head.removesuffix("\n}")
        rows = ",\n".join(f"    {json.dumps(row, allow_nan=False)}" for row in features)
        return f'{head},\n  "features": [\n{rows}\n  ]\n}}\n'

    def probability(self, values: Sequence[float]) -> float:
        """Return the estimated probability of success, 0–1; ``values``: one per feature."""
        odds = self.intercept + math.fsum(self.contributions(values))
        return 1 / (1 + math.exp(-odds)) if odds > 0 else math.exp(odds) / (1 + math.exp(odds))

    def contributions(self, values: Sequence[float]) -> list[float]:
        """Return what each feature adds to the log odds, in the features' order."""
        pairs = zip(self.features, values, strict=True)
        return [feature.contribution(value) for feature, value in pairs]


def kind_of(metadata: Mapping[str, object], key: str | None) -> str | None:
    """Return the kind of task that a session's metadata names; None: none is named."""
    value = None if key is None else metadata.get(key)
    return None if value is None else str(value)


def read_calibration(path: Path) -> Calibration:
    """Return a calibration file's contents; raises ``SuiteError`` naming the file and the fault."""
    place = Place(str(path))
    again = "write it again with `sessioneval calibrate`"
    text = read_text(path, what="calibration")
    try:
        value: Any = parse_strict(text, depth=_DEPTH)
    except JsonError as error:
        line = text.count("\n", 0, error.offset) + 1
        fault = f"the calibration is no JSON ({error.reason}); {again}"
        raise SuiteError(fault, place=Place(str(path), line)) from None
    found = value.get("format") if isinstance(value, dict) else None
    if type(found) is not int:
        raise SuiteError(f'no calibration: no whole number under "format"; {again}', place=place)
    if found > FORMAT:
        raise SuiteError(
            f"the calibration has format {found}, this version reads up to {FORMAT}; "
            "upgrade pytest-sessioneval",
            place=place,
        )
    try:
        return Calibration.model_validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SuiteError(f"no calibration: {where}: {first['msg']}; {again}", place=place) from None
