"""What hooks of plugins and conftests give: readers, judges, kinds of secrets; checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.transcripts.reader import Reader
from pytest_sessioneval.transcripts.redaction_policy import OwnSecret, own_secret
from pytest_sessioneval.transcripts.registry import Registry, builtin_readers

if TYPE_CHECKING:
    from pytest_sessioneval.judging.backends.hook import JudgeFunction

__all__ = ["given_judges", "given_registry", "given_secrets"]

_READERS = "pytest_sessioneval_readers"
_JUDGES = "pytest_sessioneval_judges"
_SECRETS = "pytest_sessioneval_redaction_patterns"
_MEMBERS = ("name", "version", "detects", "read", "companions", "owns")


def given_registry(config: pytest.Config) -> Registry:
    """Return the readers, those of hooks first; raises ``SettingError`` where one is none."""
    given: list[Reader] = []
    for readers in config.hook.pytest_sessioneval_readers():
        if isinstance(readers, str) or not isinstance(readers, Iterable):
            raise _wrong(_READERS, readers, "a list of readers")
        for reader in readers:
            missing = [member for member in _MEMBERS if not hasattr(reader, member)]
            if missing:
                lacks = f"an object with {', '.join(_MEMBERS)}; this one lacks {', '.join(missing)}"
                raise _wrong(_READERS, reader, lacks)
            given.append(reader)
    try:
        return Registry((*given, *builtin_readers()))
    except ValueError as error:
        raise SettingError(f"{_READERS}: {error}") from None


def given_judges(config: pytest.Config) -> dict[str, JudgeFunction]:
    """Return the Python judges by name; raises ``SettingError`` for other values."""
    known: dict[str, JudgeFunction] = {}
    for given in config.hook.pytest_sessioneval_judges():
        known |= _mapping(_JUDGES, given, "a dictionary of judges by name")
    return known


def given_secrets(config: pytest.Config) -> tuple[OwnSecret, ...]:
    """Return the kinds of secrets that hooks name; raises ``SettingError`` for other values."""
    return tuple(
        own_secret(kind, text, where=_SECRETS)
        for given in config.hook.pytest_sessioneval_redaction_patterns()
        for kind, text in _mapping(
            _SECRETS, given, "a dictionary of regular expressions by kind"
        ).items()
    )


def _mapping(hook: str, given: object, accepted: str) -> Mapping[Any, Any]:
    if not isinstance(given, Mapping):
        raise _wrong(hook, given, accepted)
    return given


def _wrong(hook: str, given: object, accepted: str) -> SettingError:
    return SettingError(f"{hook} returned {type(given).__name__}; accepted: {accepted}")
