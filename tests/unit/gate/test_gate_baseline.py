"""Baselines: built from a run, written, read back, refused."""

from __future__ import annotations

import json

import pytest
from gate_builders import AXIS, VERSIONS, baseline, result, suite_run

from pytest_sessioneval.errors import BaselineError, SuiteError
from pytest_sessioneval.gate.baseline import (
    baseline_of,
    baseline_text,
    candidate_of,
    check_baseline,
    parse_baseline,
)
from pytest_sessioneval.gate.model import AxisScore, NoScore
from pytest_sessioneval.gate.moves import moved
from pytest_sessioneval.verdicts.run import FileProblem, SuiteRun

READERS = {"native": "2"}


def judged_run() -> SuiteRun:
    """Return a run of two sessions, judged three times and once."""
    return suite_run(
        [
            result("task-2", {AXIS: [80], "communication": "not_applicable"}),
            result("task-1", {AXIS: [60, 80, 100], "communication": [40, 40, 60]}),
        ]
    )


def test_text_is_sorted_with_one_line_per_session() -> None:
    """The file diffs well: head, then one line per session in order of keys."""
    text = baseline_text(baseline_of(judged_run(), scoring="1", readers=READERS))
    expected = """{
 "format": 1,
 "suite": "airline",
 "versions": {"rubric": "agent@1#aa", "judge": "evidence@1#bb", "scoring": "1"},
 "axes": ["goal_completion", "communication"],
 "sessions": [
  {"key": "task-1", "digest": "digest-task-1", "reader": "native@2", "axes": {"communication": \
{"score": 46.6667, "spread": 20, "repeats": 3, "noise": 11.547}, "goal_completion": \
{"score": 80, "spread": 40, "repeats": 3, "noise": 20}}},
  {"key": "task-2", "digest": "digest-task-2", "reader": "native@2", "axes": {"communication": \
{"unscored": "not_applicable"}, "goal_completion": {"score": 80, "spread": 0, "repeats": 1}}}
 ]
}
"""
    assert expected == text


def test_text_reads_back_as_the_same_baseline() -> None:
    """Nothing is lost between writing and reading."""
    blessed = baseline_of(judged_run(), scoring="1", readers=READERS)
    assert blessed == parse_baseline(baseline_text(blessed))


def test_text_does_not_depend_on_the_order_of_the_run() -> None:
    """The same verdicts give the same bytes."""
    run = judged_run()
    reverse = run.model_copy(update={"results": tuple(reversed(run.results))})
    texts = [
        baseline_text(baseline_of(one, scoring="1", readers=READERS)) for one in (run, reverse)
    ]
    assert texts[0] == texts[1]


def test_text_is_plain_json() -> None:
    """Any JSON reader reads it."""
    assert 1 == json.loads(baseline_text(baseline([50])))["format"]


def test_text_keeps_an_unusual_key() -> None:
    """Quotes, line breaks and other scripts in a key survive."""
    odd = baseline([50]).sessions[0].model_copy(update={"key": 'a"\n<b>é任'})
    blessed = baseline([50]).model_copy(update={"sessions": (odd,)})
    assert 'a"\n<b>é任' == parse_baseline(baseline_text(blessed)).sessions[0].key


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"baseline\.json: the baseline is empty"),
        (" \n", "is empty"),
        ('{"format": 1,\n', r"baseline\.json:2: the baseline is no JSON"),
        ('{"format": 1, "format": 1}', "duplicate key"),
        ('{"format": NaN}', "NaN"),
        ("[]", "no baseline"),
        ('{"sessions": []}', 'no whole number under "format"'),
        ('{"format": true}', "no baseline"),
        ('{"format": 3, "anything": 1}', "format 3, this version reads up to 2; upgrade"),
        ('<<<<<<< HEAD\n{"format": 1}\n=======\n{}\n>>>>>>> other\n', "unresolved merge"),
        ('{"format": 1}', "suite: field required"),
    ],
    ids=[
        "empty",
        "blank",
        "cut off",
        "duplicate key",
        "not a number",
        "a list",
        "no format",
        "a boolean format",
        "newer format",
        "merge conflict",
        "missing field",
    ],
)
def test_unusable_text_is_refused_by_name(text: str, message: str) -> None:
    """What is no baseline is a usage error that says where and what."""
    with pytest.raises(BaselineError, match=message):
        parse_baseline(text)


def test_empty_suite_is_no_baseline() -> None:
    """A baseline without a session would pass everything."""
    text = baseline_text(baseline([50])).replace(baseline_text(baseline([50])).split("\n")[6], "")
    with pytest.raises(BaselineError, match="sessions"):
        parse_baseline(text)


def test_fault_in_a_session_names_its_key() -> None:
    """The message names file and line, the session's key and the field."""
    text = baseline_text(baseline([50, 60])).replace('"score": 60', '"score": 160')
    with pytest.raises(BaselineError, match=r"json:8: session 'session-001', axes\.goal_comp"):
        parse_baseline(text)


def test_unknown_key_is_refused() -> None:
    """A misspelt or foreign field is not passed over."""
    text = baseline_text(baseline([50])).replace('"suite"', '"extra": 1, "suite"')
    with pytest.raises(BaselineError, match="extra"):
        parse_baseline(text)


def test_key_twice_is_refused() -> None:
    """A baseline that holds a key twice was edited by hand."""
    text = baseline_text(baseline([50, 60])).replace("session-001", "session-000")
    with pytest.raises(BaselineError, match="'session-000' is there twice"):
        parse_baseline(text)


