"""What several formats share in a message: media, call arguments, and names of sessions."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from pytest_sessioneval.transcripts.model import JsonObject, Media
from pytest_sessioneval.transcripts.strict_json import JsonError, parse_strict

__all__ = ["arguments_of", "inline_media", "linked_media", "locators_of", "media_at"]

_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)?[^,]{0,200}?(;base64)?,", re.IGNORECASE)
_NAME = re.compile(r"[\w.+@=,~-]{1,120}")


def arguments_of(value: Any, *, depth: int = 64) -> JsonObject | str:
    """Return a call's arguments: an object, or the recorded text where it is no JSON object.

    A string is parsed as strictly as a file is; null is an empty string.
    """
    if isinstance(value, dict):
        return value
    if value is None:
        return ""
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    try:
        parsed = parse_strict(value, depth=depth)
    except JsonError:
        return value
    return parsed if isinstance(parsed, dict) else value


def inline_media(kind: str, encoded: str) -> Media:
    """Return the fingerprint of base64 content; of its text where it is no base64."""
    try:
        content = base64.b64decode(encoded, validate=False)
    except (binascii.Error, ValueError):
        return _text_media(kind, encoded)
    return Media(kind=kind, size=len(content), sha256=hashlib.sha256(content).hexdigest())


def linked_media(kind: str, address: str) -> Media:
    """Return the fingerprint of content that stands elsewhere: of its address, size 0."""
    sha256 = hashlib.sha256(address.encode("utf-8", "replace")).hexdigest()
    return Media(kind=kind, size=0, sha256=sha256)


def media_at(address: str, kind: str) -> Media:
    """Return the fingerprint of what a URL holds (``data:``) or points to (nothing is fetched).

    ``kind`` is the media type where the URL does not say one.
    """
    inline = _DATA_URL.match(address)
    if inline is None:
        return linked_media(kind, address)
    kind, content = inline.group(1) or kind, address[inline.end() :]
    return inline_media(kind, content) if inline.group(2) else _text_media(kind, content)


def _text_media(kind: str, text: str) -> Media:
    content = text.encode("utf-8", "replace")
    return Media(kind=kind, size=len(content), sha256=hashlib.sha256(content).hexdigest())


def locators_of(ids: Sequence[str | None]) -> tuple[str | None, ...]:
    """Return what names each session within its file, from the sessions' own ids.

    Null for a session that is alone. Else its own id where no other session of
    the file has it and it can stand in a node id, else ``#`` and its ordinal
    from 1. No two are equal.
    """
    if len(ids) == 1:
        return (None,)
    counts = Counter(ids)
    return tuple(
        own if own is not None and counts[own] == 1 and _NAME.fullmatch(own) else f"#{ordinal}"
        for ordinal, own in enumerate(ids, start=1)
    )
