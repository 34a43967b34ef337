"""The gate's table (DESIGN §5): a situation, its status, the exit; alone and under ``-n 2``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pytest
from gated_suite import AXIS, GATE, STEADY, GatedSuite, Mark, moved
from plugin_runs import outcomes

OK, FAILED, INTERRUPTED, INTERNAL, USAGE, NOTHING = 0, 1, 2, 3, 4, 5

_STEADY_CHANGE = moved(2, -2)
"""Every session re-recorded, the mean as before: within 1 point, surely."""
_STOPS = "The merge is stopped."
_GOES_AHEAD = "The merge may go ahead."
_WARNS = "This is a warning only: the merge may go ahead, but nothing vouches for it."


@dataclass(frozen=True)
class Row:
    """A situation, and all that a run of it shows."""

    situation: str
    now: Sequence[Mark] = _STEADY_CHANGE
    gate: str = GATE
    arguments: tuple[str, ...] = ()
    spoil: Callable[[GatedSuite], None] | None = None
    """What else happens between the baseline and the run."""
    exit: int = OK
    status: str | None = "passed"
    """The gate's; None: there is no test report of the gate."""
    says: str = ""
    """What the line ``gate:`` holds, or the error where there is none."""
    last: Mapping[str, int] | None = None
    """pytest's last line as counts; None: all sessions passed, and the gate as it did."""
    with_workers: bool = False
    """Whether it is run under ``-n 2``, too; the others are in tests/xdist, in one run."""

    def counts(self, *, with_workers: bool) -> Mapping[str, int]:
        """Return the expected last line; workers do not tell what they deselected."""
        if self.last is not None:
            return {
                name: n
                for name, n in self.last.items()
                if not (with_workers and "deselected" == name)
            }
        sessions = len(self.now)
        return {"passed": sessions, "failed": 1} if self.exit else {"passed": sessions + 1}


def _gate(settings: str) -> str:
    return f"{GATE}{settings}\n"


def _no_baseline(suite: GatedSuite) -> None:
    suite.baseline.unlink()


def _corrupt(suite: GatedSuite) -> None:
    suite.baseline.write_text(suite.baseline.read_text("utf-8")[:200], "utf-8")


def _newer(suite: GatedSuite) -> None:
    text = suite.baseline.read_text("utf-8")
    suite.baseline.write_text(text.replace('"format": 1', '"format": 99'), "utf-8")


def _without_axis(suite: GatedSuite) -> None:
    text = suite.baseline.read_text("utf-8")
    suite.baseline.write_text(text.replace(f'"{AXIS}"', '"another_axis"'), "utf-8")


def _other_scoring(suite: GatedSuite) -> None:
    text = suite.baseline.read_text("utf-8")
    suite.baseline.write_text(text.replace('"scoring": "', '"scoring": "0-'), "utf-8")


def _other_reader(suite: GatedSuite) -> None:
    text = suite.baseline.read_text("utf-8")
    suite.baseline.write_text(text.replace("@", "@0."), "utf-8")


def _no_sessions(suite: GatedSuite) -> None:
    for path in suite.folder.glob("s*.json"):
        path.unlink()


def _one_key(suite: GatedSuite) -> None:
    for name in ("s00", "s01"):
        suite.session(name, f"80, of {name}", task_id="one")
    for number in range(2, 24):
        suite.session(f"s{number:02d}", 80, task_id=f"task {number}")
    suite.rules(suite='key = "task_id"')


def _interrupt(suite: GatedSuite) -> None:
    text = "def test_stop():\n    raise KeyboardInterrupt\n"
    (suite.folder / "s12_test.py").write_text(text, "utf-8")


def _break_pytest(suite: GatedSuite) -> None:
    text = "def pytest_runtest_logstart(nodeid):\n    assert 's12' not in nodeid, 'a bug'\n"
    (suite.folder / "conftest.py").write_text(text, "utf-8")


