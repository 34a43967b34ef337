"""Live progress while an item waits for its verdict, on a terminal that can show it."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_sessioneval.judging.dispatch import Progress

__all__ = ["ProgressLine"]

_SAVE, _RESTORE, _ERASE = "\0337", "\0338", "\033[K"


class ProgressLine:
    """Shows how far judging is behind the line being written, and takes it away again.

    Silent where the terminal is none, cannot move its cursor, or was asked to
    be quiet.
    """

    def __init__(self, config: pytest.Config) -> None:
        reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
        self._capture: Any = config.pluginmanager.get_plugin("capturemanager")
        self._writer = config.get_terminal_writer() if reporter is not None else None
        self._on = (
            reporter is not None
            and bool(getattr(reporter, "isatty", False))
            and self._writer is not None
            and self._writer.hasmarkup
            and config.get_verbosity() >= 0
        )
        self._shown = False

    def show(self, progress: Progress) -> None:
        """Show the progress behind whatever stands on the line."""
        if self._on:
            text = f" [judged {progress.done} of {progress.total}, {progress.in_flight} in flight"
            text += f", {progress.retried} retried]" if progress.retried else "]"
            self._write(text)
            self._shown = True

    def clear(self) -> None:
        """Take the progress away."""
        if self._shown:
            self._write("")
            self._shown = False

    def _write(self, text: str) -> None:
        writer = self._writer
        if writer is None:
            return
        room = writer.fullwidth - writer.width_of_current_line - 1
        shown = text if len(text) <= room else ""
        if self._capture is None:
            self._put(f"{_SAVE}{shown}{_ERASE}{_RESTORE}")
            return
        with self._capture.global_and_fixture_disabled():
            self._put(f"{_SAVE}{shown}{_ERASE}{_RESTORE}")

    def _put(self, text: str) -> None:
        writer = self._writer
        if writer is not None:
            # Past the writer: it would count the text into the line's width.
            writer._file.write(text)  # noqa: SLF001
            writer.flush()
