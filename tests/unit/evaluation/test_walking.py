"""Which files may hold a session: by name, by glob, by how they begin, by what the user named."""

from __future__ import annotations

import os
import socket
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st
from ordinary_user import open_folder, without_privileges

from pytest_sessioneval.evaluation.walking import Candidate, Ignored, passed_over, walk

TREE = (
    "a.json",
    "b.jsonl",
    "ab.json",
    "a/a.json",
    "a/b.jsonl",
    "a/b/a.json",
    "a/b/c/ab.json",
    "b/a.json",
    "b/ab/a.json",
    "b/ab/c/b.jsonl",
    "c/c/c/c.json",
)


def _write(root: Path, *names: str, content: str | bytes = "{}") -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def _found(root: Path, **how: object) -> list[str]:
    """Return the relative paths of the candidates that can be opened, in order."""
    return [one.relative for one in walk(root, **how) if not one.problem]  # type: ignore[arg-type]


def _problems(root: Path, **how: object) -> dict[str, str]:
    """Return what is wrong with the candidates that cannot be opened."""
    found: Iterator[Candidate] = walk(root, **how)  # type: ignore[arg-type]
    return {one.relative: one.problem for one in found if one.problem}


# -- by name ---------------------------------------------------------------------------


def test_files_come_by_path(tmp_path: Path) -> None:
    """By name in each folder, whatever order the file system has."""
    _write(tmp_path, "b.json", "a/z.json", "c.json", "a/b/y.json", "B.json")
    assert ["B.json", "a/b/y.json", "a/z.json", "b.json", "c.json"] == _found(tmp_path)


def test_paths_have_forward_slashes_and_are_whole(tmp_path: Path) -> None:
    """A candidate has its path, and the same relative to the suite."""
    _write(tmp_path, "a/b.json")
    (found,) = walk(tmp_path)
    assert Candidate(tmp_path / "a" / "b.json", "a/b.json", expected=True) == found


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.ndjson", "a.traj"])
def test_a_name_can_promise_a_session(tmp_path: Path, name: str) -> None:
    """A file whose name says JSON is expected to be readable."""
    _write(tmp_path, name, content="no JSON at all")
    (found,) = walk(tmp_path)
    assert found.expected


def test_hidden_files_and_folders_are_left_out(tmp_path: Path) -> None:
    """What begins with a dot is nobody's session."""
    _write(tmp_path, ".a.json", ".git/b.json", "c.json", "d/.e/f.json")
    assert ["c.json"] == _found(tmp_path)


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    """A link that leads up again would have no end."""
    _write(tmp_path, "a/a.json")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    assert ["a/a.json"] == _found(tmp_path)
    assert {} == _problems(tmp_path)


def test_what_is_ignored_is_not_entered(tmp_path: Path) -> None:
    """A folder that is ignored is not even looked into; a file is left out."""
    _write(tmp_path, "a/a.json", "b/b.json", "c.json", "d.json")
    asked: list[tuple[str, bool]] = []

    def ignored(path: Path, is_folder: bool) -> bool:  # noqa: FBT001  the shape of Ignored
        asked.append((path.name, is_folder))
        return path.name in {"a", "c.json"}

    assert ["b/b.json", "d.json"] == _found(tmp_path, ignored=ignored)
    assert [("a", True), ("b", True), ("b.json", False), ("c.json", False), ("d.json", False)] == (
        asked
    )


# -- by how it begins ------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        '{"a": 1}',
        "{}",
        "{ }",
        "{",
        "\n\t {\n  'x'".replace("'", '"'),
        "[{",
        "[ [ {",
        "[]",
        "[",
        "\ufeff{}",
        '// made by a tool\n{"a": 1}',
        "//a\n//b\n\n[]",
        '{"a"',
        "{" + " " * 400,
    ],
)
def test_what_begins_like_json_is_a_candidate(tmp_path: Path, head: str) -> None:
    """Any name will do when the first bytes could begin an object or a list of them."""
    _write(tmp_path, "session.log", content=head)
    (found,) = walk(tmp_path)
    assert not found.expected


@pytest.mark.parametrize(
    "head",
    [
        "",
        "text",
        "[section]\nkey = 1",
        "[[array]]",
        "[1, 2]",
        '["a"]',
        "{% template %}",
        "{let x}",
        "{{ mustache }}",
        "// a comment and no more",
        "#!/bin/sh",
        "<html>",
        '"text"',
        "null",
        "\x00\x01",
        b"\x89PNG\r\n",
        b"\xff\xfe{\x00",
    ],
)
def test_what_begins_otherwise_is_not(tmp_path: Path, head: str | bytes) -> None:
    """Ini files, templates, programs and pictures are not looked at further."""
    _write(tmp_path, "notes.txt", content=head)
    assert [] == list(walk(tmp_path))


