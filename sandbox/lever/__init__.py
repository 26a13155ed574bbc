"""The Lever side: the Data API v1 as far as a read-only migration needs it."""

from __future__ import annotations

from sandbox.lever.app import LeverApp, create

__all__ = ["LeverApp", "create"]
