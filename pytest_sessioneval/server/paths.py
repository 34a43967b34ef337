"""Ids in paths: they hold any character, slashes and line breaks included."""

from __future__ import annotations

from starlette.convertors import Convertor, register_url_convertor

__all__ = ["RUN", "SESSION"]


class _AnyText(Convertor[str]):
    """The rest of a path, whatever is in it; the framework's own stops at a line break."""

    regex = r"(?s:.*)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("any_text", _AnyText())

SESSION = "{session_id:any_text}"
"""The id of a session at the end of a path."""
RUN = "{run_id:any_text}"
"""The id of a run, which something may follow."""