ROWS = (
    Row(
        "every-gated-axis-non-inferior",
        with_workers=True,
        says=f"*Nothing got worse*24 sessions*{_GOES_AHEAD}",
    ),
    Row(
        "an-axis-regressed",
        with_workers=True,
        now=moved(-8, -12),
        exit=FAILED,
        status="regressed",
        says=f"{AXIS} got worse: *fell by 10.0 points, from 70.0 to 60.0*{_STOPS}",
    ),
    Row(
        "a-session-fell-by-more-than-break",
        now=(30, *_STEADY_CHANGE[1:]),
        exit=FAILED,
        status="regressed",
        says=f"Session s00.json fell from 80 to 30 on {AXIS}: *{_STOPS}",
    ),
    Row(
        "straddles-fail",
        now=moved(20, -20),
        gate=_gate('on_inconclusive = "fail"'),
        exit=FAILED,
        status="inconclusive",
        says="It cannot be told *The merge is stopped: [[]gate] on_inconclusive is fail.",
    ),
    Row(
        "straddles-auto-powered",
        now=moved(2, -10),
        exit=FAILED,
        status="inconclusive",
        says="It cannot be told *this suite is large enough to have shown that nothing got worse.",
    ),
    Row(
        "straddles-auto-drop-reaches-margin",
        now=moved(19, -31),
        exit=FAILED,
        status="inconclusive",
        says="It cannot be told *-6.0 points*what was seen is as bad as what is too much.",
    ),
    Row(
        "straddles-auto-otherwise",
        now=moved(20, -20),
        status="inconclusive",
        says=f"It cannot be told *About * more sessions would settle it. {_WARNS}",
    ),
    Row(
        "straddles-pass",
        now=moved(19, -31),
        gate=_gate('on_inconclusive = "pass"'),
        status="inconclusive",
        says=f"It cannot be told *-6.0 points*{_WARNS}",
    ),
    Row(
        "sessions-lost",
        now=_STEADY_CHANGE[:-1],
        exit=FAILED,
        status="incomplete",
        says=f"*1 session of the baseline missing (s23.json). {_STOPS}",
    ),
    Row(
        "a-session-not-scored",
        now=("down", *_STEADY_CHANGE[1:]),
        exit=FAILED,
        status="incomplete",
        says=f"*1 session not judged (s00.json). {_STOPS}",
        last={"passed": 23, "failed": 2},
    ),
    Row(
        "budget-spent",
        with_workers=True,
        arguments=("--sessioneval-max-calls=69", "--sessioneval-concurrency=1"),
        exit=FAILED,
        status="incomplete",
        says=f"*1 session not judged (s23.json). {_STOPS}",
        last={"passed": 23, "failed": 2},
    ),
    Row(
        "sessions-added",
        now=(*_STEADY_CHANGE, 10, 10),
        says=f"*Nothing got worse*{_GOES_AHEAD}",
    ),
    Row(
        "judge-changed",
        arguments=("--sessioneval-judge=hook:other",),
        exit=FAILED,
        status="not_comparable",
        says=f"The scores cannot be compared *the judge changed from *{_STOPS}",
    ),
    Row(
        "rubric-changed",
        arguments=("--sessioneval-rubric=suite/rubric.toml",),
        spoil=GatedSuite.rubric,
        exit=FAILED,
        status="not_comparable",
        says=f"The scores cannot be compared *the rubric changed from *{_STOPS}",
    ),
    Row(
        "scoring-version-changed",
        spoil=_other_scoring,
        exit=FAILED,
        status="not_comparable",
        says=f"The scores cannot be compared *the scoring changed from *{_STOPS}",
    ),
    Row(
        "reader-changed",
        spoil=_other_reader,
        exit=FAILED,
        status="not_comparable",
        says=f"The scores cannot be compared *the reader changed from *{_STOPS}",
    ),
    Row(
        "baseline-missing",
        spoil=_no_baseline,
        exit=FAILED,
        status="no_baseline",
        says=f"There is no baseline *--sessioneval-update-baseline and commit it. {_STOPS}",
    ),
    Row(
        "baseline-missing-pass",
        gate=_gate('on_missing_baseline = "pass"'),
        spoil=_no_baseline,
        status="no_baseline",
        says="There is no baseline *The merge may go ahead, unchecked.",
    ),
    Row(
        "baseline-corrupt",
        with_workers=True,
        spoil=_corrupt,
        exit=USAGE,
        status=None,
        says="*baseline.json:*",
    ),
    Row("baseline-newer", spoil=_newer, exit=USAGE, status=None, says="*format 99*upgrade*"),
    Row(
        "baseline-without-gated-axis",
        spoil=_without_axis,
        exit=USAGE,
        status=None,
        says=f"*'{AXIS}'*does not hold*",
    ),
    Row("no-session", spoil=_no_sessions, exit=USAGE, status=None, says="*orders: no session in*"),
    Row(
        "duplicate-keys",
        spoil=_one_key,
        exit=USAGE,
        status=None,
        says="*more than one session*one*",
    ),
    Row(
        "partial-selection",
        with_workers=True,
        arguments=("--deselect=suite/s23.json",),
        says=f"*Nothing got worse*23 sessions*{_GOES_AHEAD}",
        last={"passed": 24, "deselected": 1},
    ),
    Row(
        "whole-suite-deselected",
        arguments=("-k", "nowhere"),
        exit=NOTHING,
        status=None,
        says="The gate did not run: no session of orders was selected. *",
        last={"deselected": 24},
    ),
    Row(
        "whole-suite-deselected-required",
        with_workers=True,
        arguments=("-k", "nowhere", "--sessioneval-require-gate"),
        exit=FAILED,
        status="not_run",
        says=f"The gate did not run: no session of orders was selected. {_STOPS}",
        last={"failed": 1, "deselected": 24},
    ),
    Row("interrupted", with_workers=True, spoil=_interrupt, exit=INTERRUPTED, status=None),
    Row("internal-error", with_workers=True, spoil=_break_pytest, exit=INTERNAL, status=None),
)


