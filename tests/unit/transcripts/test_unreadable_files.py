"""Files that cannot be read, and files that are no transcripts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from loading_cases import values_of
from ordinary_user import without_privileges

from pytest_sessioneval.errors import TranscriptError, UnrecognisedError
from pytest_sessioneval.transcripts.loading import load_document


class TestFilesThatCannotBeRead:
    """What is no readable file is an error that says what it is."""

    def test_a_directory_named_like_a_file(self, tmp_path: Path) -> None:
        """A directory is said to be one."""
        path = tmp_path / "x.json"
        path.mkdir()

        with pytest.raises(TranscriptError, match=r"x\.json: is a directory, not a file$"):
            load_document(path)

    def test_a_dangling_link_names_its_target(self, tmp_path: Path) -> None:
        """A link to nothing says where it leads."""
        path = tmp_path / "link.json"
        path.symlink_to("nowhere.json")

        with pytest.raises(TranscriptError, match=r"link\.json: is a dangling link to nowhere"):
            load_document(path)

    def test_a_missing_file(self, tmp_path: Path) -> None:
        """A file that went away is said to be gone."""
        with pytest.raises(TranscriptError, match="there is no such file"):
            load_document(tmp_path / "gone.json")

    def test_a_link_to_itself(self, tmp_path: Path) -> None:
        """A circle of links is told from a file."""
        path = tmp_path / "loop.json"
        path.symlink_to(path)

        with pytest.raises(TranscriptError, match=r"loop\.json: is a link that leads back"):
            load_document(path)

    def test_unreadable_permissions(self, tmp_path: Path) -> None:
        """A file that may not be read says so."""
        path = tmp_path / "secret.json"
        path.write_text("{}")
        path.chmod(0)

        with (
            without_privileges(),
            pytest.raises(TranscriptError, match="may not be read: permission denied"),
        ):
            load_document(path)

    def test_a_pipe_is_not_waited_for(self, tmp_path: Path) -> None:
        """A named pipe is refused instead of blocking for ever."""
        path = tmp_path / "pipe.json"
        os.mkfifo(path)

        with pytest.raises(TranscriptError, match="is no regular file"):
            load_document(path)


class TestFilesThatAreNoTranscripts:
    """Without a sound record, the name tells a broken transcript from another kind of file."""

    @pytest.mark.parametrize(
        ("name", "data"),
        [
            ("README.md", b"# Sessions\n"),
            ("README.md", b"[![badge](https://example.org)](x)\n"),
            ("pyproject.toml", b'[project]\nname = "x"\n'),
            ("picture.png", b"\x89PNG\r\n\x1a\n\0\0"),
            ("logs.eval", b"PK\x03\x04"),
            ("__init__.py", b""),
        ],
    )
    def test_a_file_of_another_kind_is_unrecognised(
        self, tmp_path: Path, name: str, data: bytes
    ) -> None:
        """A file beside the transcripts that is no JSON is no error of its own."""
        path = tmp_path / name
        path.write_bytes(data)

        with pytest.raises(UnrecognisedError, match="no JSON"):
            load_document(path)

    def test_a_broken_file_that_says_it_is_json_is_an_error(self, tmp_path: Path) -> None:
        """A name that promises JSON makes it a broken transcript."""
        path = tmp_path / "README.json"
        path.write_text("# Sessions\n")

        with pytest.raises(TranscriptError) as caught:
            load_document(path)

        assert not isinstance(caught.value, UnrecognisedError)

    def test_sound_records_are_read_whatever_the_name(self, tmp_path: Path) -> None:
        """A log file of JSON lines is read, broken lines aside."""
        path = tmp_path / "session.log"
        path.write_text('{"a": 1}\n{"b": 2}\n{"c"')

        assert [{"a": 1}, {"b": 2}] == values_of(load_document(path))