def test_errors_name_the_place_given() -> None:
    """A baseline read from git is named as such."""
    with pytest.raises(BaselineError, match=r"^git:main:baseline"):
        parse_baseline("", place="git:main:baseline.json")


def test_repeats_and_their_noise_are_kept() -> None:
    """Three judgements 60, 80 and 100 vary by 20 points."""
    point = candidate_of(judged_run(), scoring="1", readers=READERS).sessions[0].axes[AXIS]
    assert AxisScore(score=80, spread=40, repeats=3, noise=20) == point


def test_session_without_verdict_was_not_judged() -> None:
    """No verdict is no score: failed, or skipped where the run ended before its turn."""
    run = suite_run([result("a", None, state="error"), result("b", None, state="not_run")])
    sides = candidate_of(run, scoring="1", readers=READERS).sessions
    assert [NoScore(unscored="failed"), NoScore(unscored="skipped")] == [
        session.axes[AXIS] for session in sides
    ]


def test_axis_that_a_verdict_lacks_was_not_judged() -> None:
    """A verdict without an axis of the rubric has no score there."""
    run = suite_run([result("a", {AXIS: [80]})])
    point = candidate_of(run, scoring="1", readers=READERS).sessions[0].axes["communication"]
    assert NoScore(unscored="failed") == point


def test_unknown_reader_is_marked() -> None:
    """A reader that is not installed any more does not look like one that is."""
    sides = candidate_of(judged_run(), scoring="1", readers={}).sessions
    assert "native@?" == sides[0].reader


def test_candidate_counts_what_could_not_be_read() -> None:
    """Unreadable files travel with the run."""
    run = judged_run()
    sources = run.sources.model_copy(
        update={"problems": (FileProblem(path="x.json", reason="cut off"),)}
    )
    broken = run.model_copy(update={"sources": sources})
    assert 1 == candidate_of(broken, scoring="1", readers=READERS).unreadable


def test_candidate_with_duplicate_keys_is_refused() -> None:
    """Two sessions with one key cannot be paired."""
    run = suite_run([result("a", {AXIS: [80]}), result("a", {AXIS: [60]})])
    with pytest.raises(SuiteError, match="'a'"):
        candidate_of(run, scoring="1", readers=READERS)


@pytest.mark.parametrize(
    ("run", "partial", "message"),
    [
        (judged_run(), "-k task", r"only a part of the suite was selected \(-k task\)"),
        (
            suite_run([result("a", {AXIS: "failed", "communication": [80]})]),
            "",
            "not scored: a",
        ),
        (suite_run([result("a", None, state="error")]), "", "not scored: a"),
        (suite_run([]), "", "holds no session"),
        (
            judged_run().model_copy(
                update={
                    "sources": judged_run().sources.model_copy(
                        update={"problems": (FileProblem(path="x.json", reason="cut off"),)}
                    )
                }
            ),
            "",
            "1 could not be read, first x.json",
        ),
        (
            judged_run().model_copy(
                update={"sources": judged_run().sources.model_copy(update={"deselected": 3})}
            ),
            "",
            "3 sessions were deselected",
        ),
    ],
    ids=["partial", "not scored", "no verdict", "empty", "unreadable", "deselected"],
)
def test_incomplete_run_becomes_no_baseline(run: SuiteRun, partial: str, message: str) -> None:
    """A baseline is written only from a complete, error-free selection."""
    with pytest.raises(BaselineError, match=message):
        baseline_of(run, scoring="1", readers=READERS, partial=partial)


def test_gated_axis_that_the_baseline_lacks_is_refused() -> None:
    """Gating what was never compared is a usage error, with the remedy."""
    with pytest.raises(BaselineError, match=r"'tone'.*holds goal_completion.*update-baseline"):
        check_baseline(baseline([50]), ["tone"], VERSIONS)


def test_gated_axis_without_any_score_is_refused() -> None:
    """An axis that is null throughout cannot be gated."""
    with pytest.raises(BaselineError, match="no session has a score"):
        check_baseline(baseline(["unsupported", "not_applicable"]), [AXIS], VERSIONS)


def test_baseline_of_another_rubric_is_not_checked() -> None:
    """Another rubric's axes are no mistake of the user: the decision says not comparable."""
    other = VERSIONS.model_copy(update={"rubric": "agent@2#cc"})
    check_baseline(baseline([50]), ["tone"], other)


def test_replacing_a_baseline_says_what_moves() -> None:
    """Means before and after, sessions added and removed, recorded anew and scored anew."""
    old = baseline([80, 60, 40, 20])
    new = old.sessions
    rerecorded = new[1].model_copy(update={"digest": "other"})
    rescored = new[2].model_copy(update={"axes": {AXIS: AxisScore(score=70)}})
    added = new[3].model_copy(update={"key": "new"})
    move = moved(old, old.model_copy(update={"sessions": (new[0], rerecorded, rescored, added)}))
    assert (50.0, 57.5) == (move.axes[0].before, move.axes[0].after)
    assert ("new",) == move.added
    assert ("session-003",) == move.removed
    assert ("session-001",) == move.rerecorded
    assert ("session-002",) == move.rescored


def test_first_baseline_moves_from_nothing() -> None:
    """Without an old baseline everything is added and no version differs."""
    move = moved(None, baseline([80]))
    assert (None, 80.0, ("session-000",), ()) == (
        move.axes[0].before,
        move.axes[0].after,
        move.added,
        move.versions,
    )


def test_changed_versions_are_named() -> None:
    """A new rubric is visible in what moves."""
    other = VERSIONS.model_copy(update={"rubric": "agent@2#cc"})
    assert ("rubric",) == moved(baseline([80]), baseline([80], versions=other)).versions
