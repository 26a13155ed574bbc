"""Pure functions that bring texts of two systems to one form: e-mails, phones, names, links, places, times, text.

Nothing here reads a file, keeps a state or knows an API. Every function answers a value and never raises on odd
input unless its docstring says so.
"""

from lib.normalize.emails import email_canonical, email_codes, email_folded, is_placeholder_email
from lib.normalize.links import link_kind, linkedin_slug
from lib.normalize.matching import best_matches, name_scores
from lib.normalize.names import given_forms, name_generation, name_key, name_keys, name_parts, names_conflict
from lib.normalize.phones import phone_e164
from lib.normalize.places import location_parts
from lib.normalize.text import csv_plain, csv_safe, file_name, is_html, plain_text, split_text, text_safe
from lib.normalize.times import iso_to_ms, ms_to_iso

__all__ = [
    "best_matches",
    "csv_plain",
    "csv_safe",
    "email_canonical",
    "email_codes",
    "email_folded",
    "file_name",
    "given_forms",
    "is_html",
    "is_placeholder_email",
    "iso_to_ms",
    "link_kind",
    "linkedin_slug",
    "location_parts",
    "ms_to_iso",
    "name_generation",
    "name_key",
    "name_keys",
    "name_parts",
    "name_scores",
    "names_conflict",
    "phone_e164",
    "plain_text",
    "split_text",
    "text_safe",
]
