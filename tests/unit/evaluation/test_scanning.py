"""A suite's folder, scanned: sessions, problems, and what was left out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from evaluation_cases import PairReader, chat, said, scan_folder, suite_in, write

from pytest_sessioneval.errors import SuiteError
from pytest_sessioneval.evaluation.scanning import Scan
from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.transcripts.reader import Limits

# -- what is there ---------------------------------------------------------------------


def test_every_file_of_one_session_is_a_session(root: Path) -> None:
    """Sessions come by path, each with its file and its summary."""
    write(root, b=chat(said("pens")), a__c=chat(said("hats", 2)))
    found = scan_folder(root)
    assert [("a/c.json", 4), ("b.json", 2)] == [
        (one.session.path, one.session.summary.message_count) for one in found.members
    ]
    assert [root / "a" / "c.json", root / "b.json"] == [one.path for one in found.members]


def test_a_file_may_hold_several(root: Path) -> None:
    """Each of them has the file's path and what names it there."""
    lines = [chat(said(subject)) for subject in ("pens", "hats")]
    (root / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    found = scan_folder(root)
    assert 2 == len({one.id for one in found.members})
    assert {"a.jsonl"} == {one.session.path for one in found.members}
    assert all(one.id.startswith("a.jsonl::") for one in found.members)
    assert (1, 2) == (found.sources.files_read, found.sources.sessions)


def test_other_json_is_counted_and_listed(root: Path) -> None:
    """A file that parses and holds no session is no error, and is not silent."""
    write(root, a=chat(said("pens")), package='{"name": "left-pad", "version": "1.0.0"}')
    found = scan_folder(root)
    assert ("package.json",) == found.sources.not_sessions
    assert () == found.problems


def test_copies_are_listed(root: Path) -> None:
    """The copy, and what it is a copy of."""
    write(root, a=chat(said("pens")), b=chat(said("pens")))
    assert (("b.json", "a.json"),) == scan_folder(root).sources.duplicates


def test_skipped_lines_are_counted_by_reason(root: Path) -> None:
    """What was left out of sound files is added up over the suite."""
    broken = "\n".join([chat(said("pens")), '{"messages": [', chat(said("hats"))])
    for name in ("a", "b"):
        (root / f"{name}.jsonl").write_text(broken.replace("pens", name), encoding="utf-8")
    found = scan_folder(root)
    assert 2 == sum(found.sources.skipped_lines.values()) + len(found.problems)


# -- what is wrong ---------------------------------------------------------------------


def _problems(found: Scan) -> list[tuple[str, int | None, str]]:
    return [(one.path, one.line, one.reason) for _, one in found.problems]


def test_an_unreadable_file_is_a_problem_with_its_line(root: Path) -> None:
    """The rest of the suite is there all the same."""
    write(root, a=chat(said("pens")), b='{"messages":\n [')
    found = scan_folder(root)
    assert ["a.json"] == [one.id for one in found.members]
    ((path, line, reason),) = _problems(found)
    assert ("b.json", 2) == (path, line)
    assert "ends too early" in reason


def test_a_problem_is_in_the_sources_too(root: Path) -> None:
    """Reports get the same problems as collection."""
    write(root, a="{")
    found = scan_folder(root)
    assert found.sources.problems == tuple(problem for _, problem in found.problems)
    assert [root / "a.json"] == [path for path, _ in found.problems]


def test_a_file_that_promised_nothing_is_left_alone(root: Path) -> None:
    """A text that begins like JSON and is none, under another name, is no broken session."""
    write(root, **{"notes.txt": "{ to do", "more.txt": '{"a": '})
    found = scan_folder(root)
    assert () == found.problems
    assert ("more.txt",) == found.sources.not_sessions


@pytest.mark.parametrize(
    "content", ['{"messages": [', "gone wrong", ""], ids=["cut off", "text", "empty"]
)
def test_a_chosen_file_that_cannot_be_read_is_a_problem(root: Path, content: str) -> None:
    """A glob says that it holds a session, whatever its name: it is never silently left out."""
    suite_in(root, '[suite]\nsessions = ["*.log"]\n')
    write(root, **{"a.log": chat(said("pens")), "b.log": content})
    found = scan_folder(root)
    assert ["a.log"] == [one.id for one in found.members]
    assert ["b.log"] == [path for path, _, _ in _problems(found)]
    assert () == found.sources.not_sessions


def test_a_file_that_is_chosen_later_is_a_problem_then(root: Path, store: Store) -> None:
    """That it was nobody's session before is not remembered."""
    write(root, **{"a.log": chat(said("pens")), "b.log": '{"messages": ['})
    assert () == scan_folder(root, store).problems
    suite_in(root, '[suite]\nsessions = ["*.log"]\n')
    assert ["b.log"] == [path for path, _, _ in _problems(scan_folder(root, store))]


def test_a_chosen_file_of_other_json_is_counted(root: Path) -> None:
    """A glob may be wider than the sessions."""
    suite_in(root, '[suite]\nsessions = ["*.log"]\n')
    write(root, **{"a.log": chat(said("pens")), "b.log": '{"name": "left-pad"}'})
    found = scan_folder(root)
    assert () == found.problems
    assert ("b.log",) == found.sources.not_sessions


def test_a_named_file_without_a_session_is_a_problem(root: Path) -> None:
    """Whoever names ``package.json`` is told that it holds no session."""
    write(root, package='{"name": "left-pad"}')
    found = scan_folder(root, named={root / "package.json"})
    assert ["holds no session that a reader recognises"] == [
        reason.partition(";")[0] for _, _, reason in _problems(found)
    ]
    assert () == found.sources.not_sessions


def test_a_file_beyond_the_limit_is_not_read(root: Path) -> None:
    """The error names the limit."""
    write(root, a=chat(said("pens")))
    ((_, _, reason),) = _problems(scan_folder(root, limits=Limits(file_bytes=10)))
    assert "10 bytes" in reason


def test_one_session_beyond_the_limit_is_a_problem_of_its_own(root: Path) -> None:
    """In a file of several, the others are there; the problem names the session."""
    lines = [chat(said("pens")), chat(said("hats", 9))]
    (root / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    found = scan_folder(root, limits=Limits(messages=4))
    assert 1 == len(found.members)
    ((path, _, reason),) = _problems(found)
    assert path.startswith("a.jsonl::")
    assert "limit of 4 messages" in reason


def test_a_file_with_a_broken_session_is_read_again(root: Path, store: Store) -> None:
    """Its sound sessions are there each time, and so is the problem."""
    lines = [chat(said("pens")), chat(said("hats", 9))]
    (root / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    first, second = (scan_folder(root, store, limits=Limits(messages=4)) for _ in range(2))
    assert first == second
    assert 1 == len(second.problems)


def test_a_link_that_leads_out_is_a_problem(root: Path) -> None:
    """Nothing outside of the suite is read, and it is said."""
    write(root.parent, outside=chat(said("pens")))
    (root / "a.json").symlink_to(root.parent / "outside.json")
    ((path, _, reason),) = _problems(scan_folder(root))
    assert "a.json" == path
    assert "outside" in reason


# -- the suite's own files -------------------------------------------------------------


def test_the_suites_own_files_are_no_sessions(root: Path) -> None:
    """Suite file, rubric, profiles, feedback, baseline and anchor are not looked at."""
    suite_in(
        root,
        '[suite]\nfeedback = ["thumbs/*.jsonl"]\n[profiles]\ndefault = "shop.json"\n'
        '[gate]\naxes = ["tool_usage_quality"]\nbaseline = "base.json"\n',
    )
    thumb = json.dumps({"session_id": "a", "message_index": 0, "rating": 1})
    write(
        root,
        a=chat(said("pens")),
        shop='{"you": "sell"}',
        base='{"format": 1}',
        **{"base.anchor.json": "{}", "thumbs__one.jsonl": thumb},
    )
    found = scan_folder(root)
    assert ["a.json"] == [one.id for one in found.members]
    assert () == found.sources.not_sessions


def test_a_file_of_another_session_is_no_item(root: Path) -> None:
    """What a reader says belongs to another file's session stands for nothing itself."""
    write(root, a=json.dumps({"pair": said("pens")}), **{"a.notes.json": '{"x": 1}'})
    found = scan_folder(root, None, PairReader())
    assert ["a.json"] == [one.id for one in found.members]
    assert () == found.sources.not_sessions


# -- usage errors ----------------------------------------------------------------------


def test_a_gate_needs_keys_of_their_own(root: Path) -> None:
    """With a gate, two sessions of one key are refused, and the message says what to set."""
    suite_in(root, '[suite]\nkey = "run"\n[gate]\naxes = ["tool_usage_quality"]\n')
    for name in ("a", "b"):
        write(root, **{name: chat(said(name), metadata={"run": 7})})
    with pytest.raises(
        SuiteError, match=r'1 keys? names? more than one session \(7\).*key = "path"'
    ):
        scan_folder(root)


def test_without_a_gate_keys_may_repeat(root: Path) -> None:
    """They are told apart and listed."""
    suite_in(root, '[suite]\nkey = "run"\n')
    for name in ("a", "b"):
        write(root, **{name: chat(said(name), metadata={"run": 7})})
    assert ("7",) == scan_folder(root).repeated_keys


def test_an_expectation_of_nobody_is_refused(root: Path) -> None:
    """The message names the session that is not there, and some that are."""
    suite_in(root, '[[expect]]\nsession = "z.json"\nmax_messages = 3\n')
    write(root, a=chat(said("pens")))
    with pytest.raises(SuiteError, match=r"not there: z\.json; the keys are a\.json"):
        scan_folder(root)


# -- canaries --------------------------------------------------------------------------

_FROZEN = '[gate]\naxes = ["efficiency"]\ncanaries = ["frozen/*.json"]\n'


def _canaries(root: Path, count: int) -> None:
    write(root, **{f"frozen__c{number:02d}": chat(said(f"c{number}")) for number in range(count)})


def test_canaries_are_no_sessions_of_the_suite(root: Path) -> None:
    """Whatever else the suite's files are: named by their place, in no count."""
    suite_in(root, _FROZEN)
    _canaries(root, 10)
    write(root, a=chat(said("pens")))
    found = scan_folder(root)
    assert (["a.json"], 1) == ([one.id for one in found.members], found.sources.sessions)
    assert [f"frozen/c{n:02d}.json" for n in range(10)] == [m.session.key for m in found.canaries]


def test_canaries_may_lie_outside_of_the_session_globs(root: Path) -> None:
    """They have globs of their own."""
    suite_in(root, f'[suite]\nsessions = ["a.json"]\n{_FROZEN}')
    _canaries(root, 10)
    write(root, a=chat(said("pens")))
    found = scan_folder(root)
    assert (1, 10) == (len(found.members), len(found.canaries))


def test_a_canary_may_be_a_copy_of_a_session(root: Path) -> None:
    """It is no duplicate of it."""
    suite_in(root, _FROZEN)
    _canaries(root, 10)
    write(root, a=chat(said("c3")))
    found = scan_folder(root)
    assert (1, 10, ()) == (len(found.members), len(found.canaries), found.sources.duplicates)


@pytest.mark.parametrize("count", [0, 9])
def test_too_few_canaries_are_refused(root: Path, count: int) -> None:
    """The message counts them; copies of one another count once."""
    suite_in(root, _FROZEN)
    _canaries(root, count)
    write(root, a=chat(said("pens")))
    if count:
        write(root, frozen__copy=chat(said("c3")))
    with pytest.raises(SuiteError, match=f"names {count} sessions; 10 to 20"):
        scan_folder(root)


def test_an_unreadable_canary_is_a_problem(root: Path) -> None:
    """And is told before their number."""
    suite_in(root, _FROZEN)
    _canaries(root, 9)
    write(root, a=chat(said("pens")), frozen__broken="{")
    found = scan_folder(root)
    assert ["frozen/broken.json"] == [problem.path for _, problem in found.problems]
