"""The base of every value that crosses a file, a process or a database."""

from __future__ import annotations

import ast
import inspect
import sys
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
            for field, text in _lines_of(owner.__module__).get(owner.__qualname__, {}).items():
                alias = cls.model_fields[field].alias if field in cls.model_fields else None
                name = field if alias is None or field in properties else alias
                properties.get(name, {}).setdefault("description", text)
        return schema


@cache
def _lines_of(module: str) -> dict[str, dict[str, str]]:
    """Return what stands beneath the fields of a module's classes, by qualified name.

    A module is parsed once for all of them.
    """
    found: dict[str, dict[str, str]] = {}
    waiting: list[tuple[ast.AST, str]] = [(ast.parse(inspect.getsource(sys.modules[module])), "")]
    while waiting:
        node, within = waiting.pop()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef):
                found[within + child.name] = _lines_beneath(child)
                waiting.append((child, f"{within}{child.name}."))
            elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                waiting.append((child, f"{within}{child.name}.<locals>."))
    return found


def _lines_beneath(body: ast.ClassDef) -> dict[str, str]:
    """Return the docstring beneath each annotated field of the class itself."""
    found: dict[str, str] = {}
    for field, beneath in pairwise(body.body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(beneath, ast.Expr)
            and isinstance(beneath.value, ast.Constant)
            and isinstance(beneath.value.value, str)
        ):
            found[field.target.id] = inspect.cleandoc(beneath.value.value)
    return found
