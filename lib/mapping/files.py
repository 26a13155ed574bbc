"""Files, résumés and signed offers: uploads, the newest résumé last."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lib.mapping.candidacy import Candidacy
from lib.mapping.context import Context
from lib.mapping.losses import IN_DOUBT
from lib.mapping.plan import Chain, link
from lib.mapping.source import Item, clean
from lib.normalize import file_name

PLAIN, RESUME = "candidate.uploadFile", "candidate.uploadResume"
_IN_DOUBT = "another size than Lever tells, or other bytes at each download: 02_extract says which of each"
_SO_FAR = ", so far: asked for on fewer than three occasions, 02_extract asks again"


@dataclass(frozen=True)
class _File:
    """One binary file; `key` is the id under which the store keeps its bytes."""

    lever_type: str
    lever_id: str
    name: str
    ext: str
    moment: int
    key: str
    confidential: bool


def file_rows(chain: Chain, context: Context, candidacies: list[Candidacy]) -> None:
    """candidate.uploadFile for every stored file, oldest first; the newest stored résumé as the résumé, last."""
    found = [item for one in candidacies if one.role != "skip" for item in _files(context, one)]
    found.sort(key=lambda item: (item.moment, item.lever_id))
    stored = [item for item in found if _stored(chain, context, item)]
    resume = next((item for item in reversed(stored) if item.lever_type == "resume"), None)
    names: set[str] = set()
    for item in stored:
        if item is not resume:
            _upload(chain, context, item, names=names, kind=_kind(chain, item, PLAIN))
    if resume:
        _upload(chain, context, resume, names=names, kind=_kind(chain, resume, RESUME))


def _kind(chain: Chain, item: _File, wanted: str) -> str:
    """How a file is uploaded: once it is there, it is not uploaded again when another one becomes the newest résumé."""
    there = (kind for kind in (wanted, PLAIN, RESUME) if chain.stands(f"{kind}/{item.lever_type}/{item.lever_id}"))
    return next(there, wanted)


def _file(one: Candidacy, lever_type: str, item: Item, *, name: Any, ext: Any = "", part: str = "") -> _File:
    key = f"{item['id']}{part}"
    return _File(lever_type, item["id"], clean(name), clean(ext), _moment(item), key, one.confidential)


def _files(context: Context, one: Candidacy) -> Iterator[_File]:
    for item in context.source.children("files", one.opportunity):
        context.account("file", item, lever_id=item["id"])
        yield _file(one, "file", item, name=item.get("name"), ext=item.get("ext"))
    for item in context.source.children("resumes", one.opportunity):
        context.account("resume", item, lever_id=item["id"])
        file = item.get("file")
        if file:
            yield _file(one, "resume", item, name=file.get("name"), ext=file.get("ext"))
        else:
            context.lose(
                "resume", "file", lever_id=item["id"], treatment="never", where="raw archive",
                reason="Lever has no file for it, only what it read from a profile",
            )  # fmt: skip
    for item in context.source.children("offers", one.opportunity):
        document = item.get("signedDocument")
        if document and context.settings.secret_notes == "withhold":
            context.lose(
                "offer", "(signed document)", lever_id=item["id"], treatment="never", where="raw archive",
                reason="pay is for few eyes; withheld by policy",
            )  # fmt: skip
        elif document:
            name = clean(document.get("fileName")) or "signed offer.pdf"
            yield _file(one, "offer", item, name=name, part=":signed")


def _moment(item: Item) -> int:
    value = item.get("createdAt") or item.get("uploadedAt") or 0
    return int(value) if str(value).isdigit() else 0


def _too_large(chain: Chain, context: Context, item: _File, size: int) -> bool:
    """Whether Ashby takes no file of this size, by policy.file_limit or by what it has refused; counted as lost."""
    told, refused = context.settings.file_limit, context.lessons.file_bytes
    if not (told and size > told) and not (refused and size >= refused):
        return False
    if any(chain.stands(f"{kind}/{item.lever_type}/{item.lever_id}") for kind in (PLAIN, RESUME)):
        return False
    why = f"than the {told:,} bytes of policy.file_limit" if told and size > told else (
        f"than this Ashby takes: from {refused:,} on they are refused"
    )  # fmt: skip
    context.lose(
        item.lever_type, "(too large)", lever_id=item.lever_id, treatment="never", where="raw archive",
        reason=f"the bytes are more {why}",
    )  # fmt: skip
    return True


def _stored(chain: Chain, context: Context, item: _File) -> bool:
    row = context.reader.file(item.key)
    if row is not None and row.state == "stored":
        if _too_large(chain, context, item, row.size):
            return False
        if row.reason:
            context.lose(
                item.lever_type, IN_DOUBT, lever_id=item.lever_id, treatment="moved changed",
                where="file of the candidate", reason=_IN_DOUBT,
            )  # fmt: skip
        return True
    state = "not extracted" if row is None else row.state
    so_far = _SO_FAR if row is not None and row.state == "unavailable" and not row.is_final else ""
    context.lose(
        item.lever_type, "(bytes)", lever_id=item.lever_id, treatment="never", where="nothing to keep",
        reason=f"the file is {state} at the source{so_far}",
    )  # fmt: skip
    return False


def _upload(chain: Chain, context: Context, item: _File, *, names: set[str], kind: str) -> None:
    row = context.reader.file(item.key)
    name = file_name(item.name, item.ext or None, lever_id=item.lever_id)
    while name.casefold() in names:
        name = f"{len(names)} {name}"
    names.add(name.casefold())
    resume = kind == RESUME
    handle = {
        "lever_id": item.key,
        "sha256": row.sha256,
        "filename": name,
        "contentType": row.media_type,
        "contentLength": row.size,
        "context": "CandidateResume" if resume else "CandidateFiles",
    }
    body = {
        "candidateId": link(f"candidate:{chain.person}"),
        "resumeHandle" if resume else "fileHandle": {"$file": handle},
    }
    chain.add(kind, item.lever_type, item.lever_id, body=body)
    if item.lever_type == "offer" or item.confidential:
        context.lose(
            item.lever_type, "(privacy)", lever_id=item.lever_id, treatment="moved changed",
            where="file of the candidate", reason="files have no private flag: who sees the candidate sees them",
        )  # fmt: skip
