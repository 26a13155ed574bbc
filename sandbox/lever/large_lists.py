"""``GET /opportunities`` of a large company: filters as arrays, rows as compiled texts."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sandbox.company.large import LargeCompany
from sandbox.lever import lists
from sandbox.lever.answers import Answer, dumped, listed
from sandbox.lever.context import Context
from sandbox.lever.params import Params

Places = NDArray[np.int32]
Shape = tuple[Any, ...]

WINDOWS = {
    "created_at": "createdAt",
    "updated_at": "updatedAt",
    "advanced_at": "lastAdvancedAt",
    "archived_at": "archivedAt",
}
IDENTITY = ("contact_id", "email")
_BLOCK_SPECIFIC = {*IDENTITY, *(f"{name}_{end}" for name in WINDOWS for end in ("start", "end"))}
_BLOCK_IN_ADDRESS = re.compile(r"-(\d+)(?:\+[^@]*)?@")
CACHED_LISTS = 24


class Only(Params):
    """The query of a request, as if only some of its parameters had been sent."""

    def __init__(self, params: Params, shown: Callable[[str], bool]) -> None:
        """Show the parameters whose names pass."""
        self._inner = params
        self._shown = shown

    def all(self, name: str) -> list[str]:
        """Every value of a parameter that is shown; the request remembers that it was asked for."""
        values = self._inner.all(name)
        return values if self._shown(name) else []


class Order:
    """One order of all opportunities: what stands at each place, and where each of them stands."""

    def __init__(self, large: LargeCompany, numbers: Places) -> None:
        """Read an order of numbers (block * n_template + place in the template)."""
        self._large = large
        self.places = np.empty_like(numbers)
        self.places[numbers] = np.arange(len(numbers), dtype=np.int32)
        self.local = (numbers % large.n_template).astype(np.int32)
        self.block = (numbers // large.n_template).astype(np.int32)
        self._shifts = np.array([large.shift(block) for block in range(large.blocks)])
        self.dates = lru_cache(maxsize=None)(self._dates)
        self.lists: OrderedDict[Shape, Places] = OrderedDict()

    def _dates(self, name: str) -> NDArray[np.int64]:
        """A date of every opportunity in order, -1 where it has none."""
        moved = self._large.moved_times(name)[self.local]
        return self._large.times(name)[self.local] - moved * self._shifts[self.block]


class LargeLists:
    """The lists of opportunities of a large company."""

    def __init__(self, large: LargeCompany) -> None:
        """Sort once; nothing here is changed by requests."""
        self._large = large
        self._orders = {"pipeline": Order(large, large.pipeline_order())}
        self._emails = lru_cache(maxsize=64)(self._emails_of)

    def answer(self, ctx: Context) -> Answer:
        """One page; the token is the seek key of the first row of the next one, as in an ordinary company."""
        order = self._order(ctx)
        places = self._found(ctx, order)
        limit, offset = ctx.params.limit(), ctx.params.get("offset")
        start = 0 if offset is None else int(np.searchsorted(places, ctx.tokens.find(ctx.place, offset)[0]))
        rows = self._rows(ctx, order, places[start : start + limit])
        token = None
        if start + limit < len(places):
            place = int(places[start + limit])
            token = ctx.tokens.give(ctx.place, (place,), self._key(ctx, order, place))
        return listed(rows, token=token, has_next=token is not None)

    def _order(self, ctx: Context) -> Order:
        """The order of a list: by creation when it is filtered and the switch says so."""
        filtered = any(test is not None for test in lists.opportunity_tests(ctx))
        if not filtered or ctx.decides("filtered_order") == "pipeline":
            return self._orders["pipeline"]
        if "created" not in self._orders:
            self._orders["created"] = Order(self._large, self._large.newest_order())
        return self._orders["created"]

    def _key(self, ctx: Context, order: Order, place: int) -> list[Any]:
        """What a token shows: rank, last advanced, id; or created, id."""
        local, block = int(order.local[place]), int(order.block[place])
        item = self._large.template.opportunities[local]
        own = self._large.turned(item["id"], block)
        if order is not self._orders["pipeline"]:
            return [int(order.dates("createdAt")[place]), own]
        return [ctx.state.rank.get(item["stage"], 999), int(order.dates("lastAdvancedAt")[place]), own]

    def _rows(self, ctx: Context, order: Order, places: Places) -> Iterable[bytes]:
        """The texts of some places, shaped as this request wants them."""
        texts = ctx.state.texts(ctx.shape)
        shaper, items, voice = ctx.shaper(), self._large.template.opportunities, self._large.voice
        for local, block in zip(order.local[places].tolist(), order.block[places].tolist(), strict=True):
            contact = items[local]["contact"]
            text = texts.get(items[local]["id"])
            if text is None:
                text = texts[items[local]["id"]] = self._large.compiler(contact)(dumped(shaper(items[local])).body)
            yield text.fill(*voice(block))

    def _found(self, ctx: Context, order: Order) -> Places:
        """The places of all opportunities a request asks for."""
        lists.visible(ctx, [])
        key = (ctx.access.confidential, ctx.params.key(), ctx.says("null_dates"), ctx.says("confidential_refusal"))
        found = order.lists.get(key)
        if found is None:
            found = order.lists[key] = self._filtered(ctx, order)
            if len(order.lists) > CACHED_LISTS:
                order.lists.popitem(last=False)
        order.lists.move_to_end(key)
        return found

    def _filtered(self, ctx: Context, order: Order) -> Places:
        """Look for them: by person, by what is the same in all blocks, by dates."""
        found = self._people(ctx, order)
        found = found[self._allowed(ctx)[order.local[found]]]
        for name, date in WINDOWS.items():
            start, end = ctx.params.epoch(f"{name}_start"), ctx.params.epoch(f"{name}_end")
            if start is not None or end is not None:
                nulls = name == "updated_at" and ctx.decides("null_dates") == "match"
                dates = np.maximum(order.dates(date)[found], 0 if nulls else -1)
                good = dates >= (0 if start is None else max(start, 0))
                found = found[good if end is None else good & (dates <= end)]
        return found

    def _allowed(self, ctx: Context) -> NDArray[np.bool_]:
        """Which places of the template pass everything that is the same in all blocks."""
        items = self._large.template.opportunities
        only = replace(ctx, params=Only(ctx.params, lambda name: name not in _BLOCK_SPECIFIC))
        tests = [test for test in lists.opportunity_tests(only) if test is not None]
        seen = {item["id"] for item in lists.visible(ctx, items)}
        return np.array([item["id"] in seen and all(test(item) for test in tests) for item in items])

    def _people(self, ctx: Context, order: Order) -> Places:
        """Places by contact and address; all places when neither is asked for."""
        contacts, emails = (ctx.params.all(name) for name in IDENTITY)
        found = [self._of_contacts(contacts)] if contacts else []
        found += [self._of_emails(ctx, emails)] if emails else []
        if not found:
            return np.arange(len(order.places), dtype=np.int32)
        numbers = set.intersection(*map(set, found))
        return np.sort(order.places[np.array(sorted(numbers), np.int64)])

    def _of_contacts(self, contacts: list[str]) -> Iterable[int]:
        for contact in contacts:
            block = self._large.block_of(contact)
            if block is not None:
                own = self._large.turned(contact, block)
                for local, item in enumerate(self._large.template.opportunities):
                    if item["contact"] == own:
                        yield block * self._large.n_template + local

    def _of_emails(self, ctx: Context, emails: list[str]) -> Iterable[int]:
        """The number of its block stands in most addresses; those without one are the template's, or everybody's."""
        only = replace(ctx, params=Only(ctx.params, lambda name: name == "email"))
        (holds,) = [test for test in lists.opportunity_tests(only) if test is not None]
        named = {int(number) for email in emails for number in _BLOCK_IN_ADDRESS.findall(email)}
        for block in {0, *(block for block in named if block < self._large.blocks)}:
            for local, item in enumerate(self._emails(block)):
                if holds(item):
                    yield block * self._large.n_template + local
        for local, item in enumerate(self._large.template.opportunities):
            everybodys = [email for email in item["emails"] if self._large.email(email, 1) == email]
            if everybodys and holds({**item, "emails": everybodys}):
                yield from range(local, len(self._large), self._large.n_template)

    def _emails_of(self, block: int) -> list[dict[str, Any]]:
        """The opportunities of the template with their addresses in a block."""
        items = self._large.template.opportunities
        return [{**item, "emails": [self._large.email(text, block) for text in item["emails"]]} for item in items]
