"""Runs the application on a socket until it is told to end."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

import uvicorn
from fastapi import FastAPI

__all__ = ["Serving", "serve_on"]

_CLOSING_S = 2


class Serving(uvicorn.Server):
    """A server of one application; ``started`` is called once it answers."""

    def __init__(self, app: FastAPI, started: Callable[[], None]) -> None:
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=_CLOSING_S,
            # What a caller says of other addresses decides nothing here.
            proxy_headers=False,
        )
        super().__init__(config)
        self._is_up = started
        self._ending = app.state.ending

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        self._is_up()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End: requests that go on are told so."""
        self._ending.set()
        await super().shutdown(sockets)


def serve_on(app: FastAPI, listening: socket.socket, *, started: Callable[[], None]) -> None:
    """Serve on the socket until SIGINT or SIGTERM, then return.

    What is being answered then gets half a second, and is told that the server ends.
    """

    def ended(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    # The server repeats a signal once it is done with it: both ways to end become one.
    before = signal.signal(signal.SIGTERM, ended)
    try:
        with suppress(KeyboardInterrupt):
            Serving(app, started).run(sockets=[listening])
    finally:
        signal.signal(signal.SIGTERM, before)
