"""Where xdist workers find their controller: a loopback socket, standard library only.

The controller cannot know whether a worker will find a suite, and must not pay
for one that nobody has: it listens, and imports the rest when a worker calls.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
import threading
from collections.abc import Callable
from typing import Any

__all__ = ["Meeting"]


class Meeting:
    """A listening socket.

    ``answer`` is called with each connection, and the token the caller must
    say, in a thread of its own.
    """

    def __init__(self, answer: Callable[[socket.socket, str], None]) -> None:
        self.token = secrets.token_hex(16)
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        thread = threading.Thread(target=self._accept, name="sessioneval-meeting", daemon=True)
        thread.start()

    @property
    def invitation(self) -> dict[str, Any]:
        """What a worker needs to call: host, port and token."""
        host, port = self._listener.getsockname()
        return {"host": host, "port": port, "token": self.token}

    def close(self) -> None:
        """Take no more calls."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(
                target=self._answer,
                args=(connection, self.token),
                name="sessioneval-desk",
                daemon=True,
            ).start()
