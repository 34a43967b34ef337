"""Names of files and folders made out of strangers' ids."""

from __future__ import annotations

import hashlib
import re

__all__ = ["file_name"]

_ODD = re.compile(r"[^a-z0-9]+")
_SLUG = 40


def file_name(text: str) -> str:
    """Return ``<slug>-<12 hex of the text's SHA-256>``: one name per text, safe on any disk.

    The slug is what is left of the text in a-z, 0-9 and ``-``, at most 40 characters.
    """
    slug = _ODD.sub("-", text.lower()).strip("-")[:_SLUG].strip("-") or "unnamed"
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{slug}-{digest[:12]}"
