"""A table of plain text for people: columns aligned, every cell made harmless."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_sessioneval.reports.neutralise import one_line

__all__ = ["plain_table"]

_WIDEST_CELL = 60


def plain_table(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = ()
) -> Iterator[str]:
    """Yield the head and one line per row; columns named in ``right`` are aligned to the right.

    Cells are cleaned, put on one line and cut at 60 characters with an ellipsis.
    """
    shown = [[one_line(cell, _WIDEST_CELL) for cell in row] for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    aligned = [name in right for name in head]
    for row in shown:
        cells = zip(row, widths, aligned, strict=True)
        line = "  ".join(
            c.rjust(width) if to_right else c.ljust(width) for c, width, to_right in cells
        )
        yield line.rstrip()
