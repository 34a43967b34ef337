"""Scoring of samples, grouped by session."""

from __future__ import annotations

from fastapi import APIRouter

__all__ = ["router"]

router = APIRouter(prefix="/api/score", tags=["scoring"])
