"""Which reader reads a file, and what the registry adds to what it says."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from transcript_values import said, transcript_of

from pytest_sessioneval.errors import Place, TranscriptError, UnrecognisedError
from pytest_sessioneval.transcripts.reader import (
    Document,
    FileReading,
    FoundSession,
    Limits,
    SkippedLine,
)
from pytest_sessioneval.transcripts.registry import (
    BUILTIN_READERS,
    Registry,
    builtin_readers,
    content_fingerprint,
)


def _one_session(document: Document) -> FileReading:
    found = FoundSession(transcript_of(said("user", str(document.value))))
    return FileReading("ours", 1, (found,))


@dataclass
class _KeyReader:
    """Reads objects that hold a key, as a third party's reader would."""

    key: str = "ours"
    name: str = "ours"
    version: int = 1
    reads: Callable[[Document], FileReading] = field(default=_one_session)

    def detects(self, document: Document) -> bool:
        return isinstance(document.value, dict) and self.key in document.value

    def read(self, document: Document, limits: Limits) -> FileReading:  # noqa: ARG002
        return self.reads(document)

    def companions(self, path: Path) -> Iterable[Path]:
        return sorted(path.parent.glob(f"*.{self.key}"))

    def owns(self, path: Path) -> bool:
        return path.suffix == f".{self.key}"


def _file(folder: Path, value: Any, name: str = "a.json") -> Path:
    path = folder / name
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def test_the_first_reader_that_detects_its_format_reads(tmp_path: Path) -> None:
    """Order decides between readers that both recognise a document."""
    first = _KeyReader(name="first", reads=lambda _: FileReading("first", 1, ()))
    registry = Registry((_KeyReader(key="other", name="other"), first, _KeyReader()))

    assert "first" == registry.read(_file(tmp_path, {"ours": 1})).reader


def test_a_document_nobody_knows_is_unrecognised(tmp_path: Path) -> None:
    """The error is its own kind, so that it can be counted instead of failing."""
    with pytest.raises(
        UnrecognisedError, match=r"a\.json: no session of a known format \(tried: ours\)"
    ):
        Registry((_KeyReader(),)).read(_file(tmp_path, {"name": "some-package"}))


@pytest.mark.parametrize(
    "value",
    [
        {"name": "app", "version": "1.0.0", "scripts": {"test": "pytest"}},
        [{"name": "ann", "role": "user"}, {"name": "bob", "role": "admin"}],
        {"messages": {"hello": "Hallo"}},
        {"messages": []},
        {"messages": [{"text": "hi"}]},
        [1, 2, 3],
        {},
        [],
        [[]],
        [{}],
    ],
)
def test_json_that_is_no_session_is_unrecognised_by_the_built_in_readers(
    tmp_path: Path, value: Any
) -> None:
    """Configuration, user lists and translations are no transcripts."""
    with pytest.raises(UnrecognisedError):
        Registry(builtin_readers()).read(_file(tmp_path, value))


def test_labels_and_judge_replies_are_no_sessions(shared_data: Path) -> None:
    """Real JSON beside transcripts, with fields much like theirs, is told from them."""
    registry = Registry(builtin_readers())
    folders = [shared_data / "human-judged", shared_data / "judge-replies"]
    files = [path for folder in folders for path in folder.rglob("*.json*")]

    recognised = []
    for path in files:
        try:
            recognised.append((path.name, registry.read(path).reader))
        except UnrecognisedError:
            continue

    assert [] == recognised
    assert len(files) > 20


def test_readers_of_one_name_are_refused() -> None:
    """A name stands for one reader, because stored readings are known by it."""
    with pytest.raises(ValueError, match="a name of its own; the names are ours, ours"):
        Registry((_KeyReader(), _KeyReader(key="b")))


def test_skipped_lines_of_loading_and_reading_are_both_told(tmp_path: Path) -> None:
    """The document's come first; what a reader repeats is told once."""
    path = _file(tmp_path, '{"ours": 1}\n// note\n{"b": 2}')

    def reads(document: Document) -> FileReading:
        own = SkippedLine(str(path), 3, "odd")
        return FileReading("ours", 1, (), skipped=(*document.skipped, own))

    reading = Registry((_KeyReader(reads=reads),)).read(path)

    assert [(2, "comment"), (3, "odd")] == [(skip.line, skip.reason) for skip in reading.skipped]


def test_a_session_of_too_many_messages_is_an_error(tmp_path: Path) -> None:
    """A lone session beyond the limit is refused with the limit's name."""
    found = FoundSession(transcript_of(*[said("user")] * 3))
    reader = _KeyReader(reads=lambda _: FileReading("ours", 1, (found,)))

    with pytest.raises(
        TranscriptError, match="s1: 3 messages are more than the limit of 2 messages per session"
    ):
        Registry((reader,)).read(_file(tmp_path, {"ours": 1}), Limits(messages=2))


