"""What ``report.md`` tells a reviewer of a gate: what got worse, by how much, how sure, where."""

from __future__ import annotations

import re

import pytest
from gated_suite import AXIS, CONFTEST, GATE, STEADY, GatedSuite, moved
from plugin_runs import Runs

_WRITE = "--sessioneval-update-baseline"
_EXPLAINING = CONFTEST.replace(
    "    return scores if mark ==",
    """    for name, score in scores.items():
        quote = {"message": 1, "quote": "shipped on Monday", "polarity": "negative"}
        scores[name] = {"score": int(mark), "comment": f"At {mark}, _no_", "evidence": [quote]}
    return scores
    return scores if mark ==""",
)
"""A judge that says why, with a quote."""


def _markdown(runs: Runs) -> list[str]:
    """Return the last run's report.md, escapes taken away."""
    text = (runs.folders[-1] / "report.md").read_text("utf-8")
    return text.replace("\\", "").splitlines()


def _row(lines: list[str], axis: str) -> list[str]:
    """Return the cells of an axis's row in the gate's table, the first there is."""
    row = next(line for line in lines if line.startswith(f"| {axis} |"))
    return [cell.strip() for cell in row.strip("|").split("|")]


@pytest.fixture
def explained(pytester: pytest.Pytester, gated: GatedSuite) -> GatedSuite:
    """Return a suite of 24 sessions, mean 70, whose judge says why, with its baseline."""
    gated.write()
    (gated.root / "conftest.py").write_text(_EXPLAINING, "utf-8")
    assert pytest.ExitCode.OK == pytester.runpytest_inprocess("-q", _WRITE).ret
    return gated


def _worse(pytester: pytest.Pytester, suite: GatedSuite, *by: int) -> None:
    for number, mark in enumerate(moved(*by)):
        suite.session(f"s{number:02d}", mark)
    pytester.runpytest_inprocess("-q")


def test_the_first_line_says_that_the_merge_is_stopped(
    pytester: pytest.Pytester, explained: GatedSuite, runs: Runs
) -> None:
    """Every session passed, which is not the news."""
    _worse(pytester, explained, -6, -18)
    first = _markdown(runs)[0]
    assert first == (
        f"# Session scores: merge stopped, {AXIS} (-12.0) regressed; all 24 sessions passed"
    )


def test_a_row_says_how_much_and_how_sure(
    pytester: pytest.Pytester, explained: GatedSuite, runs: Runs
) -> None:
    """Both means, the change, where the truth lies, how many fell; other axes are not gated."""
    _worse(pytester, explained, -6, -18)
    lines = _markdown(runs)
    heads = "axis|baseline|now|change|the true change lies within|sessions|fell|rose|too much"
    assert [*heads.split("|"), "verdict"] == _row(lines, "axis")
    # sd 6 √(24/23), Student's t with 23 degrees of freedom: 1.7139
    within = "-14.1 to -9.9"
    assert [AXIS, "70.0", "58.0", "**-12.0**", within, "24", "24", "0", "5", "**regressed**"] == (
        _row(lines, AXIS)
    )
    assert ["–", "not gated"] == _row(lines, "efficiency")[-2:]
    assert any("the range holds the true change with 90 % confidence" in line for line in lines)


def test_where_to_look_is_linked_with_what_was_said(
    pytester: pytest.Pytester, explained: GatedSuite, runs: Runs
) -> None:
    """The five deepest falls, each with what its judge said and quoted."""
    _worse(pytester, explained, -6, -18)
    lines = _markdown(runs)
    begin = lines.index("#### Where to look") + 2
    falls = [line for line in lines[begin : begin + 10] if line.startswith("- ")]
    assert 5 == len(falls)
    assert falls[0].startswith(f"- **{AXIS} 80 → 62** [`s02.json`](")
    assert falls[0].endswith("62: At 62, _no_")
    assert re.fullmatch(r"  - \[M1\]\(\S+s02\.json\S*\): `shipped on Monday`", lines[begin + 1])


