"""Query parameters of the Lever side: windows, filters, expand, include."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl

from sandbox.lever.answers import bad_request

Record = dict[str, Any]


class Params:
    """The query of one request; remembers which names were asked for."""

    def __init__(self, raw: bytes) -> None:
        """Parse a raw query string; ``accessRole[]`` is the same as ``accessRole`` (documented)."""
        self._values: dict[str, list[str]] = {}
        for name, value in parse_qsl(raw.decode("latin-1"), keep_blank_values=True):
            self._values.setdefault(name.removesuffix("[]"), []).append(value)
        self._used: set[str] = set()

    def all(self, name: str) -> list[str]:
        """Every value of a repeatable parameter."""
        self._used.add(name)
        return self._values.get(name, [])

    def get(self, name: str) -> str | None:
        """The last value of a parameter, or None."""
        values = self.all(name)
        return values[-1] if values else None

    def flag(self, name: str) -> bool | None:
        """A boolean parameter; anything but true and false is a 400 (guess)."""
        value = self.get(name)
        if value is None:
            return None
        if value.lower() not in ("true", "false"):
            raise bad_request(f"{name} must be true or false")
        return value.lower() == "true"

    def epoch(self, name: str) -> int | None:
        """A time in epoch milliseconds; a non-number is a 400 (documented)."""
        value = self.get(name)
        if value is None:
            return None
        try:
            return int(float(value))
        except (ValueError, OverflowError) as error:
            raise bad_request(f"{name} must be a number of milliseconds") from error

    def limit(self, default: int = 100) -> int:
        """Page size 1..100, default 100 (documented; refusing others with 400 is a guess)."""
        value = self.get("limit")
        if value is None:
            return default
        if not value.isdigit() or not 1 <= int(value) <= 100:
            raise bad_request("limit must be between 1 and 100")
        return int(value)

    def choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        """One of a few words; others are a 400 (guess)."""
        value = self.get(name)
        if value is None:
            return default
        if value not in allowed:
            raise bad_request(f"{name} must be one of {', '.join(allowed)}")
        return value

    def unused(self) -> list[str]:
        """Names that were sent and that nothing looked at."""
        return sorted(set(self._values) - self._used)

    def key(self) -> tuple[Any, ...]:
        """Everything but paging and shape: what decides which rows are in a list."""
        shape = ("limit", "offset", "expand", "include")
        return tuple((name, tuple(values)) for name, values in sorted(self._values.items()) if name not in shape)


def within(params: Params, name: str, value: Callable[[Record], Any]) -> Callable[[Record], bool] | None:
    """A window ``name_start``/``name_end``, both ends inclusive; rows without the date never match."""
    start, end = params.epoch(f"{name}_start"), params.epoch(f"{name}_end")
    if start is None and end is None:
        return None

    def test(item: Record) -> bool:
        at = value(item)
        return at is not None and (start is None or at >= start) and (end is None or at <= end)

    return test


def any_of(params: Params, name: str, values: Callable[[Record], Iterable[Any]]) -> Callable[[Record], bool] | None:
    """A repeatable filter: the union of the given values."""
    wanted = set(params.all(name))
    if not wanted:
        return None
    return lambda item: not wanted.isdisjoint(values(item))


def keep(items: list[Record], tests: Iterable[Callable[[Record], bool] | None]) -> list[Record]:
    """Rows that pass all filters that were given."""
    given = [test for test in tests if test is not None]
    if not given:
        return items
    return [item for item in items if all(test(item) for test in given)]
