"""What a suite's files name stays inside the suite's folder."""

from pathlib import Path

import pytest

from pytest_sessioneval.suites.confinement import OutsideError, glob_inside, path_inside


@pytest.mark.parametrize("text", ["a.md", "deep/a.md", "deep/../a.md", "./a.md", "not-there.json"])
def test_paths_inside_are_given_back(tmp_path: Path, text: str) -> None:
    """A relative path that stays inside is accepted, whether or not the file exists."""
    assert tmp_path / text == path_inside(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("../a.md", "leads out of the suite's folder"),
        ("deep/../../a.md", "leads out of the suite's folder"),
        ("/etc/hostname", "is absolute"),
        ("", "is no path"),
        ("a\0b", "is no path"),
        ("link/a.md", "leads out of the suite's folder"),
        ("link.md", "leads out of the suite's folder"),
    ],
)
def test_paths_that_lead_out_are_refused(tmp_path: Path, text: str, reason: str) -> None:
    """Parents, absolute paths and symbolic links to elsewhere are refused."""
    suite = tmp_path / "suite"
    (suite / "deep").mkdir(parents=True)
    (tmp_path / "a.md").write_text("")
    (suite / "link").symlink_to(tmp_path)
    (suite / "link.md").symlink_to(tmp_path / "a.md")
    with pytest.raises(OutsideError, match=reason):
        path_inside(suite, text)


def test_a_loop_of_links_is_refused(tmp_path: Path) -> None:
    """Links that lead to each other are an error that says so, or a path that never exists."""
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    try:
        assert not path_inside(tmp_path, "a").exists()
    except OutsideError as error:
        assert "cannot be resolved" in str(error)  # noqa: PT017 - which of the two depends on Python


def test_a_suite_behind_a_link_holds_its_own_files(tmp_path: Path) -> None:
    """A folder reached through a symbolic link is the folder that the link leads to."""
    (tmp_path / "real").mkdir()
    (tmp_path / "suite").symlink_to(tmp_path / "real")
    assert tmp_path / "suite" / "a.md" == path_inside(tmp_path / "suite", "a.md")


def test_globs_give_sorted_files(tmp_path: Path) -> None:
    """Only files are given, in order of their paths."""
    for name in ("b.jsonl", "a.jsonl", "c.txt"):
        (tmp_path / name).write_text("")
    (tmp_path / "d.jsonl").mkdir()
    assert (tmp_path / "a.jsonl", tmp_path / "b.jsonl") == glob_inside(tmp_path, "*.jsonl")


@pytest.mark.parametrize("pattern", ["../*.jsonl", "a/../../*", "/etc/*", "", "a**/b"])
def test_globs_that_lead_out_or_that_python_refuses(tmp_path: Path, pattern: str) -> None:
    """A glob is checked before it is used."""
    with pytest.raises(OutsideError):
        glob_inside(tmp_path, pattern)


def test_a_matched_link_to_elsewhere_is_refused(tmp_path: Path) -> None:
    """A file that a glob finds inside may still lie outside."""
    (tmp_path / "suite").mkdir()
    (tmp_path / "secret.jsonl").write_text("")
    (tmp_path / "suite" / "a.jsonl").symlink_to(tmp_path / "secret.jsonl")
    with pytest.raises(OutsideError, match="leads out of the suite's folder"):
        glob_inside(tmp_path / "suite", "*.jsonl")
