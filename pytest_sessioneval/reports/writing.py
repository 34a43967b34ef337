"""The one place that writes reports: whole files or none, and only where it was told to."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pytest_sessioneval.errors import SettingError, StoreError
from pytest_sessioneval.gate.agreement.card import JudgeCard
from pytest_sessioneval.reports.advice.markdown import render_advice
from pytest_sessioneval.reports.card import render_card
from pytest_sessioneval.reports.csv_file import render_csv
from pytest_sessioneval.reports.json_file import escaped, json_parts
from pytest_sessioneval.reports.markdown import render_markdown
from pytest_sessioneval.reports.markdown_sessions import Link, no_link
from pytest_sessioneval.reports.model import Report
from pytest_sessioneval.reports.neutralise import relative_href

__all__ = [
    "RUN_ID",
    "STEP_SUMMARY_BYTES",
    "Written",
    "append_step_summary",
    "fitted",
    "links_from",
    "links_under",
    "make_run_folder",
    "prepare_folder",
    "replace_file",
    "write_card",
    "write_reports",
]

STEP_SUMMARY_BYTES = 1024 * 1024
"""The largest step summary that GitHub shows, in bytes; a larger one is not shown at all."""

RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
"""What the id of a run looks like, whole: it names a folder."""
_FULL = "**Cut here: the step summary is full. report.md has the rest.**"
_OUT_OPTION = "choose another folder with --sessioneval-out"


@dataclass(frozen=True, slots=True)
class Written:
    """The files that were written."""

    folder: Path
    """The run's folder."""
    json: Path
    """Its report.json."""
    markdown: Path
    """Its report.md."""
    csv: Path
    """Its scores.csv."""
    advice: Path | None = None
    """Its advice.md; None: nobody looked for any."""
    extra: tuple[Path, ...] = ()
    """Those written elsewhere by request."""

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every file, the one to read first at the front."""
        advice = () if self.advice is None else (self.advice,)
        return (self.markdown, *advice, self.json, self.csv, *self.extra)


def write_reports(
    report: Report,
    folder: Path,
    *,
    root: Path,
    json_path: Path | None = None,
    md_path: Path | None = None,
) -> Written:
    """Write ``report.json``, ``report.md`` and ``scores.csv`` to ``folder/runs/<run id>/``.

    ``advice.md`` is written beside them where the report holds advice.
    ``root`` is the folder that suites' roots are relative to; Markdown links to
    transcripts from there. ``json_path`` and ``md_path`` are further copies that
    the user asked for. A file is replaced as a whole: a reader sees the old one
    or the new one. Raises ``StoreError`` naming the path that cannot be written,
    ``SettingError`` where the user named the path.
    """
    run_folder = make_run_folder(folder, report.run_id)
    written = Written(
        folder=run_folder,
        json=run_folder / "report.json",
        markdown=run_folder / "report.md",
        csv=run_folder / "scores.csv",
        advice=run_folder / "advice.md" if any(one.advice for one in report.suites) else None,
        extra=tuple(path for path in (json_path, md_path) if path is not None),
    )
    _store(written.json, json_parts(report))
    link = links_from(run_folder, root)
    _store(written.markdown, [render_markdown(report, link, advice="advice.md")])
    if written.advice is not None:
        _store(written.advice, [render_advice(report.suites, link)])
    _store(written.csv, [render_csv(report)])
    if json_path is not None:
        _export(json_path, json_parts(report), "--sessioneval-json")
    if md_path is not None:
        text = render_markdown(report, links_from(md_path.parent, root))
        _export(md_path, [text], "--sessioneval-md")
    return written


def make_run_folder(folder: Path, run_id: str) -> Path:
    """Return the run's folder ``folder/runs/<run id>/``, which is made where it is missing.

    Raises ``SettingError`` for an id that cannot name one and ``StoreError``
    where it cannot be made, or where a link leads out of ``folder``.
    """
    if not RUN_ID.fullmatch(run_id):
        raise SettingError(
            f"--sessioneval-run-id: {run_id!r} cannot name a folder; accepted are up to "
            "100 letters, digits, '.', '_' and '-', a letter or digit first"
        )
    prepare_folder(folder)
    run_folder = folder / "runs" / run_id
    try:
        run_folder.mkdir(parents=True, exist_ok=True)
        inside = run_folder.resolve().is_relative_to(folder.resolve())
    except OSError as error:
        raise StoreError(f"{run_folder}: no folder can be made here: {_why(error)}") from error
    if not inside:
        raise StoreError(f"{run_folder}: leads out of {folder} by a link; nothing was written")
    return run_folder


def write_card(card: JudgeCard, file: Path) -> tuple[Path, Path]:
    """Write a judge's card as JSON, and as Markdown beside it; return both paths.

    Missing folders are made. Raises ``StoreError`` naming the path that cannot be written.
    """
    readable = file.with_suffix(".md")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{file.parent}: no folder can be made here: {_why(error)}") from error
    _store(file, [escaped(card.model_dump_json(indent=2)), "\n"])
    _store(readable, [render_card(card)])
    return file, readable


def prepare_folder(folder: Path) -> None:
    """Make the output folder, with a ``.gitignore`` that leaves all of it out.

    A folder that was there before under another name gets none: what else is in
    it may be meant for git. Raises ``StoreError``.
    """
    try:
        ours = folder.name == ".sessioneval" or not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        ignore = folder / ".gitignore"
        if ours and not os.path.lexists(ignore):
            replace_file(ignore, ["# made by pytest-sessioneval\n*\n"])
    except OSError as error:
        raise StoreError(
            f"{folder}: reports cannot be written here: {_why(error)}; {_OUT_OPTION}"
        ) from error


def links_from(folder: Path, root: Path) -> Link:
    """Return links to transcripts as a file in ``folder`` reaches them, by relative paths.

    ``root`` is what suites' roots are relative to.
    """
    here, base = os.path.abspath(folder), os.path.abspath(root)  # noqa: PTH100 -- keeps links

    def link(path: str) -> str | None:
        target = os.path.normpath(os.path.join(base, path))  # noqa: PTH118 -- the same
        return relative_href(Path(os.path.relpath(target, here)).as_posix())

    return link


def links_under(url: str | None) -> Link:
    """Return links to transcripts under a URL, such as a commit's page; None: no links.

    A transcript outside of the run's root is not linked.
    """
    if url is None:
        return no_link

    def link(path: str) -> str | None:
        inside = os.path.normpath(path)
        if inside == ".." or inside.startswith(("/", "../")):
            return None
        return f"{url.rstrip('/')}/{relative_href(inside)}"

    return link


def append_step_summary(path: Path, markdown: str, *, limit: int = STEP_SUMMARY_BYTES) -> bool:
    """Append Markdown to a GitHub step summary and return whether all of it went in.

    The file never grows beyond ``limit`` bytes, what was there included; what
    does not fit is left out at a line break, and a last line says so. Raises
    ``StoreError`` naming the path.
    """
    try:
        taken = path.stat().st_size if path.exists() else 0
        text, whole = fitted(markdown, limit - taken, note=_FULL)
        with path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise StoreError(f"{path}: the step summary cannot be written: {_why(error)}") from error
    return whole


def fitted(markdown: str, room: int, *, note: str) -> tuple[str, bool]:
    """Return as many of its first lines as fit in ``room`` bytes, and whether all did.

    Where something is left out, ``note`` stands at the end; nothing at all is
    returned where even that has no room.
    """
    data = markdown.encode()
    if len(data) <= room:
        return markdown, True
    note = f"\n{note}\n"
    close = "\n</details>\n"
    left = room - len(note.encode()) - len(close.encode())
    if left <= 0:
        return "", False
    # only whole lines go in, and a fold that was begun is closed
    lines = data[:left].rpartition(b"\n")[0].decode().split("\n")
    folded = lines.count("<details>") > lines.count("</details>")
    return "\n".join(lines) + "\n" + (close if folded else "") + note, False


def _store(path: Path, parts: Iterable[str]) -> None:
    try:
        replace_file(path, parts)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {_why(error)}; {_OUT_OPTION}") from error


def _export(path: Path, parts: Iterable[str], option: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, parts)
    except OSError as error:
        raise SettingError(
            f"{option}: {path} cannot be written: {_why(error)}; name a file in a folder "
            "that you may write to"
        ) from error


def replace_file(path: Path, parts: Iterable[str]) -> None:
    """Put the text in place of the file in one step; a link is replaced, never followed.

    Readers see the old file or the new one, and an error (``OSError``) leaves the old one.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(temporary, flags, 0o666)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.writelines(parts)
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _why(error: OSError) -> str:
    return error.strerror or type(error).__name__