def test_a_file_that_cannot_be_opened_is_left_out(tmp_path: Path) -> None:
    """A file that promises nothing and leads nowhere is nobody's error."""
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "gone").symlink_to("nothing")
    assert [] == list(walk(tmp_path))


# -- by glob ---------------------------------------------------------------------------

_segment = st.sampled_from(
    ["*", "**", "a", "b", "c", "a*", "*b", "?", "*.json", "a.json", "*.jsonl", "[ab]*", "[!a]", "."]
)
_glob = st.lists(_segment, min_size=1, max_size=4).filter(
    lambda parts: parts[-1] not in {"**", "."}
)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of files at every depth, with names that are parts of one another."""
    root = tmp_path_factory.mktemp("tree")
    _write(root, *TREE)
    return root


@settings(deadline=None)
@given(_glob.map("/".join))
def test_globs_mean_what_they_mean_elsewhere(tree: Path, glob: str) -> None:
    """The files are those that ``Path.glob`` gives, as it does for feedback."""
    assert sorted(
        path.relative_to(tree).as_posix() for path in tree.glob(glob) if path.is_file()
    ) == sorted(_found(tree, globs=(glob,)))


@pytest.mark.parametrize(
    ("glob", "found"),
    [
        ("*.json", ["a.json", "ab.json"]),
        ("**/c.json", ["c/c/c/c.json"]),
        ("a/**", ["a/a.json", "a/b.jsonl", "a/b/a.json", "a/b/c/ab.json"]),
        ("b/**/*.json", ["b/a.json", "b/ab/a.json"]),
        ("a/*/a.json", ["a/b/a.json"]),
        ("b", []),
        ("A.json", []),
    ],
)
def test_a_glob_chooses(tree: Path, glob: str, found: list[str]) -> None:
    """One star stays in its folder, two cross folders, none included."""
    assert found == sorted(_found(tree, globs=(glob,)))


def test_one_of_several_globs_is_enough(tree: Path) -> None:
    """A file is chosen once, by whichever glob."""
    globs = ("a.json", "*.json", "c/**/*.json")
    assert ["a.json", "ab.json", "c/c/c/c.json"] == _found(tree, globs=globs)


@pytest.mark.parametrize("name", ["a[1].json", "a*.json", "a?.json", "ä ö.json"])
def test_a_glob_that_is_a_files_name_chooses_it(tmp_path: Path, name: str) -> None:
    """A name with a bracket in it can be written as it is."""
    _write(tmp_path, name)
    assert [name] == _found(tmp_path, globs=(name,))


def test_what_a_glob_chooses_is_expected(tmp_path: Path) -> None:
    """A chosen file of any name holds a session, or is an error."""
    _write(tmp_path, "session.log", content="no JSON")
    assert [True] == [one.expected for one in walk(tmp_path, globs=("*.log",))]


# -- by the user's word ----------------------------------------------------------------


def _named(root: Path, *names: str, only: bool = False, globs: Collection[str] = ()) -> list[str]:
    named = {root / name for name in names}
    return [one.relative for one in walk(root, named=named, only_named=only, globs=globs)]


def test_a_named_file_needs_no_glob(tmp_path: Path) -> None:
    """What the command line names is looked at beside what the globs choose."""
    _write(tmp_path, "a.json", "b.json", "c.json")
    assert ["a.json", "c.json"] == _named(tmp_path, "c.json", globs=("a.json",))


def test_only_named_files_are_looked_at(tmp_path: Path) -> None:
    """A suite made of files on the command line is those files."""
    _write(tmp_path, "a.json", "b.json", "c/c.json")
    assert ["b.json"] == _named(tmp_path, "b.json", only=True)


def test_a_named_file_is_never_ignored(tmp_path: Path) -> None:
    """Naming a file is stronger than a rule, or a dot."""
    _write(tmp_path, ".a.json", "b.json")
    found = walk(
        tmp_path,
        named={tmp_path / ".a.json", tmp_path / "b.json"},
        ignored=lambda _path, _is_folder: True,
    )
    assert [".a.json", "b.json"] == [one.relative for one in found]


def test_a_named_test_module_is_no_candidate(tmp_path: Path) -> None:
    """A program beside the sessions may be named too, and is no session that went wrong."""
    _write(tmp_path, "test_a.py", content="def test_a(): pass\n")
    assert [] == _named(tmp_path, "test_a.py", only=True)


def test_a_named_file_like_json_is_expected(tmp_path: Path) -> None:
    """Whoever names a file that begins like JSON wants a session of it."""
    _write(tmp_path, "a.log", content="{")
    (found,) = walk(tmp_path, named={tmp_path / "a.log"})
    assert found.expected


# -- names that are no text ------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "told"), [(b"\xff.json", "?.json"), (b"a\xe9/b.json", "a?/b.json")]
)
def test_a_name_that_is_no_text_is_a_problem(tmp_path: Path, name: bytes, told: str) -> None:
    """Reports, stores and other processes could not name the session: it must be renamed."""
    path = tmp_path / os.fsdecode(name)
    path.parent.mkdir(exist_ok=True)
    path.write_text("{}", encoding="utf-8")
    assert {told: "has a name that is not UTF-8; rename it"} == _problems(tmp_path)


def test_another_name_that_is_no_text_is_left_alone(tmp_path: Path) -> None:
    """A file that could hold no session may be called anything."""
    (tmp_path / os.fsdecode(b"\xff.txt")).write_text("notes", encoding="utf-8")
    assert [] == list(walk(tmp_path))


# -- what is no file -------------------------------------------------------------------


def test_a_link_to_nothing_is_a_problem(tmp_path: Path) -> None:
    """A session that is gone is told, and nothing is opened."""
    (tmp_path / "a.json").symlink_to("gone.json")
    assert {"a.json": "is a link to nothing"} == _problems(tmp_path)


def test_a_link_that_leads_out_is_a_problem(tmp_path: Path) -> None:
    """No file outside of the suite's folder is read."""
    _write(tmp_path, "outside.json", "suite/inside.json")
    (tmp_path / "suite" / "a.json").symlink_to(tmp_path / "outside.json")
    assert ["inside.json"] == _found(tmp_path / "suite")
    assert ["a.json"] == list(_problems(tmp_path / "suite"))


