"""Shortcuts people expect: fail under a mean, fail on a drop of the mean. Blunt, and saying so.

They compare bare means. They do not ask whether chance explains a difference,
which is what ``[gate]`` is for, but they are held to its rule that nothing turns
green by accident: a session that was not judged, a lost session or a missing
baseline makes a shortcut fail.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Sequence

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.gate.decision import mismatches
from pytest_sessioneval.gate.figures import count, listed, signed
from pytest_sessioneval.gate.model import AxisScore, Baseline, Candidate, NoScore
from pytest_sessioneval.gate.pairing import (
    UNJUDGED,
    AxisPairs,
    Pair,
    Pairing,
    axis_pairs,
    pair_sessions,
)
from pytest_sessioneval.suites.thresholds import ROUNDING
from pytest_sessioneval.verdicts.model import UnscoredReason

__all__ = [
    "BLUNT",
    "FailDrop",
    "FailUnder",
    "ShortcutResult",
    "check_shortcuts",
    "drop_results",
    "parse_fail_drop",
    "parse_fail_under",
    "shortcut_lines",
    "under_results",
]

BLUNT = (
    "These compare bare means: chance alone can make them fail, and a true drop of the size "
    "named gets through about half of the time. A [gate] asks what chance explains."
)
"""What stands beneath the lines of every shortcut."""

_HIGHEST = 100
_AXIS = re.compile(r"[a-z][a-z0-9_]*")
_NUMBER = re.compile(r"[0-9]{1,3}(\.[0-9]+)?")
_NOT_VOUCHED: frozenset[UnscoredReason] = UNJUDGED | {"unverified", "tampered"}


class FailUnder(Frozen):
    """``axis:70``: the run fails when the axis's mean is lower."""

    axis: str
    """The axis."""
    least: float
    """The lowest mean that is accepted, 0–100."""
    text: str
    """As it was typed."""


class FailDrop(Frozen):
    """``axis:5`` or ``axis:3%``: the run fails when the axis's mean fell by more."""

    axis: str
    """The axis."""
    most: float
    """The largest drop that is accepted, 0–100."""
    relative: bool
    """Whether it is a percentage of the baseline's mean; else it is points."""
    text: str
    """As it was typed."""


class ShortcutResult(Frozen):
    """What one shortcut says of one suite."""

    option: str
    """``fail-under goal_completion:70``: the shortcut as it was typed, without dashes."""
    axis: str
    """The axis."""
    held: bool
    """Whether it held; else the run fails."""
    found: str
    """What was found, in words with the numbers it rests on."""


def parse_fail_under(text: str, *, option: str = "--sessioneval-fail-under") -> FailUnder:
    """Return the check that ``axis:70`` asks for; raises ``SettingError`` naming the option."""
    axis, number, relative = _parts(text)
    if axis is None or number is None or relative:
        raise SettingError(
            f"{option}: {text!r} is not accepted; give an axis and the lowest mean, 0 to 100, "
            "such as goal_completion:70"
        )
    return FailUnder(axis=axis, least=number, text=text)


def parse_fail_drop(text: str, *, option: str = "--sessioneval-fail-drop") -> FailDrop:
    """Return the check that ``axis:5`` or ``axis:3%`` asks for; raises ``SettingError``."""
    axis, number, relative = _parts(text)
    if axis is None or number is None:
        raise SettingError(
            f"{option}: {text!r} is not accepted; give an axis and the largest drop of its mean, "
            "in points such as goal_completion:5, or in per cent such as goal_completion:3%"
        )
    return FailDrop(axis=axis, most=number, relative=relative, text=text)


def check_shortcuts(
    under: Sequence[FailUnder], drop: Sequence[FailDrop], axes: Iterable[str]
) -> None:
    """Raise ``SettingError`` when a check names an axis that none of the suites has."""
    known = tuple(dict.fromkeys(axes))
    for option, checks in (("--sessioneval-fail-under", under), ("--sessioneval-fail-drop", drop)):
        for check in checks:
            if check.axis not in known:
                close = difflib.get_close_matches(check.axis, known, n=1)
                meant = f" (did you mean {close[0]!r}?)" if close else ""
                found = f"there are {', '.join(known)}" if known else "no suite was collected"
                raise SettingError(
                    f"{option} {check.text}: no suite has an axis {check.axis!r}{meant}; {found}"
                )


def under_results(checks: Sequence[FailUnder], run: Candidate) -> tuple[ShortcutResult, ...]:
    """Return what each check says of a run's means; none of a run without a session.

    The mean is over the sessions that have a score. One that nobody judged, or
    whose judgement does not hold, makes the check fail: survivors are not the
    suite. An axis that the suite does not have is passed over.
    """
    return tuple(_under(check, run) for check in checks if run.sessions and check.axis in run.axes)


