"""``--sessioneval-compare git:REF``: a pull request does not bless itself."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from gated_suite import AXIS, CONFTEST, GATE, STEADY, GatedSuite, moved
from gating_cases import Repository
from plugin_runs import Runs, refusal

pytestmark = pytest.mark.skipif(
    shutil.which("git") is None, reason="there is no git executable on PATH"
)

_JUDGE = '[judge]\nmodel = "hook:marks"\n'
_LEAST = f"[thresholds.mean]\n{AXIS} = 65\n"
_WORSE = moved(-9, -11)
_AGAINST = "--sessioneval-compare=git:main"


@pytest.fixture
def repository(
    pytester: pytest.Pytester, gated: GatedSuite, monkeypatch: pytest.MonkeyPatch
) -> Repository:
    """Return a repository whose ``main`` has a suite with its baseline; a branch is checked out."""
    monkeypatch.delenv("SESSIONEVAL_JUDGE")
    made = Repository(pytester.path)
    gated.write(STEADY, GATE + _JUDGE + _LEAST)
    gated.rubric()
    gated.bless(pytester)
    made.commit("Bless the suite")
    made.git("checkout", "--quiet", "-b", "change")
    return made


@dataclass(frozen=True)
class Change:
    """What a pull request with worse sessions changes besides them."""

    what: str
    """As the report is to list it."""
    make: Callable[[GatedSuite], None]
    alone: str
    """What the gate says of a run that is not held against ``main``; empty: there is no gate."""


def _no_baseline(gated: GatedSuite) -> None:
    gated.baseline.unlink()


def _lower_baseline(gated: GatedSuite) -> None:
    text = gated.baseline.read_text("utf-8")
    lower = text.replace('"score": 60', '"score": 50').replace('"score": 80', '"score": 70')
    gated.baseline.write_text(lower, "utf-8")


def _rules(text: str, *, suite: str = "") -> Callable[[GatedSuite], None]:
    return lambda gated: gated.rules(text, suite=suite)


_LENIENT = f"{GATE}break = 100\n[gate.margins]\ndefault = 60\n"

CHANGES = (
    Change("baseline", _lower_baseline, "passed"),
    Change("baseline", _no_baseline, "no_baseline"),
    Change("gate settings", _rules(_LENIENT + _JUDGE + _LEAST), "passed"),
    Change("thresholds", _rules(GATE + _JUDGE), "regressed"),
    Change(
        "judge settings",
        _rules(GATE + '[judge]\nmodel = "hook:other"\n' + _LEAST),
        "not_comparable",
    ),
    Change(
        "rubric", _rules(GATE + _JUDGE + _LEAST, suite='rubric = "rubric.toml"'), "not_comparable"
    ),
    Change("keys", _rules(GATE + _JUDGE + _LEAST, suite='key = "session_id"'), "incomplete"),
)


@pytest.mark.parametrize("change", CHANGES, ids=[change.what for change in CHANGES])
def test_what_a_change_does_to_the_rules_does_not_count(
    change: Change,
    pytester: pytest.Pytester,
    gated: GatedSuite,
    repository: Repository,
    runs: Runs,
) -> None:
    """Worse sessions are regressed by the rules of ``main``; the report lists what was changed."""
    gated.write(_WORSE, GATE + _JUDGE + _LEAST)
    change.make(gated)
    commit = repository.commit()
    on_main = repository.git("rev-parse", "main")
    assert commit != on_main
    pytester.runpytest_inprocess("-q")
    assert change.alone == runs.suite["gate"]["decision"]["status"]

    result = pytester.runpytest_inprocess("-q", _AGAINST)

    assert pytest.ExitCode.TESTS_FAILED == result.ret
    assert "regressed" == runs.suite["gate"]["decision"]["status"]
    result.stdout.fnmatch_lines(
        [
            f" gate: {AXIS} got worse: *from 70.0 to 60.0*The merge is stopped.",
            (
                f"*The working tree changes {change.what}: what counts is as in git:main "
                f"(commit {on_main[:12]})."
            ),
            f"FAILED orders::thresholds - mean of {AXIS} below threshold: 60 < 65",
            f"FAILED orders::gate - {AXIS} got worse*",
        ]
    )


def test_a_change_that_removes_the_gate_is_held_by_it(
    pytester: pytest.Pytester, gated: GatedSuite, repository: Repository
) -> None:
    """Without ``[gate]`` and thresholds a run passes; held against ``main`` it does not."""
    gated.write(_WORSE, _JUDGE)
    repository.commit()
    assert pytest.ExitCode.OK == pytester.runpytest_inprocess("-q").ret
    result = pytester.runpytest_inprocess("-q", _AGAINST)
    assert pytest.ExitCode.TESTS_FAILED == result.ret
    result.stdout.fnmatch_lines(["FAILED orders::thresholds*", "FAILED orders::gate*"])


def test_everything_changed_is_listed_at_once(
    pytester: pytest.Pytester, gated: GatedSuite, repository: Repository
) -> None:
    """The sentence names each rule that the working tree changes."""
    gated.write(_WORSE, f'{_LENIENT}[judge]\nmodel = "hook:other"\n')
    gated.rules(f'{_LENIENT}[judge]\nmodel = "hook:other"\n', suite='rubric = "rubric.toml"')
    _lower_baseline(gated)
    repository.commit()
    result = pytester.runpytest_inprocess("-q", _AGAINST)
    result.stdout.fnmatch_lines(
        [
            (
                "*The working tree changes baseline, rubric, judge settings, thresholds and "
                "gate settings: what counts is as in git:main*"
            )
        ]
    )


def test_sessions_left_out_by_the_suite_file_are_lost(
    pytester: pytest.Pytester, gated: GatedSuite, repository: Repository
) -> None:
    """A glob that leaves out what got worse makes the comparison incomplete."""
    gated.write((*STEADY[:-2], 0, 0), GATE + _JUDGE)
    text = (gated.folder / "sessioneval.toml").read_text("utf-8")
    narrowed = text.replace('["s*.json"]', '["s0*.json", "s1*.json", "s20.json", "s21.json"]')
    (gated.folder / "sessioneval.toml").write_text(narrowed, "utf-8")
    repository.commit()
    result = pytester.runpytest_inprocess("-q", _AGAINST)
    assert pytest.ExitCode.TESTS_FAILED == result.ret
    result.stdout.fnmatch_lines(
        [" gate: *2 sessions of the baseline missing (s22.json, s23.json)*"]
    )


def test_a_python_judge_that_was_edited_is_another_judge(
    pytester: pytest.Pytester, gated: GatedSuite, repository: Repository
) -> None:
    """A judge made kinder in the change under test is not comparable with the baseline's."""
    gated.write(_WORSE, GATE + _JUDGE)
    kinder = CONFTEST.replace("int(mark)", "10 + int(mark)")
    assert CONFTEST != kinder
    (pytester.path / "conftest.py").write_text(kinder, "utf-8")
    repository.commit()
    result = pytester.runpytest_inprocess("-q", _AGAINST)
    assert pytest.ExitCode.TESTS_FAILED == result.ret
    result.stdout.fnmatch_lines([" gate: *cannot be compared*the judge changed from*"])


