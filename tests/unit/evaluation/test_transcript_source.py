"""Transcripts for judging: read again, the same as collected, without secrets."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from evaluation_cases import CountingReader, chat, said, write

from pytest_sessioneval.errors import TranscriptError
from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.evaluation.reading import Readings, TranscriptSource, redacted_summary
from pytest_sessioneval.evaluation.scanning import scan
from pytest_sessioneval.suites.loading import default_suite
from pytest_sessioneval.testing import transcript
from pytest_sessioneval.transcripts.digest import summarise
from pytest_sessioneval.transcripts.model import Outcome
from pytest_sessioneval.transcripts.reader import FileReading
from pytest_sessioneval.transcripts.redaction_policy import OwnSecret, RedactionPolicy
from pytest_sessioneval.transcripts.registry import Registry, builtin_readers

SECRET = "sk-ant-api03-" + "Zx9" * 31


def _members(root: Path) -> tuple[Member, ...]:
    registry = Registry(builtin_readers())
    return scan(default_suite(root), registry=registry, store=None).members


def _reading() -> FileReading:
    return FileReading("any", 1, ())


def _source() -> TranscriptSource:
    return TranscriptSource(Registry(builtin_readers()))


def test_a_member_has_its_transcript(tmp_path: Path) -> None:
    """What is judged is what the file holds."""
    write(tmp_path, a=chat(said("pens")))
    (member,) = _members(tmp_path)
    assert ["What about pens, 0.", "All is well with pens, 0."] == [
        message.text for message in _source().load(member).messages
    ]


def test_each_session_of_a_file_has_its_own(tmp_path: Path) -> None:
    """They are told apart by what names them there."""
    lines = [chat(said(subject)) for subject in ("pens", "hats")]
    write(tmp_path, **{"a.jsonl": "\n".join(lines)})
    source = _source()
    assert ["pens", "hats"] == [
        source.load(member).messages[0].text.split()[2].rstrip(",") for member in _members(tmp_path)
    ]


@pytest.mark.parametrize("ask", [("load",), ("peek",), ("peek", "load")], ids="-".join)
def test_a_file_of_several_is_read_once(tmp_path: Path, ask: tuple[str, ...]) -> None:
    """A thousand sessions in one file do not mean a thousand times reading it."""
    lines = [chat(said(f"pen {n}")) for n in range(6)]
    write(tmp_path, **{"a.jsonl": "\n".join(lines)})
    reader = CountingReader()
    source = TranscriptSource(Registry((reader, *builtin_readers())))
    for name in ask:
        for member in _members(tmp_path):
            getattr(source, name)(member)
    assert ["a.jsonl"] == reader.seen


@pytest.mark.parametrize("name", ["load", "peek"])
def test_a_file_of_several_that_was_rewritten_is_read_again(tmp_path: Path, name: str) -> None:
    """A service shows sessions for weeks, while recorders add to their file."""
    source = _source()
    for subjects in (("pens", "hats"), ("pens", "hats", "caps")):
        write(tmp_path, **{"a.jsonl": "\n".join(chat(said(subject)) for subject in subjects)})
        found = [getattr(source, name)(member) for member in _members(tmp_path)]
        assert [f"What about {subject}, 0." for subject in subjects] == [
            one.messages[0].text for one in found
        ]


def test_only_the_last_few_files_are_remembered(tmp_path: Path) -> None:
    """Memory is bounded: after four other files, the first is read anew."""
    for name in "abcde":
        lines = [chat(said(f"{name} {n}")) for n in range(2)]
        write(tmp_path, **{f"{name}.jsonl": "\n".join(lines)})
    reader = CountingReader()
    source = TranscriptSource(Registry((reader, *builtin_readers())))
    members = {one.id[0]: one for one in _members(tmp_path)}
    for name in "abcda" + "ea" + "b":
        source.load(members[name])
    assert ["a.jsonl", "b.jsonl", "c.jsonl", "d.jsonl", "e.jsonl", "b.jsonl"] == reader.seen


def test_what_collection_read_is_not_read_again(tmp_path: Path) -> None:
    """A cold run would spend as long on it as on prompt and reply."""
    write(tmp_path, a=chat(said("pens")))
    reader = CountingReader()
    registry, readings = Registry((reader, *builtin_readers())), Readings()
    scanned = scan(default_suite(tmp_path), registry=registry, store=None, readings=readings)
    TranscriptSource(registry, readings=readings).load(scanned.members[0])
    assert ["a.json"] == reader.seen


def test_a_reading_is_given_away_once(tmp_path: Path) -> None:
    """So that memory is freed as sessions are judged."""
    reading, readings = _reading(), Readings()
    readings.keep(tmp_path, reading, tmp_path.stat())
    assert (reading, None) == (readings.take(tmp_path), readings.take(tmp_path))


def test_a_file_that_was_touched_is_read_again(tmp_path: Path) -> None:
    """It may hold another session now."""
    path, readings = tmp_path / "a.json", Readings()
    path.write_text("[]")
    readings.keep(path, _reading(), path.stat())
    path.write_text("[ ]")
    assert readings.take(path) is None


def test_a_file_that_is_gone_has_no_reading(tmp_path: Path) -> None:
    """Reading it again then says so."""
    path, readings = tmp_path / "a.json", Readings()
    path.write_text("[]")
    readings.keep(path, _reading(), path.stat())
    path.unlink()
    assert readings.take(path) is None


def test_large_files_are_read_again(tmp_path: Path) -> None:
    """Memory is bounded by the files' size: each, and all together."""
    readings = Readings()
    paths = [tmp_path / f"{number:02}" for number in range(65)]
    large = tmp_path / "large"
    for path, size in ((large, 256 * 1024 + 1), *((path, 256 * 1024) for path in paths)):
        path.write_bytes(b"")
        os.truncate(path, size)
        readings.keep(path, _reading(), path.stat())
    kept = [path for path in paths if readings.take(path) is not None]
    assert (paths[:64], None) == (kept, readings.take(large))


