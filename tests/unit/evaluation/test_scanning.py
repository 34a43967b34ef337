"""A suite's folder, scanned: sessions, problems, what was left out, and what is not read again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from evaluation_cases import CountingReader, chat, said, write

from pytest_sessioneval.errors import SuiteError
from pytest_sessioneval.evaluation.scanning import Scan, scan
from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.stores.sqlite import open_sqlite
from pytest_sessioneval.suites.loading import default_suite, load_suite
from pytest_sessioneval.transcripts.reader import Document, FileReading, Limits, Record
from pytest_sessioneval.transcripts.registry import Registry, builtin_readers

SECRET = "sk-ant-api03-" + "Zx9" * 31


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Return an empty store beside the suite."""
    opened = open_sqlite(tmp_path / "store" / "store.db")
    yield opened
    opened.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return an empty suite folder."""
    folder = tmp_path / "suite"
    folder.mkdir()
    return folder


class PairReader(CountingReader):
    """A reader of ``{"pair": …}``: the session is in the file, its notes beside it."""

    name = "pair"

    def detects(self, document: Document) -> bool:
        """Return whether it is a pair."""
        return isinstance(document.value, dict) and "pair" in document.value

    def read(self, document: Document, limits: Limits) -> FileReading:
        """Return what the built-in readers make of the pair's messages."""
        record = Record({"messages": document.value["pair"]}, 1)
        inner = Document(document.path, "json", (record,))
        return Registry(builtin_readers()).read_document(inner, limits)

    def companions(self, path: Path) -> list[Path]:
        """Return the notes."""
        notes = path.with_suffix(".notes.json")
        return [notes] if notes.exists() else []

    def owns(self, path: Path) -> bool:
        """Return whether it is somebody's notes."""
        return path.name.endswith(".notes.json")


def _scan(root: Path, store: Store | None = None, *readers: Any, **how: Any) -> Scan:
    suite = load_suite(root) if (root / "sessioneval.toml").exists() else default_suite(root)
    registry = Registry((*readers, *builtin_readers()))
    return scan(suite, registry=registry, store=store, **how)


def _suite(root: Path, text: str) -> None:
    (root / "sessioneval.toml").write_text(text, encoding="utf-8")


# -- what is there ---------------------------------------------------------------------


def test_every_file_of_one_session_is_a_session(root: Path) -> None:
    """Sessions come by path, each with its file and its summary."""
    write(root, b=chat(said("pens")), a__c=chat(said("hats", 2)))
    found = _scan(root)
    assert [("a/c.json", 4), ("b.json", 2)] == [
        (one.session.path, one.session.summary.message_count) for one in found.members
    ]
    assert [root / "a" / "c.json", root / "b.json"] == [one.path for one in found.members]


