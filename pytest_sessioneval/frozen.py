"""The base of every value that crosses a file, a process or a database."""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import cache
from itertools import pairwise

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

__all__ = ["Frozen"]


class Frozen(BaseModel):
    """A value: immutable, without unknown keys, with finite numbers only.

    The line beneath each field becomes the field's description in the JSON
    Schemas that the package ships. It is read when a schema is made: pydantic's
    own way reads the source of every model at every import, half a second.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return the schema with the line beneath each field as its description."""
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        owners = [base for base in cls.__mro__ if issubclass(base, Frozen) and base is not Frozen]
        for owner in owners:
            for field, text in _lines_beneath(owner).items():
                alias = cls.model_fields[field].alias if field in cls.model_fields else None
                name = field if alias is None or field in properties else alias
                properties.get(name, {}).setdefault("description", text)
        return schema


@cache
def _lines_beneath(cls: type) -> dict[str, str]:
    """Return the docstring beneath each annotated field of the class itself."""
    body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    found: dict[str, str] = {}
    for field, beneath in pairwise(getattr(body, "body", [])):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(beneath, ast.Expr)
            and isinstance(beneath.value, ast.Constant)
            and isinstance(beneath.value.value, str)
        ):
            found[field.target.id] = inspect.cleandoc(beneath.value.value)
    return found
