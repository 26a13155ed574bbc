"""Places as people type them: the parts that are certain, and nothing that would have to be guessed."""

import re
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Final

import phonenumbers

from lib.normalize.names import name_key

_STATES: Final = (
    "AL Alabama|AK Alaska|AZ Arizona|AR Arkansas|CA California|CO Colorado|CT Connecticut|DE Delaware|FL Florida|"
    "HI Hawaii|ID Idaho|IL Illinois|IN Indiana|IA Iowa|KS Kansas|KY Kentucky|LA Louisiana|ME Maine|MD Maryland|"
    "MA Massachusetts|MI Michigan|MN Minnesota|MS Mississippi|MO Missouri|MT Montana|NE Nebraska|NV Nevada|"
    "NH New Hampshire|NJ New Jersey|NM New Mexico|NC North Carolina|ND North Dakota|OH Ohio|OK Oklahoma|OR Oregon|"
    "PA Pennsylvania|RI Rhode Island|SC South Carolina|SD South Dakota|TN Tennessee|TX Texas|UT Utah|VT Vermont|"
    "VA Virginia|WV West Virginia|WI Wisconsin|WY Wyoming|GA Georgia|DC District of Columbia|WA Washington"
)
# Names that are also a country or a city are states only beside another part.
_AMBIGUOUS_STATE_NAMES: Final = frozenset({"georgia", "washington", "new york"})
# Two letters that people also write for a country or another country's region.
_AMBIGUOUS_CODES: Final = re.compile("CA|CO|DE|IL|IN|ID|AR|GA|PA|ME|MA|LA|AL|NE")
_ALIASES: Final = {
    "US": "usa|us|u s a|u s|united states of america",
    "GB": "uk|u k|great britain|england|scotland|wales|northern ireland",
    "DE": "deutschland",
    "AT": "osterreich|oesterreich",
    "CH": "schweiz|suisse",
    "ES": "espana",
    "IT": "italia",
    "NO": "norge",
    "SE": "sverige",
    "DK": "danmark",
    "FI": "suomi",
    "PL": "polska",
    "BR": "brasil",
    "NL": "nederland|the netherlands|holland",
    "BE": "belgique|belgie",
    "TR": "turkey|turkiye",
    "CZ": "czech republic|czechia",
    "KR": "south korea|korea|republic of korea",
    "RU": "russia|russian federation",
    "VN": "viet nam|vietnam",
    "HK": "hong kong",
    "TW": "taiwan",
    "AE": "uae",
    "CI": "ivory coast",
    "IE": "republic of ireland|eire",
}
_SPELLING: Final = {
    "US": "United States",
    "GB": "United Kingdom",
    "CZ": "Czechia",
    "TR": "Turkey",
    "KR": "South Korea",
    "RU": "Russia",
    "VN": "Vietnam",
    "HK": "Hong Kong",
    "TW": "Taiwan",
    "AE": "United Arab Emirates",
}
# Large cities, to read a city that stands alone or before an ambiguous code.
_CITIES: Final = {
    "US": "san francisco|los angeles|san diego|san jose|oakland|sacramento|palo alto|mountain view|sunnyvale|"
    "santa clara|berkeley|irvine|fresno|long beach|menlo park|redwood city|san mateo|santa monica|denver|boulder|"
    "colorado springs|wilmington|chicago|evanston|naperville|indianapolis|boise|little rock|atlanta|savannah|"
    "philadelphia|pittsburgh|portland|boston|somerville|new orleans|baton rouge|omaha|new york city|new york|"
    "brooklyn|seattle|austin|dallas|houston|miami|phoenix|minneapolis|detroit|nashville",
    "CA": "toronto|montreal|vancouver|ottawa|calgary|edmonton|winnipeg",
    "DE": "berlin|munich|hamburg|cologne|frankfurt|stuttgart|dusseldorf|leipzig",
    "IN": "bangalore|bengaluru|mumbai|delhi|new delhi|hyderabad|chennai|pune|kolkata|gurgaon|noida",
    "IL": "tel aviv|jerusalem|haifa",
    "ID": "jakarta|bandung|surabaya",
    "AR": "buenos aires|rosario",
    "CO": "bogota|medellin|cali",
    "GB": "manchester|edinburgh|glasgow|leeds",
    "FR": "paris|lyon|marseille|toulouse",
    "NO": "oslo|bergen|trondheim",
    "SE": "stockholm|gothenburg|malmo",
    "DK": "copenhagen",
    "FI": "helsinki",
    "NL": "amsterdam|rotterdam",
    "ES": "madrid|barcelona",
    "IT": "rome|milan",
    "PT": "lisbon|porto",
    "PL": "warsaw|krakow|wroclaw",
    "AT": "vienna",
    "CH": "zurich|geneva|basel",
    "CZ": "prague",
    "HU": "budapest",
    "RO": "bucharest",
    "IE": "dublin",
    "GR": "athens",
    "JP": "tokyo|osaka",
    "CN": "beijing|shanghai",
    "AU": "sydney|melbourne|brisbane|perth",
    "BR": "sao paulo|rio de janeiro",
    "MX": "mexico city|guadalajara",
    "KE": "nairobi",
    "NG": "lagos",
    "TR": "istanbul|ankara",
    "UA": "kyiv",
    "KR": "seoul",
    "PH": "manila",
}
_VAGUE: Final = re.compile(
    r"\b(?:remote|anywhere|worldwide|global|area|metro|metropolitan|greater|region|county|hybrid|various|unspecified|"
    r"unknown|none|open|relocat\w*|emea|apac|latam|europe|asia|africa|americas?)\b"
)
_POSTCODE: Final = re.compile(r"^(?:[A-Z]{1,2}-)?\d{4,6}(?:-\d{3,4})?\s+|\s+\d{4,6}(?:-\d{3,4})?$")