def test_better_sessions_pass_and_nothing_else_is_said_to_change(
    pytester: pytest.Pytester, gated: GatedSuite, repository: Repository
) -> None:
    """A change of sessions alone is held against ``main`` and may go ahead."""
    gated.write(moved(2, 3), GATE + _JUDGE + _LEAST)
    repository.commit()
    result = pytester.runpytest_inprocess("-q", _AGAINST)
    assert pytest.ExitCode.OK == result.ret
    result.stdout.fnmatch_lines(
        [
            " gate: Scores rose*The merge may go ahead.",
            (
                "*Held against git:main (commit *): the working tree changes neither the baseline "
                "nor the rules."
            ),
        ]
    )


def test_expectations_are_the_changes_own_and_said_to_be(
    pytester: pytest.Pytester, gated: GatedSuite, repository: Repository
) -> None:
    """What must have happened comes from the working tree, and is listed for review."""
    rules = GATE + _JUDGE + _LEAST + '[[expect]]\nfinal_matches = "shipped"\n'
    gated.write(STEADY, rules)
    repository.commit()
    result = pytester.runpytest_inprocess("-q", _AGAINST)
    result.stdout.fnmatch_lines(
        ["*The working tree changes expectations, which count as changed: review them."]
    )


def test_a_suite_that_the_revision_does_not_have_has_no_baseline(
    pytester: pytest.Pytester, gated: GatedSuite, repository: Repository
) -> None:
    """A baseline that only the change brings vouches for nothing."""
    gated.folder.rename(pytester.path / "renamed")
    repository.commit()
    result = pytester.runpytest_inprocess("-q", _AGAINST)
    assert pytest.ExitCode.TESTS_FAILED == result.ret
    result.stdout.fnmatch_lines(
        [" gate: There is no baseline*", "*git:main (commit *) does not have this suite yet*"]
    )


