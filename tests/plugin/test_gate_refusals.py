"""What is refused of the gate's options before anything is judged: exit 4, one line."""

from __future__ import annotations

import pytest
from plugin_runs import Sessions


def test_a_shortcut_on_an_unknown_axis_is_refused(
    pytester: pytest.Pytester, sessions: Sessions
) -> None:
    """An axis nobody scores would be a check that never fails."""
    sessions.good("a.json")

    result = pytester.runpytest("--sessioneval", "--sessioneval-fail-under=efficency:3")

    assert pytest.ExitCode.USAGE_ERROR == result.ret
    result.stderr.fnmatch_lines(["*fail-under efficency:3: no suite has an axis*'efficiency'*"])


def test_one_baseline_file_holds_one_suite(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """Two suites and one ``--sessioneval-baseline`` would overwrite each other's scores."""
    for folder in ("one", "two"):
        sessions.suite("", folder)
        sessions.good(f"{folder}/a.json")

    result = pytester.runpytest(
        "--sessioneval-baseline=both.json", "--sessioneval-update-baseline", "one", "two"
    )

    assert pytest.ExitCode.USAGE_ERROR == result.ret
    result.stderr.fnmatch_lines(["*a baseline holds one suite, and there are 2 (one, two)*"])
    assert not (pytester.path / "both.json").exists()


@pytest.mark.usefixtures("_installed")
def test_a_file_may_not_choose_the_baseline_of_a_revision(
    pytester: pytest.Pytester, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``addopts`` is the change's own word: with ``-compare`` it may not name the baseline."""
    monkeypatch.delenv("PYTEST_ADDOPTS")
    pytester.makeini("[pytest]\naddopts = --sessioneval-baseline=mine.json\n")
    sessions.good("a.json")

    result = pytester.runpytest("--sessioneval", "--sessioneval-compare=git:HEAD")

    assert pytest.ExitCode.USAGE_ERROR == result.ret
    result.stderr.fnmatch_lines(["*(in addopts)*may be named on the command line only*"])
