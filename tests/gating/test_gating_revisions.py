"""Files read from git revisions, of real repositories, and what is said where that cannot be."""

import os
from pathlib import Path

import pytest
from gating_cases import Repository

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.evaluation.revisions import Revision, find_revision

ORIGIN = "--sessioneval-compare git:REF"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Return a repository with one commit: ``suite/baseline.json`` holds ``first``."""
    made = Repository(tmp_path / "repository")
    (made.folder / "suite").mkdir()
    (made.folder / "suite" / "baseline.json").write_text("first\n", "utf-8")
    (made.folder / "shared.txt").write_text("shared\n", "utf-8")
    made.commit("First")
    return made


def found(folder: Path, asked: str = "HEAD") -> Revision:
    """Return the revision as it is found from the folder."""
    return find_revision(folder, asked, origin=ORIGIN)


def refused(folder: Path, asked: str) -> str:
    """Return why the revision is not found."""
    with pytest.raises(SettingError) as caught:
        found(folder, asked)
    return str(caught.value)


# -- what is read --------------------------------------------------------------------


def test_a_file_is_read_as_it_was(repository: Repository) -> None:
    """What the working tree holds now does not count."""
    (repository.folder / "suite" / "baseline.json").write_text("second\n", "utf-8")
    assert "first\n" == found(repository.folder / "suite").text("baseline.json")


def test_a_name_is_relative_to_the_folder(repository: Repository) -> None:
    """From the suite's folder, ``..`` reaches the rest of the repository."""
    assert "shared\n" == found(repository.folder / "suite").text("../shared.txt")


def test_a_folder_that_is_new_has_no_file(repository: Repository) -> None:
    """A suite added by this change is not in the revision; that is no error."""
    (repository.folder / "fresh").mkdir()
    assert None is found(repository.folder / "fresh").text("baseline.json")


@pytest.mark.parametrize("name", ["missing.json", "baseline.json/inner", "missing/baseline.json"])
def test_a_file_that_is_not_there_is_none(repository: Repository, name: str) -> None:
    """No file, a file where a folder is asked for, no folder."""
    assert None is found(repository.folder / "suite").text(name)


def test_names_with_spaces_and_other_letters_are_read(repository: Repository) -> None:
    """How git itself quotes names does not come into it."""
    (repository.folder / "suite" / "Grüße an alle.json").write_text("hello", "utf-8")
    repository.commit()
    assert "hello" == found(repository.folder / "suite").text("Grüße an alle.json")


def test_a_link_inside_the_repository_is_followed(repository: Repository) -> None:
    """As it would be in the working tree."""
    (repository.folder / "suite" / "linked.json").symlink_to("baseline.json")
    repository.commit()
    assert "first\n" == found(repository.folder / "suite").text("linked.json")


def test_a_link_out_of_the_repository_is_refused(repository: Repository) -> None:
    """A revision has nothing to say of files elsewhere."""
    (repository.folder / "suite" / "linked.json").symlink_to("/etc/hostname")
    repository.commit()
    with pytest.raises(SettingError, match=r"suite/linked\.json is a link that leads out"):
        found(repository.folder / "suite").text("linked.json")


def test_a_name_out_of_the_repository_is_refused(repository: Repository) -> None:
    """``..`` ends at the repository's root."""
    with pytest.raises(SettingError, match="does not lie in the repository"):
        found(repository.folder / "suite").text("../../elsewhere.json")


def test_a_folder_is_no_file(repository: Repository) -> None:
    """Asking for a folder's text is a mistake and not an empty file."""
    with pytest.raises(SettingError, match="suite is no file in that revision"):
        found(repository.folder).text("suite")


def test_bytes_that_are_no_text_are_refused(repository: Repository) -> None:
    """The message names the place."""
    (repository.folder / "suite" / "baseline.json").write_bytes(b"\xff\xfe")
    repository.commit()
    with pytest.raises(SettingError, match=r"suite/baseline\.json is no UTF-8 text \(byte 0\)"):
        found(repository.folder / "suite").text("baseline.json")


def test_no_filter_of_the_repository_runs(repository: Repository, tmp_path: Path) -> None:
    """What a pull request may configure (attributes) starts no program."""
    ran = tmp_path / "ran"
    (repository.folder / ".gitattributes").write_text("*.json diff=evil filter=evil\n", "utf-8")
    repository.commit()
    for program in ("diff.evil.textconv", "filter.evil.smudge", "core.fsmonitor"):
        repository.git("config", program, f"touch {ran};")
    assert "first\n" == found(repository.folder / "suite").text("baseline.json")
    assert not ran.exists()


# -- which revision ------------------------------------------------------------------


@pytest.mark.parametrize("asked", ["HEAD", "main", "refs/heads/main", "HEAD~0", "v1"])
def test_any_name_git_knows_is_a_revision(repository: Repository, asked: str) -> None:
    """Branches, tags (annotated ones too), relative names."""
    repository.git("tag", "--annotate", "v1", "-m", "One")
    assert repository.git("rev-parse", "HEAD") == found(repository.folder, asked).commit


def test_three_dots_are_where_the_branch_left(repository: Repository) -> None:
    """``REF...`` is the common ancestor with what is checked out, as for ``git diff``."""
    left = repository.git("rev-parse", "HEAD")
    repository.git("switch", "--quiet", "--create", "feature")
    repository.commit("On the branch")
    repository.git("switch", "--quiet", "main")
    ahead = repository.commit("On main, later")
    repository.git("switch", "--quiet", "feature")
    assert [left, ahead] == [found(repository.folder, ref).commit for ref in ("main...", "main")]