def test_where_the_branch_left_is_a_revision_too(
    pytester: pytest.Pytester, gated: GatedSuite, repository: Repository
) -> None:
    """``git:main...`` is the commit that both share, whatever ``main`` did since."""
    shared = repository.git("rev-parse", "HEAD")
    repository.git("checkout", "--quiet", "main")
    gated.baseline.unlink()
    repository.commit()
    repository.git("checkout", "--quiet", "change")
    gated.write(_WORSE, GATE + _JUDGE)
    repository.commit()
    result = pytester.runpytest_inprocess("-q", "--sessioneval-compare=git:main...")
    assert pytest.ExitCode.TESTS_FAILED == result.ret
    result.stdout.fnmatch_lines([f"*what counts is as in git:main... (commit {shared[:12]})."])


def test_the_environment_may_name_the_revision(
    pytester: pytest.Pytester,
    gated: GatedSuite,
    repository: Repository,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """``SESSIONEVAL_COMPARE`` does what the option does."""
    gated.write(_WORSE, GATE + _JUDGE)
    _lower_baseline(gated)
    repository.commit()
    monkeypatch.setenv("SESSIONEVAL_COMPARE", "git:main")
    result = pytester.runpytest_inprocess("-q")
    assert pytest.ExitCode.TESTS_FAILED == result.ret
    result.stdout.fnmatch_lines(["*what counts is as in git:main*"])


@pytest.mark.usefixtures("repository")
def test_no_file_of_the_change_may_name_the_revision(pytester: pytest.Pytester) -> None:
    """What a change is held against is not its own to choose."""
    pytester.makeini(f"[pytest]\naddopts = {_AGAINST.replace('main', 'change')}\n")
    said = refusal(pytester.runpytest_inprocess("-q"))
    assert "--sessioneval-compare (in addopts)" in said
    assert "on the command line or by SESSIONEVAL_COMPARE only" in said


@pytest.mark.usefixtures("repository")
def test_no_file_of_the_change_may_have_the_baseline_written(pytester: pytest.Pytester) -> None:
    """A run that writes its baseline decides nothing: a file under test cannot ask for it."""
    pytester.makeini("[pytest]\naddopts = --sessioneval-update-baseline\n")
    said = refusal(pytester.runpytest_inprocess("-q", _AGAINST))
    assert "--sessioneval-update-baseline (in addopts)" in said


@pytest.mark.parametrize("asked", ["nowhere", "-x", "", "main:suite", "0" * 40])
@pytest.mark.usefixtures("repository")
def test_a_revision_that_is_not_there_is_refused(asked: str, pytester: pytest.Pytester) -> None:
    """Exit 4 in one line that says what was asked for."""
    said = refusal(pytester.runpytest_inprocess("-q", f"--sessioneval-compare=git:{asked}"))
    assert said.startswith(f"--sessioneval-compare git:{asked}: ")


def test_outside_of_a_repository_it_is_refused(
    pytester: pytest.Pytester, gated: GatedSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 4 in one line, also where a folder above happens to be a repository."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(pytester.path.parent))
    gated.write()
    said = refusal(pytester.runpytest_inprocess("-q", _AGAINST))
    assert "lies in no git working tree" in said
