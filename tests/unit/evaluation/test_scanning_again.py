"""What is known of a file by its bytes is not read again."""

from __future__ import annotations

import json
from pathlib import Path

from evaluation_cases import CountingReader, PairReader, chat, said, scan_folder, suite_in, write

from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.transcripts.reader import Limits

SECRET = "sk-ant-api03-" + "Zx9" * 31


def test_known_bytes_are_not_read_again(root: Path, store: Store) -> None:
    """The second scan finds the same, without a reader seeing anything."""
    write(root, a=chat(said("pens")), package='{"name": "left-pad"}')
    reader = CountingReader()
    first = scan_folder(root, store, reader)
    assert ["a.json", "package.json"] == sorted(set(reader.seen))
    reader.seen.clear()
    assert first == scan_folder(root, store, reader)
    assert [] == reader.seen


def test_time_stamps_do_not_count(root: Path, store: Store) -> None:
    """A file that was only touched is known."""
    write(root, a=chat(said("pens")))
    reader = CountingReader()
    scan_folder(root, store, reader)
    reader.seen.clear()
    write(root, a=chat(said("pens")))
    scan_folder(root, store, reader)
    assert [] == reader.seen


def test_changed_bytes_are_read_again(root: Path, store: Store) -> None:
    """Whatever its time stamp says, a changed file gives what it holds now."""
    write(root, a=chat(said("pens")))
    scan_folder(root, store)
    write(root, a=chat(said("pens", 3)))
    assert [6] == [one.session.summary.message_count for one in scan_folder(root, store).members]


def test_a_changed_companion_is_read_again(root: Path, store: Store) -> None:
    """A session is all of its files."""
    write(root, a=json.dumps({"pair": said("pens")}), **{"a.notes.json": '{"x": 1}'})
    counting = CountingReader()
    scan_folder(root, store, counting, PairReader())
    counting.seen.clear()
    write(root, **{"a.notes.json": '{"x": 2}'})
    scan_folder(root, store, counting, PairReader())
    assert ["a.json"] == counting.seen


def test_another_version_of_a_reader_reads_again(root: Path, store: Store) -> None:
    """What an older reader made of a file is not believed."""
    write(root, a=chat(said("pens")))
    scan_folder(root, store, CountingReader(1))
    newer = CountingReader(2)
    scan_folder(root, store, newer)
    assert ["a.json"] == newer.seen


def test_a_moved_file_is_known(root: Path, store: Store) -> None:
    """The folder does not count: the same file elsewhere is not read again."""
    write(root, a__s=chat(said("pens")))
    scan_folder(root, store)
    (root / "a").rename(root / "b")
    reader = CountingReader()
    assert ["b/s.json"] == [one.id for one in scan_folder(root, store).members]
    assert [] == reader.seen


def test_what_could_not_be_read_is_tried_again(root: Path, store: Store) -> None:
    """A problem is never remembered: next time there may be more memory, or another limit."""
    write(root, a="{", b=chat(said("pens", 9)))
    assert 2 == len(scan_folder(root, store, limits=Limits(messages=4)).problems)
    assert 1 == len(scan_folder(root, store).problems)


def test_a_store_changes_nothing_that_is_found(root: Path, store: Store) -> None:
    """With a store, without one, and from the store: the same."""
    lines = [chat(said("pens")), '{"messages": [', chat(said("hats"))]
    write(root, a=chat(said("shoes")), package='{"name": "left-pad"}', broken="{")
    (root / "b.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert scan_folder(root) == scan_folder(root, store) == scan_folder(root, store)


def test_no_secret_is_kept(root: Path, store: Store, tmp_path: Path) -> None:
    """What collection keeps of a session, in memory and in the store, has no secret in it."""
    write(
        root,
        a=chat(said("pens"), name=f"with {SECRET}", metadata={"note": f"token {SECRET}", "run": 7}),
    )
    (one,) = scan_folder(root, store).members
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
    scan_folder(root, store)
    suite_in(root, "[[redact.patterns]]\nkind = 'customer'\npattern = 'CU-[0-9]+'\n")
    (one,) = scan_folder(root, store).members

    assert "for [REDACTED:customer:1]" == one.session.summary.name
