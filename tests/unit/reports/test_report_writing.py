"""Reports are written whole, where they were asked for, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from report_runs import airline_run, many_run

from pytest_sessioneval.errors import SettingError, StoreError
from pytest_sessioneval.reports.advice.build import Background, advise
from pytest_sessioneval.reports.build import build_report
from pytest_sessioneval.reports.json_file import render_json
from pytest_sessioneval.reports.markdown import render_markdown
from pytest_sessioneval.reports.model import Report
from pytest_sessioneval.reports.writing import (
    append_step_summary,
    prepare_folder,
    write_reports,
)


@pytest.fixture(name="report", scope="module")
def _report() -> Report:
    return build_report(airline_run())


def _files(folder: Path) -> list[str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in found)


def test_a_run_has_a_folder_of_three_files(report: Report, tmp_path: Path) -> None:
    """And the output folder keeps itself out of git; no other file is left."""
    write_reports(report, tmp_path / ".sessioneval", root=tmp_path)
    assert [
        ".sessioneval/.gitignore",
        ".sessioneval/runs/20261121-190412-7f3a2c/report.json",
        ".sessioneval/runs/20261121-190412-7f3a2c/report.md",
        ".sessioneval/runs/20261121-190412-7f3a2c/scores.csv",
    ] == _files(tmp_path)


def test_advice_is_written_beside_the_report_that_holds_it(tmp_path: Path) -> None:
    """A report with advice has a fourth file, which its report.md links."""
    report = build_report(airline_run())
    advised = tuple(
        suite.model_copy(update={"advice": advise(suite, Background())}) for suite in report.suites
    )
    report = report.model_copy(update={"suites": advised})
    written = write_reports(report, tmp_path / ".sessioneval", root=tmp_path)
    assert written.advice is not None
    assert ["report.md", "advice.md"] == [path.name for path in written.paths[:2]]
    assert "# Advice\n" in written.advice.read_text()
    assert ": see [advice.md](advice.md).\n" in written.markdown.read_text()


def test_what_is_written_is_the_report(report: Report, tmp_path: Path) -> None:
    """Byte for byte what is rendered."""
    written = write_reports(report, tmp_path / ".sessioneval", root=tmp_path)
    assert render_json(report).encode() == written.json.read_bytes()


def test_the_paths_begin_with_the_one_to_read(report: Report, tmp_path: Path) -> None:
    """Markdown first, requested copies last."""
    copy = tmp_path / "copy.json"
    written = write_reports(report, tmp_path / ".sessioneval", root=tmp_path, json_path=copy)
    assert ["report.md", "report.json", "scores.csv", "copy.json"] == [
        path.name for path in written.paths
    ]


def test_links_in_the_report_lead_to_transcripts(report: Report, tmp_path: Path) -> None:
    """Seen from the folder each copy lies in."""
    md = tmp_path / "out" / "scores.md"
    written = write_reports(report, tmp_path / ".sessioneval", root=tmp_path, md_path=md)
    assert "(../../../suites/airline/transcripts/task-3.json)" in written.markdown.read_text()
    assert "(../suites/airline/transcripts/task-3.json)" in md.read_text()


def test_gitignore_leaves_everything_out(tmp_path: Path) -> None:
    """Itself included."""
    prepare_folder(tmp_path / ".sessioneval")
    assert "*" in (tmp_path / ".sessioneval" / ".gitignore").read_text().splitlines()


def test_a_gitignore_of_the_user_stays(tmp_path: Path) -> None:
    """What somebody wrote there is not replaced."""
    prepare_folder(tmp_path / ".sessioneval")
    (tmp_path / ".sessioneval" / ".gitignore").write_text("mine\n")
    prepare_folder(tmp_path / ".sessioneval")
    assert "mine\n" == (tmp_path / ".sessioneval" / ".gitignore").read_text()


def test_a_folder_of_the_user_gets_no_gitignore(report: Report, tmp_path: Path) -> None:
    """What else lies in it may be meant for git."""
    (tmp_path / "docs").mkdir()
    write_reports(report, tmp_path / "docs", root=tmp_path)
    assert ".gitignore" not in _files(tmp_path / "docs")


def test_a_second_write_replaces_the_first(report: Report, tmp_path: Path) -> None:
    """As a whole, and leaves nothing behind."""
    write_reports(build_report(many_run(30)), tmp_path / "out", root=tmp_path)
    written = write_reports(report, tmp_path / "out", root=tmp_path)
    assert 6 == len(json.loads(written.json.read_text())["suites"][0]["sessions"])
    assert 4 == len(_files(tmp_path / "out"))


def test_a_link_is_replaced_and_not_followed(report: Report, tmp_path: Path) -> None:
    """The file a link points to is not written."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    folder = tmp_path / "out" / "runs" / report.run_id
    folder.mkdir(parents=True)
    (folder / "report.md").symlink_to(victim)
    write_reports(report, tmp_path / "out", root=tmp_path)
    assert "mine" == victim.read_text()


