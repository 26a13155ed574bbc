"""Phone numbers in E.164, only where the country is certain."""

import re
from functools import cache
from typing import Final

import phonenumbers

_INTERNATIONAL: Final = re.compile(r"\s*(?:tel:)?\s*\(?\s*(?:\+|00)", re.IGNORECASE)
_PLAIN: Final = re.compile(r"[0-9 ()-]+")
_NOT_DIGIT: Final = re.compile(r"[^0-9]+")


def phone_e164(text: str | None, *, region: str | None = None) -> str | None:
    """Return the number as ``+4755501234``, or None when it is no number or its country is unknown.

    `region` is the ISO 3166 code to assume for a number without a country prefix. Without it such a number answers
    None: guessing the country gives plausible numbers of other people. Extensions are left out of the answer.
    """
    if not text:
        return None
    international = _INTERNATIONAL.match(text)
    if international:
        rest = text[international.end() :]
        if plain := _plain_e164(rest):
            return plain
        text = "+" + rest
    elif region is None:
        return None
    try:
        number = phonenumbers.parse(text, None if international else region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _plain_e164(text: str) -> str | None:
    """A number of digits and punctuation that the library would only put together again; None asks the library.

    That is so where the country's own prefix cannot stand in front and the length is one of that country.
    """
    if not _PLAIN.fullmatch(text):
        return None
    digits = _NOT_DIGIT.sub("", text)
    for n in (1, 2, 3):
        plan = _plan(digits[:n])
        if plan is not None:
            lengths, prefix = plan
            national = digits[n:]
            return None if len(national) not in lengths or (prefix and prefix.match(national)) else "+" + digits
    return None


@cache
def _plan(code: str) -> tuple[frozenset[int], re.Pattern[str] | None] | None:
    """(the lengths of whole numbers, how a prefix is recognised) of a country code by the library's tables."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(code), ()) if code and code[0] != "0" else ()
    about = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(int(code), regions[0]) if regions else None
    if about is None or about.general_desc is None:
        return None
    prefix = about.national_prefix_for_parsing
    return frozenset(about.general_desc.possible_length), re.compile(prefix) if prefix else None