def test_a_gate_that_passed_does_not_tell_where_to_look(
    pytester: pytest.Pytester, explained: GatedSuite, runs: Runs
) -> None:
    """Sessions differ from one recording to the next: a reader is not sent after noise."""
    _worse(pytester, explained, -2, 2)
    lines = _markdown(runs)
    assert "# Session scores: all 24 sessions passed" == lines[0]
    assert "passed" == _row(lines, AXIS)[-1]
    assert "#### Where to look" not in lines


def test_an_anchor_has_a_row_of_its_own(
    pytester: pytest.Pytester, gated: GatedSuite, runs: Runs
) -> None:
    """The axis passed one and fell behind the other: which is which stands there."""
    gated.write()
    gated.bless(pytester)
    (gated.folder / "baseline.anchor.json").write_bytes(gated.baseline.read_bytes())
    gated.write(moved(-3, -5))
    gated.bless(pytester)
    gated.write(moved(-6, -8))
    pytester.runpytest_inprocess("-q")
    lines = _markdown(runs)
    assert "passed" == _row(lines, f"{AXIS} (baseline)")[-1]
    assert "**regressed**" == _row(lines, f"{AXIS} (anchor)")[-1]
    assert any(line.startswith(f"- **{AXIS} 80 → 72** ") for line in lines)


def test_without_a_mean_there_is_no_table(
    pytester: pytest.Pytester, gated: GatedSuite, runs: Runs
) -> None:
    """A mean over survivors is not shown; the sentence and the reason are."""
    gated.write()
    gated.bless(pytester)
    gated.write(("down", "down", "down", *STEADY[3:]))
    pytester.runpytest_inprocess("-q")
    lines = _markdown(runs)
    assert lines[0].startswith("# Session scores: merge stopped, the comparison is incomplete; ")
    assert not any(line.startswith("| axis | baseline |") for line in lines)


def test_a_shortcut_that_failed_is_in_the_first_line(
    pytester: pytest.Pytester, gated: GatedSuite, runs: Runs
) -> None:
    """With and without a gate: what stops the merge comes first."""
    gated.write(more="")
    pytester.runpytest_inprocess("-q", f"--sessioneval-fail-under={AXIS}:75")
    first = f"merge stopped, fail-under {AXIS}:75 did not hold; all 24 sessions passed"
    assert f"# Session scores: {first}" == _markdown(runs)[0]


def test_of_several_suites_the_stopped_one_is_named(
    pytester: pytest.Pytester, gated: GatedSuite, runs: Runs
) -> None:
    """A reader of one headline knows which suite it is about."""
    other = GatedSuite(gated.root, place="other", name="returns")
    gated.write()
    other.write(STEADY, "")
    assert pytest.ExitCode.OK == pytester.runpytest_inprocess("-q", "suite", _WRITE).ret
    gated.write(moved(-9, -11), GATE)
    pytester.runpytest_inprocess("-q")
    first = f"merge stopped, orders: {AXIS} (-10.0) regressed; all 48 sessions passed"
    assert f"# Session scores: {first}" == _markdown(runs)[0]


def test_the_terminals_table_has_the_change_of_every_axis(
    pytester: pytest.Pytester, explained: GatedSuite
) -> None:
    """Of the gated one and the others; a suite without a gate has no such column."""
    for number, mark in enumerate(moved(-6, -18)):
        explained.session(f"s{number:02d}", mark)
    result = pytester.runpytest_inprocess("-q")
    result.stdout.fnmatch_lines(
        [" axis * mean * change * min * n *", f" {AXIS} * 58.0 * -12.0 *", " efficiency * -12.0 *"]
    )
    assert all(
        len(line) <= 80 for line in result.outlines if line.startswith((" axis", " efficiency "))
    )
    explained.rules("")
    result = pytester.runpytest_inprocess("-q")
    result.stdout.no_fnmatch_line(" axis *change*")
