"""The invented company: a whole Lever account made from a seed, and the truth about it."""

from __future__ import annotations

from sandbox.company.build import build
from sandbox.company.model import NOW_MS, Company, Person

__all__ = ["NOW_MS", "Company", "Person", "build"]
