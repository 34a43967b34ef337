"""Runs in the background: start, look at, cancel and resume them."""

from __future__ import annotations

from fastapi import APIRouter

__all__ = ["router"]

router = APIRouter(prefix="/eval", tags=["runs"])
