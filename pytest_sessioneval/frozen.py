"""The base of every value that crosses a file, a process or a database."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

__all__ = ["Frozen"]


class Frozen(BaseModel):
    """A value: immutable, without unknown keys, with finite numbers only.

    The line beneath each field becomes the field's description in the JSON
    Schemas that the package ships.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )
