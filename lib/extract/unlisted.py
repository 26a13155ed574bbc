"""What a list shows no more: taken away in Lever, or is the list too short? Each one is asked for by its id.

A list that is cut short looks like one of which something was deleted. What Lever still gives by its id is kept, and
named; only what it does not give any more counts as gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from lib.errors import ApiError, ContractError, GateError, NotFoundError, RejectedError, UnauthorizedError
from lib.extract import aside
from lib.extract.drift import check_shape, plain_id
from lib.extract.files import key_of
from lib.lever import Lever, Query
from lib.pool import run_all

Item = dict[str, Any]
NO_SINGLE = ("offers",)  # Lever has no call for a single one (its reference): its list is asked once more instead
MOST_GONE = 0.05  # share of all opportunities that may be gone without Lever naming them as deleted
FEW = 20  # so many may be, however small the account is
REFUSED = (400, 401, 403)  # what may be answered of a confidential record (an "access error": its reference)


def there(lever: Lever, path: str, stream: str, lever_id: str, query: Query | None = None) -> Item | None:
    """The object of `stream` with this id in the list at `path`; None when it is not there any more.

    ContractError when the answer is another object, or lacks what we cannot do without.
    """
    try:
        item = lever.one(f"{path}/{lever_id}", query)
    except NotFoundError:
        return None
    check_shape(stream, [item])
    if key_of(item) != lever_id:
        raise ContractError(
            f"Lever: asked for {lever_id} of {stream}, it answered with another object (id {plain_id(item)}).",
            hint="Nothing was taken for it. Run 02_extract again; if it stays so, ask Lever's support.",
        )
    return item


def asked(
    lever: Lever, stream: str, ids: Iterable[str], query: Query, *, hidden: Callable[[str], bool], workers: int
) -> Iterator[tuple[str, Item | ApiError | None]]:
    """(id, the object; None: it is not there; or why Lever cannot give it) of objects of an account list.

    What is `hidden` from the key is not there for it.
    """

    def one(lever_id: str) -> tuple[str, Item | ApiError | None]:
        found, unread = _asked(lever, stream, lever_id, query, hidden)
        return lever_id, unread.get(lever_id) or found[lever_id]

    return run_all(ids, one, workers=workers)


def _asked(
    lever: Lever, stream: str, lever_id: str, query: Query, hidden: Callable[[str], bool]
) -> tuple[dict[str, Item | None], dict[str, ApiError]]:
    """({id: the object, or None when it is not there}, {id: why Lever cannot give it}) of one object."""
    try:
        answer, failed = aside.each([lever_id], lambda one: there(lever, f"/{stream}", stream, one, query), lever=lever)
    except UnauthorizedError:
        if not hidden(lever_id):
            raise
        return {lever_id: None}, {}
    is_refused = lever_id in failed and failed[lever_id].status in REFUSED
    return ({lever_id: None}, {}) if is_refused and hidden(lever_id) else (answer, failed)


def lacking(
    lever: Lever, path: str, stream: str, known: Iterable[str], *, listed: set[str], again: Callable[[], list[Item]]
) -> list[Item]:
    """Those of the children `known` that are still there although the list at `path` did not show them.

    `again` reads the list once more; it is asked only where Lever has no call for a single child.
    """
    missed = sorted(set(known) - listed)
    if missed and stream in NO_SINGLE:
        return [item for item in again() if item.get("id") in missed]
    found = (there(lever, path, stream, lever_id) for lever_id in missed)
    return [item for item in found if item is not None]


def check_gone(lever: Lever, lever_id: str) -> None:
    """A child list is not there: either the opportunity was deleted meanwhile, or the key may not see the list.

    ContractError in the latter case. An opportunity that Lever cannot give raises what Lever answered.
    """
    try:
        lever.get(f"/opportunities/{lever_id}")
    except NotFoundError:
        return
    raise ContractError(
        f"Lever: a child list of opportunity {lever_id} is not there although the opportunity is.",
        hint="Does the key have all read permissions? Nothing was taken as empty.",
    )


def is_hidden(lever: Lever, confidentiality: str, lever_id: str) -> bool:
    """Whether Lever refuses just this opportunity to a key that sees nothing confidential: it has become so.

    A key that is not given either what its own list shows lacks a right: that is no answer about one opportunity.
    """
    if confidentiality or not _refused(lever, lever_id):
        return False
    shown = next(lever.pages("/opportunities", limit=1)).items
    return bool(shown) and not _refused(lever, str(shown[0]["id"]))


def _refused(lever: Lever, lever_id: str) -> bool:
    try:
        lever.get(f"/opportunities/{lever_id}")
    except (RejectedError, UnauthorizedError) as error:
        return error.status in REFUSED
    return False


def is_shrunk(n_gone: int, n_before: int) -> bool:
    """Whether far more opportunities are gone than Lever has named as deleted."""
    return n_gone > max(FEW, MOST_GONE * n_before)


def check_not_shrunk(n_gone: int, n_before: int) -> None:
    """GateError when an account has shrunk so: before anything is marked."""
    if is_shrunk(n_gone, n_before):
        raise GateError(
            f"{n_gone:,} of {n_before:,} opportunities are not in Lever's lists any more, and not named as deleted.",
            hint="Does the key still see everything (confidential records, too)? Nothing was marked as gone. If they "
            "were really deleted, accept it in overrides.csv (id shrunk:opportunities, who, when, why).",
        )
