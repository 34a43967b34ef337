"""Everything that may stop a merge for one suite: the gate's decision and the shortcuts."""

from __future__ import annotations

from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.gate.outcome import Decision
from pytest_sessioneval.gate.saying import in_brief, said
from pytest_sessioneval.gate.shortcuts import ShortcutResult, shortcut_lines

__all__ = ["GateResult"]


class GateResult(Frozen):
    """What was decided of one suite of a run."""

    decision: Decision | None = None
    """The gate's decision; null: the suite has no gate."""
    shortcuts: tuple[ShortcutResult, ...] = ()
    """What --sessioneval-fail-under and --sessioneval-fail-drop found."""

    @property
    def blocks(self) -> bool:
        """Whether the run fails for it."""
        stopped = self.decision is not None and self.decision.blocks
        return stopped or not all(shortcut.held for shortcut in self.shortcuts)

    @property
    def stopped_by(self) -> str:
        """In a few words what fails the run; empty: nothing here does."""
        failed = [shortcut.option for shortcut in self.shortcuts if not shortcut.held]
        if self.decision is not None and self.decision.blocks:
            return in_brief(self.decision)
        return f"{' and '.join(failed)} did not hold" if failed else ""

    @property
    def failure(self) -> tuple[str, ...]:
        """The same as ``lines``, led by a shortcut where only that failed; empty: all held."""
        if not self.blocks:
            return ()
        if self.decision is None or self.decision.blocks:
            return self.lines
        failed = [shortcut for shortcut in self.shortcuts if not shortcut.held]
        first = shortcut_lines(failed)[:1]
        return (*first, *(line for line in self.lines if line not in first))

    @property
    def lines(self) -> tuple[str, ...]:
        """The whole in words, a sentence or an axis a line; keys stand as recorded."""
        decided = said(self.decision) if self.decision is not None else ()
        return (*decided, *shortcut_lines(self.shortcuts))