def test_a_hook_of_another_repository_does_not_mislead(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GIT_DIR, which git sets for hooks, does not replace the folder's own repository."""
    other = Repository(tmp_path / "other")
    other.commit("Elsewhere")
    monkeypatch.setenv("GIT_DIR", str(other.folder / ".git"))
    assert "first\n" == found(repository.folder / "suite").text("baseline.json")


def test_messages_name_commit_and_path(repository: Repository) -> None:
    """``1a2b3c4d5e6f:suite/baseline.json`` can be pasted behind ``git show``."""
    place = found(repository.folder / "suite").place("baseline.json")
    assert "first" == repository.git("show", place)


# -- what cannot be ------------------------------------------------------------------


def test_an_unknown_revision_says_how_to_get_it(repository: Repository) -> None:
    """In CI it has usually not been fetched."""
    said = refused(repository.folder, "origin/main")
    assert said.startswith(f"{ORIGIN}: there is no revision 'origin/main' in {repository.folder}")
    assert "git fetch" in said
    assert "fetch-depth: 0" in said


def test_a_repository_without_a_commit_has_no_head(tmp_path: Path) -> None:
    """The same words: there is nothing to compare with yet."""
    assert "there is no revision 'HEAD'" in refused(Repository(tmp_path).folder, "HEAD")


def test_no_repository_is_said(tmp_path: Path) -> None:
    """A folder outside of git; what else can be compared with is named."""
    said = refused(tmp_path, "main")
    assert f"{tmp_path} lies in no git working tree (not a git repository" in said
    assert "report.json" in said


@pytest.mark.parametrize("asked", ["", "...", "--output=/tmp/x", "-h"])
def test_what_is_no_name_never_reaches_git(repository: Repository, asked: str) -> None:
    """Options are not revisions."""
    assert "names no revision; accepted: git:REF" in refused(repository.folder, asked)


def test_a_shallow_clone_without_the_fork_is_said(repository: Repository, tmp_path: Path) -> None:
    """With ``REF...`` and no common commit in sight, the message says to fetch the history."""
    repository.git("switch", "--quiet", "--create", "feature")
    for subject in ("One", "Two", "Three"):
        repository.commit(subject)
    repository.git("switch", "--quiet", "main")
    repository.commit("Later")
    clone = tmp_path / "clone"
    source = f"file://{repository.folder}"
    repository.git(
        *("clone", "--quiet", "--depth=1", "--no-single-branch", "--branch=feature"),
        *(source, str(clone)),
    )
    assert "git fetch --unshallow" in refused(clone, "origin/main...")
    assert "first\n" == found(clone / "suite", "origin/main").text("baseline.json")


def test_without_git_the_other_sources_are_named(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container without git gets no traceback."""
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert "there is no git executable on PATH" in refused(repository.folder, "HEAD")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_a_repository_of_somebody_else_is_told_in_gits_words(repository: Repository) -> None:
    """What git calls dubious ownership is not called a missing repository only."""
    for folder, _, files in os.walk(repository.folder):
        for path in (folder, *(os.path.join(folder, name) for name in files)):  # noqa: PTH118
            os.chown(path, 12345, 12345)
    assert "dubious ownership" in refused(repository.folder, "HEAD")


# -- a whole folder ------------------------------------------------------------------


def test_a_folder_is_written_as_it_was(repository: Repository, tmp_path: Path) -> None:
    """Bytes, folders and odd names; what the working tree has now does not count."""
    suite = repository.folder / "suite"
    (suite / "deep" / "er").mkdir(parents=True)
    odd = {"deep/er/ä b.json": b"\x00\xff\n\n", "empty": b"", "deep/new\nline": b"x" * 70_000}
    for name, content in odd.items():
        (suite / name).write_bytes(content)
    repository.commit("More")
    (suite / "empty").write_bytes(b"changed")
    out = tmp_path / "out"
    out.mkdir()
    found(suite).export(out)
    files = {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in out.rglob("*")
        if path.is_file()
    }
    assert {"baseline.json": b"first\n", **odd} == files


def test_links_are_not_written(repository: Repository, tmp_path: Path) -> None:
    """They could lead anywhere."""
    (repository.folder / "suite" / "link").symlink_to("/etc/hostname")
    repository.commit("Link")
    found(repository.folder / "suite").export(tmp_path)
    assert not (tmp_path / "link").is_symlink()


def test_a_folder_that_is_new_has_no_files(repository: Repository, tmp_path: Path) -> None:
    """Nothing is written, and nothing is wrong."""
    (repository.folder / "fresh").mkdir()
    (tmp_path / "out").mkdir()
    found(repository.folder / "fresh").export(tmp_path / "out")
    assert [] == list((tmp_path / "out").iterdir())


def test_many_files_are_written(repository: Repository, tmp_path: Path) -> None:
    """More than are asked for at once."""
    for number in range(450):
        (repository.folder / "suite" / f"s{number}.json").write_text(f"{number}", "utf-8")
    repository.commit("Many")
    (tmp_path / "out").mkdir()
    found(repository.folder / "suite").export(tmp_path / "out")
    assert [str(n) for n in range(450)] == [
        (tmp_path / "out" / f"s{n}.json").read_text("utf-8") for n in range(450)
    ]