@pytest.mark.parametrize(
    "content",
    [chat(said("hats")), chat(said("pens", 2)), chat(said("pens")[:1])],
    ids=["another", "longer", "shorter"],
)
def test_what_changed_meanwhile_is_not_judged(tmp_path: Path, content: str) -> None:
    """The verdict would be kept under the key of what was collected."""
    write(tmp_path, a=chat(said("pens")))
    (member,) = _members(tmp_path)
    write(tmp_path, a=content)
    with pytest.raises(TranscriptError, match=r"a\.json: the session changed.*run again"):
        _source().load(member)


def test_what_is_gone_from_its_file_is_not_judged(tmp_path: Path) -> None:
    """A file of several may have lost one."""
    lines = [chat(said(subject)) for subject in ("pens", "hats")]
    write(tmp_path, **{"a.jsonl": "\n".join(lines)})
    _, second = _members(tmp_path)
    write(tmp_path, **{"a.jsonl": lines[0] + "\n"})
    with pytest.raises(TranscriptError, match="the session changed"):
        _source().load(second)


def test_a_rewritten_file_of_the_same_session_is_judged(tmp_path: Path) -> None:
    """Only what was said counts, not how the file is laid out."""
    write(tmp_path, a=chat(said("pens")))
    (member,) = _members(tmp_path)
    write(tmp_path, a=json.dumps(json.loads(chat(said("pens"))), indent=4))
    assert 2 == len(_source().load(member).messages)


def test_a_file_that_is_gone_says_so(tmp_path: Path) -> None:
    """The reader's own words."""
    write(tmp_path, a=chat(said("pens")))
    (member,) = _members(tmp_path)
    member.path.unlink()
    with pytest.raises(TranscriptError, match="there is no such file"):
        _source().load(member)


def test_secrets_are_replaced_and_counted(tmp_path: Path) -> None:
    """No judge sees them; how many there were is told by kind."""
    messages = [{"role": "user", "content": f"My key is {SECRET}"}, *said("pens")]
    write(tmp_path, a=chat(messages), b=chat(messages[::-1]))
    source = _source()
    for member in _members(tmp_path):
        assert SECRET not in source.load(member).model_dump_json()
    assert 2 == sum(source.redacted(tmp_path.name).values())
    assert {} == source.redacted("another suite")


def test_a_suites_policy_decides_what_is_replaced(tmp_path: Path) -> None:
    """Kinds of its own beside the known ones, or nothing."""
    write(tmp_path, a=chat([{"role": "user", "content": f"CU-17 {SECRET}"}, *said("pens")]))
    (member,) = _members(tmp_path)
    own = RedactionPolicy(own=(OwnSecret(kind="customer", pattern=r"CU-\d+"),))
    texts = [
        _source().load(member, policy).messages[0].text
        for policy in (own, RedactionPolicy(what="off"))
    ]

    assert texts[0].startswith("[REDACTED:customer:1] [REDACTED:")
    assert f"CU-17 {SECRET}" == texts[1]


def test_a_summary_has_no_secret_in_its_words() -> None:
    """Title, metadata and the outcome's words are redacted; numbers stay numbers."""
    recorded = transcript(
        ("user", "hi"),
        name=f"token {SECRET}",
        metadata={"note": SECRET, "run": 7},
        outcome=Outcome(kind="reward", value=1.0, detail=f"said {SECRET}"),
    )
    kept = redacted_summary(recorded, "7")
    assert SECRET not in kept.model_dump_json()
    assert (7, 1.0, "7") == (
        kept.metadata["run"],
        kept.outcome.value if kept.outcome else None,
        kept.locator,
    )


def test_a_summary_is_otherwise_the_transcripts_own() -> None:
    """Digest, prefix digests and counts are those of the session as recorded."""
    recorded = transcript(("user", f"my key {SECRET}"), ("assistant", "thanks"), name="plain")
    assert summarise(recorded, "7") == redacted_summary(recorded, "7")