def drop_results(
    checks: Sequence[FailDrop], run: Candidate, baseline: Baseline | None
) -> tuple[ShortcutResult, ...]:
    """Return what each check says of a run's means against the baseline's; null: there is none.

    Both means are over the sessions scored on both sides. Where they cannot be
    compared, and where a session is lost or not judged, the check fails. Of a
    run without a session, and of an axis that the suite does not have, nothing
    is said.
    """
    return tuple(
        _drop(check, run, baseline) for check in checks if run.sessions and check.axis in run.axes
    )


def shortcut_lines(results: Sequence[ShortcutResult]) -> tuple[str, ...]:
    """Return one line per result and, beneath them, that they are blunt; empty without any."""
    lines = [
        f"{result.option} · {result.found} · {'held' if result.held else 'FAILED'}"
        for result in results
    ]
    return (*lines, BLUNT) if lines else ()


def _parts(text: str) -> tuple[str | None, float | None, bool]:
    """Return axis, number and whether a % follows it; null for what is none."""
    axis, _, limit = text.strip().partition(":")
    relative = limit.endswith("%")
    number = limit.removesuffix("%").strip()
    found = float(number) if _NUMBER.fullmatch(number) else math.inf
    return (
        axis if _AXIS.fullmatch(axis) else None,
        found if found <= _HIGHEST else None,
        relative,
    )


def _under(check: FailUnder, run: Candidate) -> ShortcutResult:
    points = {session.key: session.axes.get(check.axis) for session in run.sessions}
    scores = [point.score for point in points.values() if isinstance(point, AxisScore)]
    missing = [
        key
        for key, point in points.items()
        if point is None or (isinstance(point, NoScore) and point.unscored in _NOT_VOUCHED)
    ]
    held = False
    if missing:
        found = f"{len(missing)} of {count(len(points), 'session')} not judged ({listed(missing)})"
    elif not scores:
        found = f"none of {count(len(points), 'session')} has a score"
    else:
        mean = math.fsum(scores) / len(scores)
        held = mean >= check.least - ROUNDING
        found = f"mean {_told(mean, check.least)} of {count(len(scores), 'session')}"
    return ShortcutResult(
        option=f"fail-under {check.text}", axis=check.axis, held=held, found=found
    )


def _drop(check: FailDrop, run: Candidate, baseline: Baseline | None) -> ShortcutResult:
    held, found = False, "there is no baseline to compare with"
    if baseline is not None:
        pairing = pair_sessions(baseline.sessions, run.sessions, left_out=run.left_out)
        new = set(pairing.added)
        added = [session for session in run.sessions if session.key in new]
        sides = axis_pairs(pairing, added, check.axis)
        found = _hindrance(check, run, baseline, pairing, sides)
        if not found:
            held, found = _fallen(check, sides.pairs)
    return ShortcutResult(option=f"fail-drop {check.text}", axis=check.axis, held=held, found=found)


def _hindrance(
    check: FailDrop, run: Candidate, baseline: Baseline, pairing: Pairing, sides: AxisPairs
) -> str:
    """Return why the means cannot be compared; empty: they can."""
    differ = dict.fromkeys(one.what for one in mismatches(baseline, run, pairing))
    if differ:
        return f"the baseline was made with another {', '.join(differ)}"
    if check.axis not in baseline.axes:
        return "the baseline does not hold this axis"
    if pairing.lost:
        lost = listed(pairing.lost)
        return f"{count(len(pairing.lost), 'session')} of the baseline missing ({lost})"
    missing = [*(gap.key for gap in sides.unjudged), *sides.unverified]
    if missing:
        return f"{count(len(missing), 'session')} not judged ({listed(missing)})"
    return "" if sides.pairs else "no session has a score both in the baseline and now"


def _fallen(check: FailDrop, pairs: Sequence[Pair]) -> tuple[bool, str]:
    """Return whether the mean stayed within the drop, and what it did."""
    before = math.fsum(pair.before.score for pair in pairs) / len(pairs)
    after = math.fsum(pair.after.score for pair in pairs) / len(pairs)
    fell, unit = before - after, ""
    if check.relative:
        fell, unit = (100 * fell / before if before else 0.0), " %"
    held = fell <= check.most + ROUNDING
    change = signed(-fell) if held else f"-{_told(fell, check.most)}"
    means = f"{before:.1f} to {after:.1f}, {count(len(pairs), 'session')}"
    return held, f"changed by {change}{unit} ({means})"


def _told(value: float, limit: float) -> str:
    """Return the value with as many decimals as tell it from the limit, at least one."""
    for decimals in range(1, 6):
        told = f"{value:.{decimals}f}"
        if float(told) != limit or abs(value - limit) <= ROUNDING:
            return told
    return repr(value)
