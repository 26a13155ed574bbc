"""Phone numbers in E.164, only where the country is certain."""

import re
from typing import Final

import phonenumbers

_INTERNATIONAL: Final = re.compile(r"\s*(?:tel:)?\s*\(?\s*(?:\+|00)", re.IGNORECASE)


def phone_e164(text: str | None, *, region: str | None = None) -> str | None:
    """Return the number as ``+4755501234``, or None when it is no number or its country is unknown.

    `region` is the ISO 3166 code to assume for a number without a country prefix. Without it such a number answers
    None: guessing the country gives plausible numbers of other people. Extensions are left out of the answer.
    """
    if not text:
        return None
    international = _INTERNATIONAL.match(text)
    if international:
        text = "+" + text[international.end() :]
    elif region is None:
        return None
    try:
        number = phonenumbers.parse(text, None if international else region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