def location_parts(text: str | None) -> dict[str, str]:
    """Return the certain ones of ``city``, ``region``, ``country`` (its English name) in a typed place.

    Several places, vague words and unknown single words answer ``{}``: the caller keeps the text itself.
    """
    parts = [_POSTCODE.sub("", part.strip()).strip(" .") for part in (text or "").split(",")]
    parts = [part for part in parts if part]
    if not parts or re.search(r"[;|/\n•]|\s-\s", text or "") or _VAGUE.search((text or "").lower()):
        return {}
    if any(re.search(r"\s(?:or|and|und|og|et|y)\s", part) and name_key(part) not in _countries() for part in parts):
        return {}
    return _single(parts[0]) if len(parts) == 1 else _several(parts)


def _single(part: str) -> dict[str, str]:
    key = name_key(part)
    if key in _countries() and key not in _AMBIGUOUS_STATE_NAMES:
        return {"country": _countries()[key]}
    if key in _state_names() and key not in _AMBIGUOUS_STATE_NAMES:
        return {"region": part, "country": _SPELLING["US"]}
    home = _city_country(key)
    return {"city": part, "country": home} if home else {}


def _several(parts: list[str]) -> dict[str, str]:
    *before, last = parts
    country = _country(last, before)
    state = None if country else _state(last, name_key(before[-1]))
    if country is None and state is None:
        return {}
    found = {"country": country or _SPELLING["US"]}
    if state:
        found["region"] = state
    elif len(before) == 2:
        found["region"] = before.pop()
    if len(before) == 1 and _is_city(before[0]):
        if not state and len(parts) == 2 and country == _SPELLING["US"] and _is_state_only(before[0]):
            found["region"] = before[0]
        else:
            found["city"] = before[0]
    return {key: found[key] for key in ("city", "region", "country") if key in found}


def _country(last: str, before: list[str]) -> str | None:
    key = name_key(last)
    if key in _AMBIGUOUS_STATE_NAMES:
        home = _city_country(name_key(before[-1]))
        return None if home == _SPELLING["US"] or home is None else _countries().get(key)
    if len(last) == 2 and last.isupper() and last not in ("US", "UK"):
        home = _city_country(name_key(before[-1]))
        by_code = _country_name(last) if last in _names_by_code() else None
        certain = last not in _state_codes() or home == by_code
        return by_code if certain else None
    return _countries().get(key)


def _state(last: str, city: str) -> str | None:
    if last in _state_codes():
        certain = not _AMBIGUOUS_CODES.fullmatch(last) or _city_country(city) == _SPELLING["US"]
        return last if certain else None
    key = name_key(last)
    if key in _AMBIGUOUS_STATE_NAMES:
        return last if _city_country(city) == _SPELLING["US"] else None
    return last if key in _state_names() else None


def _is_city(part: str) -> bool:
    return not any(c.isdigit() for c in part) and len(part) >= 2 and len(part.split()) <= 5


def _is_state_only(part: str) -> bool:
    return part in _state_codes() or (name_key(part) in _state_names() and name_key(part) not in _AMBIGUOUS_STATE_NAMES)


@cache
def _names_by_code() -> dict[str, dict[str, str]]:
    """{country: its name by language}: a large table, read when the first place is.

    Its file is read alone: its package brings every dialling area of the world along, 100 MB.
    """
    file = Path(phonenumbers.__file__).with_name("geodata") / "locale.py"
    spec = spec_from_file_location("phonenumbers.geodata.locale", file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} cannot be read")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    names: dict[str, dict[str, str]] = module.LOCALE_DATA
    return names


@cache
def _state_codes() -> frozenset[str]:
    return frozenset(state[:2] for state in _STATES.split("|")) | {"NY"}


@cache
def _state_names() -> frozenset[str]:
    return frozenset(state[3:].lower() for state in _STATES.split("|")) | {"new york"}


@cache
def _countries() -> dict[str, str]:
    names = {name_key(_country_name(code)): _country_name(code) for code in sorted(_names_by_code()) if len(code) == 2}
    names.pop("", None)
    return names | {alias: _country_name(code) for code, aliases in _ALIASES.items() for alias in aliases.split("|")}


@cache
def _country_name(code: str) -> str:
    if code in _SPELLING:
        return _SPELLING[code]
    names = _names_by_code()[code]
    name = names.get("en", "")
    return names.get(name[1:], "") if name.startswith("*") else name


@cache
def _city_homes() -> dict[str, str]:
    return {city: _country_name(code) for code, cities in _CITIES.items() for city in cities.split("|")}


def _city_country(key: str) -> str | None:
    return _city_homes().get(key)
