"""The Lever side: the Data API v1 as far as a read-only migration needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.lever.app import LeverApp

if TYPE_CHECKING:
    from sandbox.clock import Clock
    from sandbox.company import Company
    from sandbox.company.large import LargeCompany
    from sandbox.journal import Journal
    from sandbox.settings import Settings

__all__ = ["LeverApp", "create"]


def create(company: Company | LargeCompany, *, settings: Settings, journal: Journal, clock: Clock) -> LeverApp:
    """Return the Lever side of a company, ordinary or large; ``clock`` is the account's."""
    if not settings.opportunities:
        return LeverApp(company, settings=settings, journal=journal, clock=clock)
    from sandbox.lever.large import LargeLever  # noqa: PLC0415 - numpy is loaded for large companies only

    return LargeLever(company, settings=settings, journal=journal, clock=clock)