def test_a_run_folder_that_leads_out_is_refused(report: Report, tmp_path: Path) -> None:
    """A link in place of the run's folder is no way to write elsewhere."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "runs").mkdir(parents=True)
    (tmp_path / "out" / "runs" / report.run_id).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="leads out of"):
        write_reports(report, tmp_path / "out", root=tmp_path)
    assert [] == _files(tmp_path / "elsewhere")


@pytest.mark.parametrize("run_id", ["../x", "a/b", "", ".hidden", "x" * 101, "a\n"])
def test_a_run_id_is_no_path(report: Report, tmp_path: Path, run_id: str) -> None:
    """What cannot name a folder is refused before anything is written."""
    with pytest.raises(SettingError, match="--sessioneval-run-id"):
        write_reports(report.model_copy(update={"run_id": run_id}), tmp_path / "out", root=tmp_path)
    assert [] == list(tmp_path.iterdir())


def test_an_unwritable_folder_is_named(report: Report, tmp_path: Path) -> None:
    """With the reason, and the option that helps."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"file/out: .*Not a directory; .*--sessioneval-out"):
        write_reports(report, tmp_path / "file" / "out", root=tmp_path)


def test_an_unwritable_copy_names_its_option(report: Report, tmp_path: Path) -> None:
    """What the user asked for is the user's to correct; no temporary file stays."""
    (tmp_path / "taken").mkdir()
    with pytest.raises(SettingError, match=r"--sessioneval-json: .*taken cannot be written"):
        write_reports(report, tmp_path / "out", root=tmp_path, json_path=tmp_path / "taken")
    assert [] == [path.name for path in tmp_path.iterdir() if path.name.endswith(".tmp")]


def test_a_step_summary_grows(tmp_path: Path) -> None:
    """What other steps of the job wrote stays."""
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    assert append_step_summary(summary, "# Scores\n")
    assert "before\n# Scores\n" == summary.read_text()


def test_a_step_summary_is_made(tmp_path: Path) -> None:
    """A file that is not there yet is no error."""
    assert append_step_summary(tmp_path / "summary.md", "# Scores\n")
    assert "# Scores\n" == (tmp_path / "summary.md").read_text()


def test_a_step_summary_never_exceeds_its_limit(tmp_path: Path) -> None:
    """What was there before counts, and the cut is told."""
    summary = tmp_path / "summary.md"
    summary.write_text("x" * 500)
    assert not append_step_summary(summary, "é line\n" * 200, limit=1_000)
    assert 1_000 >= summary.stat().st_size > 900
    assert summary.read_text().endswith(
        "Cut here: the step summary is full. report.md has the rest.**\n"
    )


@pytest.mark.parametrize("limit", range(5_000, 25_000, 997))
def test_a_cut_leaves_no_fold_open(tmp_path: Path, limit: int) -> None:
    """Wherever the limit falls, the note is not hidden inside a fold."""
    summary = tmp_path / "summary.md"
    append_step_summary(summary, render_markdown(build_report(many_run(40))), limit=limit)
    lines = summary.read_text().splitlines()
    assert lines.count("<details>") == lines.count("</details>")
    assert limit >= summary.stat().st_size


def test_a_full_step_summary_stays_as_it_is(tmp_path: Path) -> None:
    """Not even the note fits; the caller is told."""
    summary = tmp_path / "summary.md"
    summary.write_text("x" * 995)
    assert not append_step_summary(summary, "# Scores\n", limit=1_000)
    assert "x" * 995 == summary.read_text()


def test_an_unwritable_step_summary_is_named(tmp_path: Path) -> None:
    """With the reason."""
    with pytest.raises(StoreError, match=f"{tmp_path}: the step summary cannot be written"):
        append_step_summary(tmp_path, "# Scores\n")
