"""E-mail addresses: one canonical form, a folded form for review only, and the addresses that name nobody."""

import re
import unicodedata
from typing import Final
from urllib.parse import unquote

from email_validator import EmailNotValidError, validate_email

_ATOM: Final = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ASCII: Final = re.compile(rf"(?=.{{3,254}}\Z){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+(?=[a-z0-9-]*[a-z]){_LABEL}")
# What most people type: already canonical but for case, and short enough to be within every limit.
_PLAIN: Final = re.compile(r"[a-z0-9_+-]++(?:\.[a-z0-9_+-]++)*+@(?:[a-z0-9]++(?:-++[a-z0-9]++)*+\.)+[a-z]{2,}")
_PLAIN_LENGTH: Final = 64
_BRACKETED: Final = re.compile(r"[^<>]*<\s*([^<>]+?)\s*>[\s;,.]*", re.DOTALL)
_INVISIBLE: Final = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad]")
_LONGEST_LOCAL: Final = 64  # RFC 5321 §4.5.3.1.1

# Words written where an address was demanded; compared without digits, dots, dashes and underscores.
_PLACEHOLDER_LOCALS: Final = re.compile(
    "none|(?:no|not|missing|unknown|fake|dummy|your)?e?mail(?:address)?(?:provided|given|available)?|noaddress|nil|"
    "null|na|no|unknown|not(?:provided|available|applicable|given)|missing|placeholder|noreply|donotreply|nobody|"
    "noone|test|testing|tester|testtest|fake|dummy|example|sample|xx+|asdf|asdfasdf|abc|anonym(?:ous|ized|ised)|"
    "redacted|deleted|removed|candidate|firstlast"
)
_FILLING: Final = re.compile(r"[\d._+-]")
_LETTER_OR_DIGIT: Final = re.compile(r"[^\W_]")
_PLACEHOLDER_DOMAINS: Final = re.compile(
    r"none\.(?:com|none|net|org)|no-?e?mail\.(?:com|net|org)|no\.e?mail|na\.com|n\.a|unknown\.com|test\.(?:com|test)|"
    r"(?:fake|fakeemail|dummy|placeholder|asdf|noreply|notprovided|x|xxx)\.com|xxx\.xxx|email\.email|(?:.+\.)?invalid"
)


def email_canonical(text: str | None) -> str | None:
    """Return the canonical address in `text`, or None when it holds no address or several.

    Trimmed, taken out of ``mailto:`` or ``Name <address>``, lower case, domain in ASCII (IDNA). Plus tags and dots
    are kept: they may belong to different people.
    """
    if not text:
        return None
    if len(text) <= _PLAIN_LENGTH and text.isascii() and _PLAIN.fullmatch(plain := text.lower()):
        return plain
    bare = _unwrapped(text).lower()
    if _ASCII.fullmatch(bare):
        return bare if bare.index("@") <= _LONGEST_LOCAL else None
    if bare.isascii():
        return None
    return _international(bare)


def email_codes(texts: list[str]) -> tuple[list[int], dict[str, int], list[int]]:
    """Return (a number for each text, {distinct text: its number}, the numbers whose texts need a closer look).

    The others are canonical addresses as they stand here. ASCII texts that differ in case only have one number.
    For a million texts at once: `email_canonical` says the same of one.
    """
    index: dict[str, int] = {}
    codes = [index.setdefault(text.lower() if text.isascii() else text, len(index)) for text in texts]
    plain = _PLAIN.fullmatch
    odd = [code for text, code in index.items() if len(text) > _PLAIN_LENGTH or not plain(text)]
    return codes, index, odd


def email_folded(canonical: str) -> str:
    """Return the address without its plus tag, and for Gmail without dots: equal for aliases of one mailbox.

    Only a hint for review: other providers may give ``a+b`` and ``a`` to two people.
    """
    local, _, domain = canonical.rpartition("@")
    local = local.split("+", 1)[0] or local
    if domain in ("gmail.com", "googlemail.com"):
        return f"{local.replace('.', '') or local}@gmail.com"
    return f"{local}@{domain}"


def is_placeholder_email(canonical: str) -> bool:
    """Tell whether the address was typed because a field demanded one, so that it names nobody."""
    local, _, domain = canonical.rpartition("@")
    if _PLACEHOLDER_DOMAINS.fullmatch(domain):
        return True
    word = _FILLING.sub("", local)
    return _PLACEHOLDER_LOCALS.fullmatch(word) is not None or not _LETTER_OR_DIGIT.search(local)


def _unwrapped(text: str) -> str:
    bare = _INVISIBLE.sub("", text).strip()
    for _ in range(3):
        before = bare
        if bracketed := _BRACKETED.fullmatch(bare):
            bare = bracketed.group(1)
        if bare[:7].lower() == "mailto:":
            bare = unquote(bare[7:].split("?", 1)[0])
        bare = bare.strip().strip("\"'()[]<>,;").rstrip(".").strip()
        if bare == before:
            break
    return bare


def _international(bare: str) -> str | None:
    try:
        checked = validate_email(bare, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None
    local = unicodedata.normalize("NFC", checked.local_part.lower())
    return f"{local}@{checked.ascii_domain.lower()}" if checked.ascii_domain else None
