"""Which URLs name a store."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.stores.opening import DEFAULT_STORE, open_store, sqlite_path


def test_three_slashes_are_relative_to_the_root(tmp_path: Path) -> None:
    """``sqlite:///a/b.db`` lies beneath the root."""
    assert tmp_path / "a" / "b.db" == sqlite_path("sqlite:///a/b.db", root=tmp_path)


def test_four_slashes_are_absolute(tmp_path: Path) -> None:
    """``sqlite:////a/b.db`` is the file /a/b.db, whatever the root."""
    assert Path("/a/b.db") == sqlite_path("sqlite:////a/b.db", root=tmp_path)


def test_a_path_is_taken_as_it_stands(tmp_path: Path) -> None:
    """Blanks, percent signs and hashes are part of the name."""
    assert tmp_path / "a b%20#c.db" == sqlite_path("sqlite:///a b%20#c.db", root=tmp_path)


def test_a_tilde_is_the_users_home(tmp_path: Path) -> None:
    """The shell does not expand a tilde inside a URL, so we do."""
    assert Path.home() / "store.db" == sqlite_path("sqlite:///~/store.db", root=tmp_path)


def test_the_default_store_is_made_beneath_the_root(tmp_path: Path) -> None:
    """The default URL makes ``.sessioneval/store.db`` with its own .gitignore."""
    open_store(DEFAULT_STORE, root=tmp_path).close()
    made = sorted(path.name for path in (tmp_path / ".sessioneval").iterdir())
    assert made == [".gitignore", "store.db"]


def test_a_password_in_a_url_is_never_repeated(tmp_path: Path) -> None:
    """The message about a refused URL does not hold its password."""
    with pytest.raises(SettingError) as caught:
        open_store("mysql://me:s3cret@host/db", root=tmp_path)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://host/db", "'mysql' is no kind of store; accepted are sqlite:///FILE"),
        ("store.db", "write sqlite:///store.db for a file"),
        ("", "is no URL"),
        ("sqlite://store.db", "write sqlite:///store.db"),
        ("sqlite://", "write sqlite:///FILE"),
        ("sqlite:///", "names no file"),
        ("sqlite:///store.db?mode=ro", "parameters are not accepted"),
        ("sqlite:///:memory:", "cannot be in memory"),
    ],
)
def test_another_url_is_refused_with_what_is_accepted(tmp_path: Path, url: str, said: str) -> None:
    """Every refusal says what to write instead, and makes no file."""
    with pytest.raises(SettingError) as caught:
        open_store(url, root=tmp_path)
    assert said in str(caught.value)
    assert list(tmp_path.iterdir()) == []