def test_among_others_it_is_one_broken_session(tmp_path: Path) -> None:
    """The file's other sessions are read."""
    found = [
        FoundSession(transcript_of(*[said("user")] * count), f"#{count}") for count in (1, 3, 2)
    ]
    reader = _KeyReader(reads=lambda _: FileReading("ours", 1, tuple(found)))

    reading = Registry((reader,)).read(_file(tmp_path, {"ours": 1}), Limits(messages=2))

    assert ["#1", "#2"] == [session.locator for session in reading.sessions]
    assert ["#3"] == [broken.locator for broken in reading.broken]


def test_a_reader_that_fails_is_an_error_of_that_file(tmp_path: Path) -> None:
    """A mistake in a reader gives one line that names it, and ends no run."""

    def reads(document: Document) -> FileReading:
        raise KeyError(f"no\n{document.kind}")

    with pytest.raises(TranscriptError) as caught:
        Registry((_KeyReader(reads=reads),)).read(_file(tmp_path, {"ours": 1}))

    assert f"{tmp_path / 'a.json'}: reader ours failed with KeyError: 'no\\njson'" == str(
        caught.value
    )


def test_a_reader_that_fails_to_recognise_is_an_error_of_that_file(tmp_path: Path) -> None:
    """The same holds for detection, which runs before anything is known of the file."""

    class Failing(_KeyReader):
        def detects(self, document: Document) -> bool:
            return bool(document.value["missing"])

    with pytest.raises(TranscriptError, match="reader ours failed with KeyError: 'missing'"):
        Registry((Failing(),)).read(_file(tmp_path, {"ours": 1}))


def test_what_a_reader_refuses_stays_its_own_error(tmp_path: Path) -> None:
    """A reader's TranscriptError is passed on as it is."""

    def reads(document: Document) -> FileReading:
        raise TranscriptError("nothing to judge", place=Place(document.path.name, 3))

    with pytest.raises(TranscriptError, match=r"^a\.json:3: nothing to judge$"):
        Registry((_KeyReader(reads=reads),)).read(_file(tmp_path, {"ours": 1}))


def test_files_of_other_sessions_are_those_any_reader_owns(tmp_path: Path) -> None:
    """Owning and companions are asked of every reader."""
    registry = Registry((_KeyReader(), _KeyReader(key="theirs", name="theirs")))
    for name in ("b.theirs", "a.ours", "c.json"):
        _file(tmp_path, {}, name)

    assert [True, False] == [registry.owns(tmp_path / name) for name in ("b.theirs", "c.json")]
    assert (tmp_path / "a.ours", tmp_path / "b.theirs") == registry.companions(tmp_path / "c.json")


def test_the_fingerprint_covers_names_order_and_versions() -> None:
    """Anything that may change a reading makes stored readings stale."""
    one, two = _KeyReader(), _KeyReader(key="b", name="b")
    fingerprints = {
        Registry(readers).fingerprint
        for readers in [(one, two), (two, one), (one,), (one, _KeyReader(name="b", version=2))]
    }

    assert 4 == len(fingerprints)
    assert Registry((one, two)).fingerprint == Registry((_KeyReader(), two)).fingerprint


def test_every_built_in_reader_has_a_name_and_a_version() -> None:
    """The registry of the built-in readers, the most particular first."""
    registry = Registry(builtin_readers())

    assert [module.replace("_", "-") for module in BUILTIN_READERS] == list(registry.versions)
    assert all(version >= 1 for version in registry.versions.values())


class TestContentFingerprint:
    """What collection knows a file by."""

    def test_equal_files_in_two_folders_have_one_fingerprint(self, tmp_path: Path) -> None:
        """The folder does not count."""
        for folder in ("x", "y"):
            (tmp_path / folder / "sub").mkdir(parents=True)
            _file(tmp_path / folder, {"a": 1})
            _file(tmp_path / folder / "sub", {"b": 1}, "agent.json")

        x, y = (
            content_fingerprint(tmp_path / name / "a.json", [tmp_path / name / "sub/agent.json"])
            for name in ("x", "y")
        )

        assert 64 == len(x)
        assert x == y

    def test_name_bytes_and_companions_count(self, tmp_path: Path) -> None:
        """Another name, other bytes, another companion or its content make another fingerprint."""
        path, renamed = _file(tmp_path, {"a": 1}), _file(tmp_path, {"a": 1}, "b.json")
        spaced = _file(tmp_path, {"a": 2}, "c.json")
        seen = [
            content_fingerprint(path),
            content_fingerprint(renamed),
            content_fingerprint(path, [renamed]),
            content_fingerprint(path, [spaced]),
        ]
        path.write_text('{"a":1}')
        seen.append(content_fingerprint(path))

        assert 5 == len(set(seen))

    def test_a_file_that_cannot_be_read_is_an_error(self, tmp_path: Path) -> None:
        """Neither a missing file, a folder nor a pipe has one, and no pipe is waited for."""
        pipe = tmp_path / "pipe.json"
        os.mkfifo(pipe)
        for path in (tmp_path / "gone.json", tmp_path, pipe):
            with pytest.raises(TranscriptError):
                content_fingerprint(path)
