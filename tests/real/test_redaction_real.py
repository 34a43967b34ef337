"""Recorded sessions of every source keep all that only looks like a secret."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_sessioneval.transcripts.redaction import redact_text
from pytest_sessioneval.transcripts.redaction_policy import RedactionPolicy

MUST_SURVIVE = {
    "uuid": re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"),
    "sha256": re.compile(r"\b[0-9a-f]{64}\b"),
    "sha1": re.compile(r"\b[0-9a-f]{40}\b"),
    "version": re.compile(r"\bv?\d+\.\d+\.\d+\b"),
    "base64 image": re.compile(r"\b(?:iVBORw0KGgo|/9j/4|R0lGOD)[A-Za-z0-9+/=]{40,}"),
}
PERSONAL = re.compile(r"@|\d{3}-\d{4}|\+\d")
"""Stands in whatever the wider choice may replace beside secrets."""


@pytest.fixture(scope="module")
def texts(shared_data: Path) -> list[str]:
    """Return every text of every recorded file, decoded, each once."""
    files = sorted(path for path in shared_data.rglob("*") if path.is_file())
    return list(dict.fromkeys(text for path in files for text in _texts_of(path)))


def _texts_of(path: Path) -> Iterator[str]:
    if path.suffix == ".eval":
        with zipfile.ZipFile(path) as archive:
            members = [name for name in archive.namelist() if name.endswith(".json")]
            for name in members:
                try:
                    yield from _decoded(archive.read(name).decode("utf-8", "replace"))
                except NotImplementedError:  # a compression that the standard library lacks
                    return
        return
    content = path.read_text("utf-8", "replace")
    parts = content.split("\n") if path.suffix == ".jsonl" else [content]
    for part in parts:
        yield from _decoded(part)


def _decoded(content: str) -> Iterator[str]:
    try:
        held: list[Any] = [json.loads(content)]
    except ValueError:
        held = [content]
    while held:
        value = held.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            held += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            held += value


@pytest.mark.parametrize("name", MUST_SURVIVE)
def test_what_only_looks_like_a_secret_survives(texts: list[str], name: str) -> None:
    """Every id, hash, version and image stands in the redacted text as it stood before."""
    pattern = MUST_SURVIVE[name]
    before = [pattern.findall(text) for text in texts]
    after = [pattern.findall(redact_text(text)) for text in texts]

    assert sum(map(len, before)) > 0
    assert before == after


def test_little_is_taken_for_a_secret(texts: list[str]) -> None:
    """Sources were cleaned before they were published: what goes is a mistake, or was missed."""
    changed = [text[:200] for text in texts if redact_text(text) != text]
    assert len(changed) <= len(texts) / 10_000, changed[:10]


def test_personal_data_alone_goes_beside_secrets(texts: list[str]) -> None:
    """The wider choice replaces addresses and numbers, and changes no other text."""
    policy = RedactionPolicy(what="secrets+pii")
    changed = [text for text in texts if redact_text(text, policy) != redact_text(text)]

    assert changed
    assert [] == [text[:200] for text in changed if PERSONAL.search(text) is None]
