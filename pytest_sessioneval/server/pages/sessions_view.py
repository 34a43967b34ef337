"""The overview of sessions as its page shows it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_sessioneval.evaluation.session_source import ServedSuite
from pytest_sessioneval.reports.wording import short_axes
from pytest_sessioneval.server.pages.links import session_url, sessions_url
from pytest_sessioneval.stores.listings import ListedSession, SessionOverview, SessionQuery

__all__ = ["SessionRow", "SessionsView", "sessions_view"]

_PROBLEMS = 10


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session."""

    url: str
    suite: str
    overview: SessionOverview
    scores: tuple[int | None, ...]
    """As ``SessionsView.axes``; empty: it has no evaluation."""


@dataclass(frozen=True, slots=True)
class SessionsView:
    """One page of sessions."""

    rows: tuple[SessionRow, ...]
    axes: tuple[tuple[str, str], ...]
    """Every axis, and what heads its column."""
    query: SessionQuery
    newer: str | None
    """Address of the page before; None: this is the first."""
    older: str | None
    """Address of the page after; None: this is the last."""
    problems: tuple[str, ...]
    """What of the folders that are served cannot be used, a line each."""
    more_problems: int
    """How many there are beyond those."""

    @property
    def is_filtered(self) -> bool:
        """Whether some sessions are left out by what was asked."""
        return self.query.status is not None or self.query.profile is not None

    @property
    def told(self) -> str:
        """``sessions 51–100``; empty without any."""
        if not self.rows:
            return ""
        first = self.query.offset + 1
        return f"sessions {first:,}–{first + len(self.rows) - 1:,}"


def sessions_view(
    listed: Sequence[ListedSession], query: SessionQuery, sources: Sequence[ServedSuite] = ()
) -> SessionsView:
    """Return the page of ``query``; ``listed`` has one session more where there is a next page.

    ``sources`` are the folders that are served.
    """
    problems = tuple(line for served in sources for line in _problems(served))
    shown = listed[: query.limit]
    names = dict.fromkeys(axis for one in shown for axis in one.overview.latest_avg or ())
    axes = short_axes(names)
    before = max(0, query.offset - query.limit)
    return SessionsView(
        rows=tuple(
            SessionRow(
                url=session_url(one.overview.session_id),
                suite=one.suite,
                overview=one.overview,
                scores=()
                if one.overview.latest_avg is None
                else tuple(one.overview.latest_avg.get(axis) for axis in axes),
            )
            for one in shown
        ),
        axes=tuple(axes.items()),
        query=query,
        newer=_page(query, before) if query.offset else None,
        older=_page(query, query.offset + query.limit) if len(listed) > query.limit else None,
        problems=problems[:_PROBLEMS],
        more_problems=max(0, len(problems) - _PROBLEMS),
    )


def _problems(served: ServedSuite) -> Iterator[str]:
    name = served.suite.name
    if served.problem:
        yield f"{name}: {served.problem}"
    for one in served.sources.problems:
        place = one.path if one.line is None else f"{one.path}:{one.line}"
        yield f"{name}: {place} cannot be read: {one.reason}"


def _page(query: SessionQuery, offset: int) -> str:
    return sessions_url(
        status=query.status, profile=query.profile, limit=query.limit, offset=offset
    )
