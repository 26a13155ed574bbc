"""Files, résumés and signed offers: uploads, the newest résumé last."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lib.mapping.candidacy import Candidacy
from lib.mapping.context import Context
from lib.mapping.plan import Chain, link
from lib.mapping.source import Item, clean
from lib.normalize import file_name


@dataclass(frozen=True)
class _File:
    lever_type: str
    lever_id: str
    name: str
    ext: str
    moment: int


def file_rows(chain: Chain, context: Context, candidacies: list[Candidacy]) -> None:
    """candidate.uploadFile for every stored file, oldest first; the newest stored résumé as the résumé, last."""
    found = [item for one in candidacies if one.role != "skip" for item in _files(context, one)]
    stored = [item for item in sorted(found, key=lambda item: (item.moment, item.lever_id)) if _stored(context, item)]
    resume = next((item for item in reversed(stored) if item.lever_type == "resume"), None)
    names: set[str] = set()
    for item in stored:
        if item is not resume:
            _upload(chain, context, item, names=names, kind="candidate.uploadFile")
    if resume:
        _upload(chain, context, resume, names=names, kind="candidate.uploadResume")


def _files(context: Context, one: Candidacy) -> Iterator[_File]:
    for item in context.source.children("files", one.opportunity):
        context.account("file", item, lever_id=item["id"])
        yield _File("file", item["id"], clean(item.get("name")), clean(item.get("ext")), _moment(item))
    for item in context.source.children("resumes", one.opportunity):
        context.account("resume", item, lever_id=item["id"])
        file = item.get("file")
        if file:
            yield _File("resume", item["id"], clean(file.get("name")), clean(file.get("ext")), _moment(item))
        else:
            context.lose(
                "resume", "file", lever_id=item["id"], treatment="never", where="raw archive",
                reason="Lever has no file for it, only what it read from a profile",
            )  # fmt: skip
    for item in context.source.children("offers", one.opportunity):
        document = item.get("signedDocument")
        if document:
            yield _File("offer", item["id"], clean(document.get("fileName")) or "signed offer.pdf", "", _moment(item))


def _moment(item: Item) -> int:
    value = item.get("createdAt") or item.get("uploadedAt") or 0
    return int(value) if str(value).isdigit() else 0


def _stored(context: Context, item: _File) -> bool:
    row = context.reader.file(item.lever_id)
    if row is not None and row.state == "stored":
        return True
    state = "not extracted" if row is None else row.state
    context.lose(
        item.lever_type, "(bytes)", lever_id=item.lever_id, treatment="never", where="nothing to keep",
        reason=f"the file is {state} at the source",
    )  # fmt: skip
    return False


def _upload(chain: Chain, context: Context, item: _File, *, names: set[str], kind: str) -> None:
    row = context.reader.file(item.lever_id)
    name = file_name(item.name, item.ext or None, lever_id=item.lever_id)
    while name.casefold() in names:
        name = f"{len(names)} {name}"
    names.add(name.casefold())
    resume = kind == "candidate.uploadResume"
    handle = {
        "lever_id": item.lever_id,
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
