"""The six steps of one open customer: each gathers its inputs, calls its module, keeps the result.

Notebooks call these, and so do runs without notebooks. Every step may be run again at any time.
"""

from lib.steps.deciding import DedupeResult, MapResult, dedupe, map, people_gate, propose
from lib.steps.editing import edit, users, who
from lib.steps.gates import files_gate, gone_gate, lists_gate, quiet_gate, unread_gate
from lib.steps.grouping import groups, sides
from lib.steps.looking import plan_rows
from lib.steps.reading import AuditResult, ExtractResult, audit, audit_gate, extract
from lib.steps.recovering import RecoverResult, is_intact, recover
from lib.steps.signing import gate as losses_gate
from lib.steps.target import read_candidates, read_target
from lib.steps.writing import LoadResult, load, validate

__all__ = [
    "AuditResult",
    "DedupeResult",
    "ExtractResult",
    "LoadResult",
    "MapResult",
    "RecoverResult",
    "audit",
    "audit_gate",
    "dedupe",
    "edit",
    "extract",
    "files_gate",
    "gone_gate",
    "groups",
    "is_intact",
    "lists_gate",
    "load",
    "losses_gate",
    "map",
    "people_gate",
    "plan_rows",
    "propose",
    "quiet_gate",
    "read_candidates",
    "read_target",
    "recover",
    "sides",
    "unread_gate",
    "users",
    "validate",
    "who",
]
