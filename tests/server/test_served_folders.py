"""What a service shows of its folders: read again when they change, whatever is in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from served import Caller, asked, judged, record

from pytest_sessioneval.errors import SettingError, SuiteError
from pytest_sessioneval.server.service import Service
from pytest_sessioneval.stores.listings import SessionQuery

OpenService = Callable[..., Service]
Call = Callable[..., Caller]


def listed(client: Caller) -> list[str]:
    """Return the ids of all sessions."""
    return [one["session_id"] for one in client.get("/eval/sessions").json()]


def source(client: Caller) -> dict[str, Any]:
    """Return what is said of the only folder."""
    (only,) = client.get("/eval/sources").json()
    return dict(only)


def test_a_file_that_comes_is_read(open_service: OpenService, call: Call, tmp_path: Path) -> None:
    """A session written while the service runs is listed by the next request."""
    folder = record(tmp_path / "shop", asked("a"))
    client = call(open_service(folder))
    assert ["a"] == listed(client)
    record(folder / "later", asked("b"), name="more.jsonl")
    assert ["a", "b"] == sorted(listed(client))


def test_folders_are_read_again_only_when_something_changed(
    open_service: OpenService, tmp_path: Path
) -> None:
    """Looking at a folder in which nothing moved gives the very same values."""
    service = open_service(record(tmp_path / "shop", asked("a")))
    (first,), (second,) = service.sessions.now(), service.sessions.now()
    assert first is second


def test_a_service_looks_no_more_often_than_it_was_told(
    open_service: OpenService, tmp_path: Path
) -> None:
    """Within the interval nothing is walked; what came meanwhile is seen after it."""
    folder = record(tmp_path / "shop", asked("a"))
    service = open_service(folder, look_every_s=3_600.0)
    (before,) = service.sessions.now()
    record(folder, asked("b"), name="more.jsonl")
    assert (before,) == service.sessions.now()


def test_a_file_that_cannot_be_read_is_counted_and_shown(
    open_service: OpenService, call: Call, tmp_path: Path
) -> None:
    """The others are served; the source names file, line and reason."""
    folder = record(tmp_path / "shop", asked("a"))
    (folder / "broken.json").write_text('{"messages": [\n{"role": "user",]}', encoding="utf-8")
    (folder / "package.json").write_text('{"name": "shop"}', encoding="utf-8")
    client = call(open_service(folder))
    assert ["a"] == listed(client)
    said = source(client)
    (problem,) = said["problems"]
    assert ("shop", 1, 1, 1) == (
        said["suite"],
        said["sessions"],
        said["files_read"],
        said["other_files"],
    )
    assert ("broken.json", 2) == (problem["path"], problem["line"])


def test_any_supported_format_is_served(
    open_service: OpenService, call: Call, shared_data: Path
) -> None:
    """A folder of real recordings needs no suite file."""
    client = call(open_service(shared_data / "tau-bench"))
    assert 37 == len(listed(client))
    assert (37, []) == (source(client)["sessions"], source(client)["problems"])


def test_a_suite_file_that_breaks_is_told_and_the_last_one_counts(
    open_service: OpenService, call: Call, tmp_path: Path
) -> None:
    """A mistake made while the service runs ends nothing; mended, it is gone."""
    folder = record(tmp_path / "shop", asked("a"))
    file = folder / "sessioneval.toml"
    file.write_text('[suite]\nname = "shop"\n', encoding="utf-8")
    client = call(open_service(folder))
    assert source(client)["problem"] is None
    file.write_text("[suite]\nnmae = 1\n", encoding="utf-8")
    assert f"{file}:2" in source(client)["problem"]
    assert (["a"], "shop") == (listed(client), source(client)["suite"])
    file.write_text('[suite]\nname = "shop"\n# better\n', encoding="utf-8")
    assert source(client)["problem"] is None


def test_a_folder_that_goes_is_told(open_service: OpenService, call: Call, tmp_path: Path) -> None:
    """Such as one on a disk that was taken away: what is stored of its sessions stays."""
    folder = record(tmp_path / "shop", asked("a"))
    client = call(open_service(folder))
    assert ["a"] == listed(client)
    folder.rename(tmp_path / "elsewhere")
    said = source(client)
    assert "cannot be listed" in str(said["problem"]) + str(said["problems"])
    assert ["a"] == listed(client)


def test_two_folders_of_one_name_are_two_suites(
    open_service: OpenService, call: Call, tmp_path: Path
) -> None:
    """The second is named by its path."""
    folders = [record(tmp_path / place / "shop", asked(place)) for place in ("a", "b")]
    client = call(open_service(*folders))
    assert ["a", "b"] == sorted(listed(client))
    suites = [one["suite"] for one in client.get("/eval/sources").json()]
    assert ["shop", folders[1].as_posix()] == suites


def test_no_such_folder_is_refused_at_the_start(open_service: OpenService, tmp_path: Path) -> None:
    """A mistyped path would serve nothing for ever."""
    with pytest.raises(SettingError, match="nope is no folder"):
        open_service(tmp_path / "nope")


def test_a_broken_suite_file_is_refused_at_the_start(
    open_service: OpenService, tmp_path: Path
) -> None:
    """With file and line, as pytest does."""
    folder = record(tmp_path / "shop", asked("a"))
    (folder / "sessioneval.toml").write_text("[suite]\nnmae = 1\n", encoding="utf-8")
    with pytest.raises(SuiteError, match=r"sessioneval\.toml:2"):
        open_service(folder)


def test_sessions_of_other_runs_in_the_store_are_listed_under_their_last_run(
    open_service: OpenService, call: Call, tmp_path: Path
) -> None:
    """A service without folders shows what CI kept in a shared store."""
    folder = record(tmp_path / "shop", asked("a"))
    with_folder = open_service(folder)
    judged(with_folder, folder)
    service = open_service()
    (only,) = call(service).get("/eval/sessions").json()
    assert ("a", "evaluated") == (only["session_id"], only["eval_status"])
    assert service.current() == with_folder.current()


def test_what_is_found_is_kept_in_the_store(open_service: OpenService, tmp_path: Path) -> None:
    """So that listings answer from an index."""
    service = open_service(record(tmp_path / "shop", asked("a")))
    service.sessions.now()
    (kept,) = service.store.list_sessions(SessionQuery(), ())
    assert ("shop", "a") == (kept.suite, kept.overview.session_id)
