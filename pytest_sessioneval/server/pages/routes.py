"""The addresses of pages."""

from __future__ import annotations

from fastapi import APIRouter

__all__ = ["PUBLIC", "router"]

PUBLIC: tuple[str, ...] = ()
"""Paths that need no token."""

router = APIRouter(include_in_schema=False)