_ALONE = [pytest.param(row, (), id=row.situation) for row in ROWS]
_WITH_WORKERS = [
    pytest.param(row, ("-n2",), id=f"{row.situation}-n2") for row in ROWS if row.with_workers
]


@pytest.mark.parametrize(("row", "workers"), [*_ALONE, *_WITH_WORKERS])
def test_a_row(
    row: Row,
    workers: tuple[str, ...],
    pytester: pytest.Pytester,
    gated: GatedSuite,
) -> None:
    """Exit, the gate's sentence, its JUnit test case and the last line are the row's."""
    gated.write(STEADY, row.gate)
    gated.bless(pytester)
    gated.write(row.now, row.gate)
    if row.spoil is not None:
        row.spoil(gated)

    result = pytester.runpytest_inprocess(
        "--junitxml=junit.xml", *workers, *row.arguments, no_reraise_ctrlc=True
    )

    assert row.exit == result.ret
    if row.exit == USAGE:
        result.stderr.fnmatch_lines([f"ERROR: {row.says}"])
        return
    if row.says:
        result.stdout.fnmatch_lines([f" gate: {row.says}"])
    else:
        result.stdout.no_fnmatch_line(" gate:*")
    case = gated.junit(pytester.path / "junit.xml")
    assert row.status == (None if case is None else case.properties["gate_status"])
    if case is not None:
        assert ("orders::gate", row.status) == (case.name, case.properties[f"gate_{AXIS}_status"])
    assert (row.exit == FAILED) == (case is not None and case.failure is not None)
    if row.last is not None or row.exit in {OK, FAILED}:
        assert row.counts(with_workers=bool(workers)) == outcomes(result)
