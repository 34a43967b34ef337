"""Addresses of the pages. Ids are data of strangers: they stand in queries, never as a path."""

from __future__ import annotations

from urllib.parse import quote, urlencode

__all__ = ["message_url", "run_url", "session_url", "sessions_url", "trends_url"]


def run_url(run_id: str, *, start: int = 0, part: str = "") -> str:
    """Return the address of a run's page, from that session on; ``part`` is a page below it."""
    below = f"/{part}" if part else ""
    return f"/runs/{quote(run_id, safe='')}{below}" + _query(start=start or None)


def session_url(
    session_id: str, *, start: int = 0, agent: str | None = None, anchor: str = ""
) -> str:
    """Return the address of a session's page, its transcript from that message on.

    ``agent`` is a sub-agent, whose messages are then shown; ``anchor`` a place on the page.
    """
    hash_ = f"#{anchor}" if anchor else ""
    return "/session" + _query(id=session_id, agent=agent, start=start or None) + hash_


def message_url(session_id: str, index: int, *, start: int = 0, agent: str | None = None) -> str:
    """Return the address of one message, whole, from that character on."""
    return "/session/message" + _query(
        id=session_id, agent=agent, message=index, start=start or None
    )


def sessions_url(
    *, status: str | None = None, profile: str | None = None, limit: int = 50, offset: int = 0
) -> str:
    """Return the address of a page of sessions."""
    size = None if limit == 50 else limit  # noqa: PLR2004 -- what the page shows unasked
    return "/sessions" + _query(status=status, profile=profile, limit=size, offset=offset or None)


def trends_url(*, days: int = 30, by_bucket: bool = False) -> str:
    """Return the address of the weekly averages."""
    return "/trends" + _query(
        days=None if days == 30 else days,  # noqa: PLR2004 -- the same
        by_bucket="1" if by_bucket else None,
    )


def _query(**values: str | int | None) -> str:
    given = {name: value for name, value in values.items() if value is not None}
    return f"?{urlencode(given)}" if given else ""