def test_a_file_may_hold_several(root: Path) -> None:
    """Each of them has the file's path and what names it there."""
    lines = [chat(said(subject)) for subject in ("pens", "hats")]
    (root / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    found = _scan(root)
    assert 2 == len({one.id for one in found.members})
    assert {"a.jsonl"} == {one.session.path for one in found.members}
    assert all(one.id.startswith("a.jsonl::") for one in found.members)
    assert (1, 2) == (found.sources.files_read, found.sources.sessions)


def test_other_json_is_counted_and_listed(root: Path) -> None:
    """A file that parses and holds no session is no error, and is not silent."""
    write(root, a=chat(said("pens")), package='{"name": "left-pad", "version": "1.0.0"}')
    found = _scan(root)
    assert ("package.json",) == found.sources.not_sessions
    assert () == found.problems


def test_copies_are_listed(root: Path) -> None:
    """The copy, and what it is a copy of."""
    write(root, a=chat(said("pens")), b=chat(said("pens")))
    assert (("b.json", "a.json"),) == _scan(root).sources.duplicates


def test_skipped_lines_are_counted_by_reason(root: Path) -> None:
    """What was left out of sound files is added up over the suite."""
    broken = "\n".join([chat(said("pens")), '{"messages": [', chat(said("hats"))])
    for name in ("a", "b"):
        (root / f"{name}.jsonl").write_text(broken.replace("pens", name), encoding="utf-8")
    found = _scan(root)
    assert 2 == sum(found.sources.skipped_lines.values()) + len(found.problems)


# -- what is wrong ---------------------------------------------------------------------


def _problems(found: Scan) -> list[tuple[str, int | None, str]]:
    return [(one.path, one.line, one.reason) for _, one in found.problems]


def test_an_unreadable_file_is_a_problem_with_its_line(root: Path) -> None:
    """The rest of the suite is there all the same."""
    write(root, a=chat(said("pens")), b='{"messages":\n [')
    found = _scan(root)
    assert ["a.json"] == [one.id for one in found.members]
    ((path, line, reason),) = _problems(found)
    assert ("b.json", 2) == (path, line)
    assert "ends too early" in reason


def test_a_problem_is_in_the_sources_too(root: Path) -> None:
    """Reports get the same problems as collection."""
    write(root, a="{")
    found = _scan(root)
    assert found.sources.problems == tuple(problem for _, problem in found.problems)
    assert [root / "a.json"] == [path for path, _ in found.problems]


def test_a_file_that_promised_nothing_is_left_alone(root: Path) -> None:
    """A text that begins like JSON and is none, under another name, is no broken session."""
    write(root, **{"notes.txt": "{ to do", "more.txt": '{"a": '})
    found = _scan(root)
    assert () == found.problems
    assert ("more.txt",) == found.sources.not_sessions


@pytest.mark.parametrize(
    "content", ['{"messages": [', "gone wrong", ""], ids=["cut off", "text", "empty"]
)
def test_a_chosen_file_that_cannot_be_read_is_a_problem(root: Path, content: str) -> None:
    """A glob says that it holds a session, whatever its name: it is never silently left out."""
    _suite(root, '[suite]\nsessions = ["*.log"]\n')
    write(root, **{"a.log": chat(said("pens")), "b.log": content})
    found = _scan(root)
    assert ["a.log"] == [one.id for one in found.members]
    assert ["b.log"] == [path for path, _, _ in _problems(found)]
    assert () == found.sources.not_sessions


def test_a_file_that_is_chosen_later_is_a_problem_then(root: Path, store: Store) -> None:
    """That it was nobody's session before is not remembered."""
    write(root, **{"a.log": chat(said("pens")), "b.log": '{"messages": ['})
    assert () == _scan(root, store).problems
    _suite(root, '[suite]\nsessions = ["*.log"]\n')
    assert ["b.log"] == [path for path, _, _ in _problems(_scan(root, store))]


def test_a_chosen_file_of_other_json_is_counted(root: Path) -> None:
    """A glob may be wider than the sessions."""
    _suite(root, '[suite]\nsessions = ["*.log"]\n')
    write(root, **{"a.log": chat(said("pens")), "b.log": '{"name": "left-pad"}'})
    found = _scan(root)
    assert () == found.problems
    assert ("b.log",) == found.sources.not_sessions


def test_a_named_file_without_a_session_is_a_problem(root: Path) -> None:
    """Whoever names ``package.json`` is told that it holds no session."""
    write(root, package='{"name": "left-pad"}')
    found = _scan(root, named={root / "package.json"})
    assert ["holds no session that a reader recognises"] == [
        reason.partition(";")[0] for _, _, reason in _problems(found)
    ]
    assert () == found.sources.not_sessions


def test_a_file_beyond_the_limit_is_not_read(root: Path) -> None:
    """The error names the limit."""
    write(root, a=chat(said("pens")))
    ((_, _, reason),) = _problems(_scan(root, limits=Limits(file_bytes=10)))
    assert "10 bytes" in reason


def test_one_session_beyond_the_limit_is_a_problem_of_its_own(root: Path) -> None:
    """In a file of several, the others are there; the problem names the session."""
    lines = [chat(said("pens")), chat(said("hats", 9))]
    (root / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    found = _scan(root, limits=Limits(messages=4))
    assert 1 == len(found.members)
    ((path, _, reason),) = _problems(found)
    assert path.startswith("a.jsonl::")
    assert "limit of 4 messages" in reason


def test_a_file_with_a_broken_session_is_read_again(root: Path, store: Store) -> None:
    """Its sound sessions are there each time, and so is the problem."""
    lines = [chat(said("pens")), chat(said("hats", 9))]
    (root / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    first, second = (_scan(root, store, limits=Limits(messages=4)) for _ in range(2))
    assert first == second
    assert 1 == len(second.problems)


def test_a_link_that_leads_out_is_a_problem(root: Path) -> None:
    """Nothing outside of the suite is read, and it is said."""
    write(root.parent, outside=chat(said("pens")))
    (root / "a.json").symlink_to(root.parent / "outside.json")
    ((path, _, reason),) = _problems(_scan(root))
    assert "a.json" == path
    assert "outside" in reason


# -- the suite's own files -------------------------------------------------------------


def test_the_suites_own_files_are_no_sessions(root: Path) -> None:
    """Suite file, rubric, profiles, feedback, baseline and anchor are not looked at."""
    _suite(
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
    found = _scan(root)
    assert ["a.json"] == [one.id for one in found.members]
    assert () == found.sources.not_sessions


def test_a_file_of_another_session_is_no_item(root: Path) -> None:
    """What a reader says belongs to another file's session stands for nothing itself."""
    write(root, a=json.dumps({"pair": said("pens")}), **{"a.notes.json": '{"x": 1}'})
    found = _scan(root, None, PairReader())
    assert ["a.json"] == [one.id for one in found.members]
    assert () == found.sources.not_sessions


# -- usage errors ----------------------------------------------------------------------


def test_a_gate_needs_keys_of_their_own(root: Path) -> None:
    """With a gate, two sessions of one key are refused, and the message says what to set."""
    _suite(root, '[suite]\nkey = "run"\n[gate]\naxes = ["tool_usage_quality"]\n')
    for name in ("a", "b"):
        write(root, **{name: chat(said(name), metadata={"run": 7})})
    with pytest.raises(
        SuiteError, match=r'1 keys? names? more than one session \(7\).*key = "path"'
    ):
        _scan(root)


def test_without_a_gate_keys_may_repeat(root: Path) -> None:
    """They are told apart and listed."""
    _suite(root, '[suite]\nkey = "run"\n')
    for name in ("a", "b"):
        write(root, **{name: chat(said(name), metadata={"run": 7})})
    assert ("7",) == _scan(root).repeated_keys


def test_an_expectation_of_nobody_is_refused(root: Path) -> None:
    """The message names the session that is not there, and some that are."""
    _suite(root, '[[expect]]\nsession = "z.json"\nmax_messages = 3\n')
    write(root, a=chat(said("pens")))
    with pytest.raises(SuiteError, match=r"not there: z\.json; the keys are a\.json"):
        _scan(root)


# -- the store -------------------------------------------------------------------------


def test_known_bytes_are_not_read_again(root: Path, store: Store) -> None:
    """The second scan finds the same, without a reader seeing anything."""
    write(root, a=chat(said("pens")), package='{"name": "left-pad"}')
    reader = CountingReader()
    first = _scan(root, store, reader)
    assert ["a.json", "package.json"] == sorted(set(reader.seen))
    reader.seen.clear()
    assert first == _scan(root, store, reader)
    assert [] == reader.seen


def test_time_stamps_do_not_count(root: Path, store: Store) -> None:
    """A file that was only touched is known."""
    write(root, a=chat(said("pens")))
    reader = CountingReader()
    _scan(root, store, reader)
    reader.seen.clear()
    write(root, a=chat(said("pens")))
    _scan(root, store, reader)
    assert [] == reader.seen


def test_changed_bytes_are_read_again(root: Path, store: Store) -> None:
    """Whatever its time stamp says, a changed file gives what it holds now."""
    write(root, a=chat(said("pens")))
    _scan(root, store)
    write(root, a=chat(said("pens", 3)))
    assert [6] == [one.session.summary.message_count for one in _scan(root, store).members]


def test_a_changed_companion_is_read_again(root: Path, store: Store) -> None:
    """A session is all of its files."""
    write(root, a=json.dumps({"pair": said("pens")}), **{"a.notes.json": '{"x": 1}'})
    counting = CountingReader()
    _scan(root, store, counting, PairReader())
    counting.seen.clear()
    write(root, **{"a.notes.json": '{"x": 2}'})
    _scan(root, store, counting, PairReader())
    assert ["a.json"] == counting.seen


def test_another_version_of_a_reader_reads_again(root: Path, store: Store) -> None:
    """What an older reader made of a file is not believed."""
    write(root, a=chat(said("pens")))
    _scan(root, store, CountingReader(1))
    newer = CountingReader(2)
    _scan(root, store, newer)
    assert ["a.json"] == newer.seen


def test_a_moved_file_is_known(root: Path, store: Store) -> None:
    """The folder does not count: the same file elsewhere is not read again."""
    write(root, a__s=chat(said("pens")))
    _scan(root, store)
    (root / "a").rename(root / "b")
    reader = CountingReader()
    assert ["b/s.json"] == [one.id for one in _scan(root, store).members]
    assert [] == reader.seen


def test_what_could_not_be_read_is_tried_again(root: Path, store: Store) -> None:
    """A problem is never remembered: next time there may be more memory, or another limit."""
    write(root, a="{", b=chat(said("pens", 9)))
    assert 2 == len(_scan(root, store, limits=Limits(messages=4)).problems)
    assert 1 == len(_scan(root, store).problems)


def test_a_store_changes_nothing_that_is_found(root: Path, store: Store) -> None:
    """With a store, without one, and from the store: the same."""
    lines = [chat(said("pens")), '{"messages": [', chat(said("hats"))]
    write(root, a=chat(said("shoes")), package='{"name": "left-pad"}', broken="{")
    (root / "b.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert _scan(root) == _scan(root, store) == _scan(root, store)


def test_no_secret_is_kept(root: Path, store: Store, tmp_path: Path) -> None:
    """What collection keeps of a session, in memory and in the store, has no secret in it."""
    write(
        root,
        a=chat(said("pens"), name=f"with {SECRET}", metadata={"note": f"token {SECRET}", "run": 7}),
    )
    (one,) = _scan(root, store).members
    assert SECRET not in one.model_dump_json()
    assert 7 == one.session.summary.metadata["run"]
    store.close()
    kept = b"".join(path.read_bytes() for path in (tmp_path / "store").iterdir() if path.is_file())
    assert b"pens" not in kept
    assert SECRET.encode() not in kept


def test_what_a_suite_calls_a_secret_is_one_in_what_was_read_before(
    root: Path, store: Store
) -> None:
    """A kept summary is not taken over from a run that let it stand."""
    write(root, a=chat(said("pens"), name="for CU-17"))
    _scan(root, store)
    _suite(root, "[[redact.patterns]]\nkind = 'customer'\npattern = 'CU-[0-9]+'\n")
    (one,) = _scan(root, store).members

    assert "for [REDACTED:customer:1]" == one.session.summary.name


# -- canaries --------------------------------------------------------------------------

_FROZEN = '[gate]\naxes = ["efficiency"]\ncanaries = ["frozen/*.json"]\n'


def _canaries(root: Path, count: int) -> None:
    write(root, **{f"frozen__c{number:02d}": chat(said(f"c{number}")) for number in range(count)})


def test_canaries_are_no_sessions_of_the_suite(root: Path) -> None:
    """Whatever else the suite's files are: named by their place, in no count."""
    _suite(root, _FROZEN)
    _canaries(root, 10)
    write(root, a=chat(said("pens")))
    found = _scan(root)
    assert (["a.json"], 1) == ([one.id for one in found.members], found.sources.sessions)
    assert [f"frozen/c{n:02d}.json" for n in range(10)] == [m.session.key for m in found.canaries]


def test_canaries_may_lie_outside_of_the_session_globs(root: Path) -> None:
    """They have globs of their own."""
    _suite(root, f'[suite]\nsessions = ["a.json"]\n{_FROZEN}')
    _canaries(root, 10)
    write(root, a=chat(said("pens")))
    found = _scan(root)
    assert (1, 10) == (len(found.members), len(found.canaries))


def test_a_canary_may_be_a_copy_of_a_session(root: Path) -> None:
    """It is no duplicate of it."""
    _suite(root, _FROZEN)
    _canaries(root, 10)
    write(root, a=chat(said("c3")))
    found = _scan(root)
    assert (1, 10, ()) == (len(found.members), len(found.canaries), found.sources.duplicates)


@pytest.mark.parametrize("count", [0, 9])
def test_too_few_canaries_are_refused(root: Path, count: int) -> None:
    """The message counts them; copies of one another count once."""
    _suite(root, _FROZEN)
    _canaries(root, count)
    write(root, a=chat(said("pens")))
    if count:
        write(root, frozen__copy=chat(said("c3")))
    with pytest.raises(SuiteError, match=f"names {count} sessions; 10 to 20"):
        _scan(root)


def test_an_unreadable_canary_is_a_problem(root: Path) -> None:
    """And is told before their number."""
    _suite(root, _FROZEN)
    _canaries(root, 9)
    write(root, a=chat(said("pens")), frozen__broken="{")
    found = _scan(root)
    assert ["frozen/broken.json"] == [problem.path for _, problem in found.problems]
