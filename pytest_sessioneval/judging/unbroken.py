"""Whether a text holds a long run that nothing breaks: a hash, base64, a long path."""

from __future__ import annotations

import string

__all__ = ["holds_unbroken"]

_UNBROKEN = (string.ascii_letters + string.digits + "+/=_-").encode()
_SHAPE = bytes(ord("x") if byte in _UNBROKEN else ord(" ") for byte in range(256))


def holds_unbroken(encoded: bytes, length: int) -> bool:
    """Return whether at least ``length`` letters, digits and ``+/=_-`` stand in a row in UTF-8.

    A fifth of the time that a regular expression takes: most texts hold none.
    """
    return b"x" * length in encoded.translate(_SHAPE)
