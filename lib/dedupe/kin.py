"""Who may be one person with a few chosen contacts: the values that are compared, as numbers that fit on disk.

Where only some of an account's people are looked at, all who have a value in common with them must be looked at, too:
whether two contacts are one person depends on everybody who uses their address. A name and a place make nobody kin:
in a large account they are strangers as a rule, and there are too many of them.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Any, Final

from lib.dedupe.cards import github_user, linkedin_of, phone_key
from lib.dedupe.facts import canonical_emails
from lib.dedupe.tables import row_of, view_of
from lib.normalize import email_folded

CROWD: Final = 20  # a value that more contacts have is a switchboard's, an agency's, nobody's: it makes nobody kin


def of_opportunity(opportunity: Mapping[str, Any], *, region: str | None) -> dict[int, bool]:
    """{number of a value of the contact: whether it may join contacts without a question}, from a body of Lever."""
    return _numbered(view_of(opportunity, 0), region)


def of_candidate(candidate: Mapping[str, Any], *, region: str | None) -> dict[int, bool]:
    """The same of a candidate of Ashby, from a body of candidate.list."""
    return _numbered(row_of(candidate), region)


def spread(
    contacts: Collection[str], values: Callable[[str], Mapping[int, bool]], holders: Callable[[int], Collection[str]]
) -> set[str]:
    """Return these contacts, and all who are compared with the people that they may be joined to without a question.

    `values` answers as `of_opportunity` for a contact, `holders` who has a value: of a crowd at least `CROWD` + 1.
    """

    def further(edge: Iterable[str], *, joined: bool) -> set[str]:
        numbers = {one for contact in edge for one, joins in values(contact).items() if joins or not joined}
        some = (holders(one) for one in sorted(numbers))
        return {contact for several in some if len(several) <= CROWD for contact in several}

    def closed(edge: set[str]) -> set[str]:
        found = set(edge)
        while edge:
            edge = further(edge, joined=True) - found
            found |= edge
        return found

    people = closed(set(contacts))
    return people | closed(further(people, joined=False) - people)


def number_of(kind: str, value: str) -> int:
    """Return a number of 63 bits, as many as SQLite's integers have beside their sign."""
    return int.from_bytes(blake2b(f"{kind}:{value}".encode("utf-8", "surrogatepass"), digest_size=8).digest()) >> 1


def _numbered(row: Mapping[str, Any], region: str | None) -> dict[int, bool]:
    found: dict[int, bool] = {}
    for kind, value in _values(row, region):
        found[number_of(kind, value)] = kind == "email"
    return found


def _values(row: Mapping[str, Any], region: str | None) -> Iterator[tuple[str, str]]:
    if row["is_anonymized"]:
        return
    for address in canonical_emails(row["emails"])[0]:
        yield "email", address
        yield "mailbox", email_folded(address)
    for text in row["phones"]:
        if number := phone_key(text, region=region):
            yield "phone", number
    for url in row["links"]:
        if profile := linkedin_of(url):
            yield "LinkedIn", profile
        if user := github_user(url):
            yield "GitHub", user