def test_a_link_that_stays_inside_is_a_file(tmp_path: Path) -> None:
    """Linking one session to another place of the suite is fine."""
    _write(tmp_path, "a/a.json")
    (tmp_path / "b.json").symlink_to("a/a.json")
    assert ["a/a.json", "b.json"] == _found(tmp_path)


def test_a_suite_behind_a_link_is_its_own_inside(tmp_path: Path) -> None:
    """Where the suite's folder is itself a link, its links are judged by where it leads."""
    _write(tmp_path, "real/a.json")
    (tmp_path / "real" / "b.json").symlink_to(tmp_path / "real" / "a.json")
    (tmp_path / "suite").symlink_to("real")
    assert ["a.json", "b.json"] == _found(tmp_path / "suite")


def test_a_pipe_is_a_problem(tmp_path: Path) -> None:
    """Opening a pipe would wait for ever: it is told, and not opened."""
    os.mkfifo(tmp_path / "a.json")
    os.mkfifo(tmp_path / "notes.txt")
    assert {"a.json": "is no regular file (a pipe, a socket or a device)"} == _problems(tmp_path)


def test_a_socket_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket with a session's name is told too."""
    monkeypatch.chdir(tmp_path)  # a socket's path may not be long
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("a.json")
        assert ["a.json"] == list(_problems(tmp_path))


def test_an_empty_folder_named_like_a_file_is_a_problem(tmp_path: Path) -> None:
    """A download that went wrong leaves such a thing."""
    (tmp_path / "a.json").mkdir()
    assert {"a.json": "is a folder, not a file"} == _problems(tmp_path)


def test_a_folder_named_like_a_file_may_hold_sessions(tmp_path: Path) -> None:
    """A folder is a folder when something lies in it."""
    _write(tmp_path, "a.json/b.json")
    assert ["a.json/b.json"] == _found(tmp_path)
    assert {} == _problems(tmp_path)


@pytest.mark.parametrize("ignored", [passed_over, lambda _path, _is_folder: False])
def test_a_folder_that_cannot_be_listed_is_a_problem(ignored: Ignored) -> None:
    """What may lie in it is not silently left out, and looking for a suite in it ends nothing."""
    with open_folder() as root:
        _write(root, "a/a.json", "b.json")
        (root / "a").chmod(0)
        with without_privileges():
            found = _problems(root, globs=("b/*.json",), ignored=ignored)
    assert {"a": "cannot be listed"} == found


def test_a_suite_that_is_gone_is_a_problem(tmp_path: Path) -> None:
    """A root that cannot be listed is told, whatever its globs would have chosen."""
    for globs in ((), ("a/*.json",)):
        assert {".": "cannot be listed"} == _problems(tmp_path / "gone", globs=globs)


# -- tables ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("question,answer\na,b\n", ["t.csv"]),
        ("id;user_input;response;contexts\n", ["t.csv"]),
        ("name,price\na,1\n", []),
        ("", []),
    ],
)
def test_a_table_counts_by_its_columns(tmp_path: Path, content: str, found: list[str]) -> None:
    """A table without a question and an answer is nobody's business."""
    _write(tmp_path, "t.csv", content=content)
    assert found == _found(tmp_path)


def test_a_table_that_was_named_is_expected_to_hold_samples(tmp_path: Path) -> None:
    """Whoever names it is told that it holds none."""
    _write(tmp_path, "t.csv", content="name,price\n")
    (found,) = walk(tmp_path, named=[tmp_path / "t.csv"])
    assert found.expected
