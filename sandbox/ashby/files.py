"""Files: reserving an upload, attaching it, and temporary download addresses."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
import time
from typing import Any

from sandbox.ashby import views
from sandbox.ashby.candidates import find_candidate, read_place
from sandbox.ashby.checks import RefusedError, invalid
from sandbox.ashby.forms import Part
from sandbox.ashby.records import Call, Candidate, Json, StoredFile, Upload
from sandbox.ashby.state import State, find, new_id

WORK = ("position", "company", "school")
READ = {
    "position": "Position", "company": "Company", "school": "School",
    "email": "Email", "phone": "Phone", "location": "City",
}  # fmt: skip
"""What the imitated résumé parser looks for: lines such as ``Company: Fjordworks``; ``WORK`` is surely filled."""


def _handle(state: State, kind: str, file_id: str, owner_id: str) -> str:
    """Make a handle string of the recorded form: base64url of a signed JSON object."""
    inner = {"type": kind, "fileId": file_id, "ownerId": owner_id}
    digest = hmac.digest(state.secret, json.dumps(inner).encode(), "sha256")
    outer = {"handle": inner, "signature": base64.b64encode(digest).decode(), "version": "1"}
    return base64.urlsafe_b64encode(json.dumps(outer, separators=(",", ":")).encode()).rstrip(b"=").decode()


def reserve(state: State, body: Json, call: Call) -> Any:
    """Reserve an upload: a handle, an address of storage and the form fields to send there."""
    most = state.number("file_max_bytes")
    if body["contentLength"] < 0 or (most and body["contentLength"] > most):
        state.decides("file_max_bytes")
        raise invalid("contentLength: out of range")
    longest = state.number("file_name_max_chars")
    if longest and len(body["filename"]) > longest:
        state.decides("file_name_max_chars")
        raise invalid("filename: too long")
    upload = Upload(
        new_id(),
        "",
        body["fileUploadContext"],
        body["filename"],
        body["contentType"],
        body["contentLength"],
        time.time() + state.number("upload_seconds"),
        reserved=time.time(),
    )
    upload.handle = _handle(state, f"{upload.context}Upload", upload.id, state.org_id)
    state.uploads[upload.id] = upload
    state.handles[upload.handle] = upload.id
    return {
        "handle": upload.handle,
        "url": f"{state.storage_url()}/ashby/upload",
        "fields": {
            "key": f"uploads/{upload.id}",
            "Content-Type": upload.content_type,
            "x-amz-algorithm": "AWS4-HMAC-SHA256",
            "policy": base64.b64encode(json.dumps({"conditions": [{"key": upload.id}]}).encode()).decode(),
            "x-amz-signature": upload_signature(state, upload.id),
        },
    }


def upload_signature(state: State, upload_id: str) -> str:
    """Return the signature that storage expects for an upload."""
    return hmac.digest(state.secret, f"upload:{upload_id}".encode(), "sha256").hex()


def attach(state: State, candidate: Candidate, handle: str, *, context: str, is_resume: bool) -> None:
    """Attach uploaded bytes to a candidate; the same handle again does so again (switch ``handle_reuse``)."""
    upload = state.uploads.get(state.handles.get(handle, ""))
    if upload is None or upload.data is None:
        raise RefusedError("file_not_found", "no uploaded file belongs to this handle")
    lives = state.number("handle_seconds")
    if lives and upload.reserved and time.time() > upload.reserved + lives:
        state.decides("handle_seconds")
        raise RefusedError("file_not_found", "the handle has expired")
    if upload.context != context:
        raise invalid("handle: made for another upload context")
    reuse = state.decides("handle_reuse") if upload.used else "again"
    if reuse == "refuse":
        raise RefusedError("file_not_found", "the handle was used before")
    if reuse == "ignore":
        return
    upload.used = True
    file_id = new_id()
    stored = StoredFile(
        id=file_id,
        handle=_handle(state, "ResumeFile" if is_resume else "CandidateFile", file_id, candidate.id),
        name=upload.name,
        content_type=upload.content_type,
        data=upload.data,
        sha256=hashlib.sha256(upload.data).hexdigest(),
        is_resume=is_resume,
        candidate=candidate.id,
    )
    state.files[stored.id] = stored
    state.touch(stored.id)
    state.handles[stored.handle] = stored.id
    candidate.files.append(stored.id)
    if is_resume:
        candidate.resume = stored.id
        _parse(state, candidate, stored.data)
    state.save_candidate(candidate)


def _parse(state: State, candidate: Candidate, data: bytes) -> None:
    """Fill what is empty from a résumé; existing data wins (vendor contract).

    Which data that may be is not documented (switch ``resume_parsing``): work and school, or address, phone and
    place as well.
    """
    text = data[:65536].decode("utf-8", "replace")
    says = {member: _line(text, word) for member, word in READ.items() if not getattr(candidate, member)}
    told = {member: value for member, value in says.items() if value}
    work = {member: value for member, value in told.items() if member in WORK}
    filled = {"off": {}, "work": work, "everything": told}[state.switch("resume_parsing")]
    if filled != work:
        state.decides("resume_parsing")
    state.unindex(candidate)
    for member, value in filled.items():
        setattr(candidate, member, read_place({"city": value}) if member == "location" else value)
    state.index(candidate)


def _line(text: str, word: str) -> str | None:
    """Return what a line says after ``word:``, None when there is no such line."""
    found = re.search(rf"^{word}: *([^\r\n]{{1,100}})", text, re.MULTILINE)
    return found[1].strip() or None if found else None


def upload_resume(state: State, body: Json, call: Call) -> Any:
    """Attach a résumé and parse it; it becomes the candidate's résumé, earlier ones stay among the files."""
    candidate = find_candidate(state, body["candidateId"])
    attach(state, candidate, body["resumeHandle"], context="CandidateResume", is_resume=True)
    return views.candidate(state, candidate, call)


def upload_file(state: State, body: Json, call: Call) -> Any:
    """Attach a file that is no résumé."""
    candidate = find_candidate(state, body["candidateId"])
    attach(state, candidate, body["fileHandle"], context="CandidateFiles", is_resume=False)
    return views.candidate(state, candidate, call)


def info(state: State, body: Json, call: Call) -> Any:
    """Return a temporary download address for a file's handle."""
    stored = find(state, "files", state.handles.get(body["fileHandle"], ""), "file_not_found")
    token = secrets.token_urlsafe(24)
    state.downloads[token] = (stored.id, time.time() + state.number("download_seconds"))
    return {"url": f"{state.storage_url()}/ashby/file/{token}"}


def keep_upload(state: State, context: str, part: Part) -> str:
    """Keep the bytes of a form as an upload of their own, and return its handle."""
    upload = Upload(new_id(), "", context, part.filename or "", part.content_type, len(part.data), 0.0, part.data)
    upload.handle = _handle(state, f"{context}Upload", upload.id, state.org_id)
    state.uploads[upload.id] = upload
    state.handles[upload.handle] = upload.id
    return upload.handle


def read_form(state: State, endpoint: str, parts: list[Part]) -> Json:
    """Turn a deprecated multipart body into the JSON one: part ``resume`` or ``file`` becomes a handle."""
    is_resume = endpoint == "candidate.uploadResume"
    member, context = ("resume", "CandidateResume") if is_resume else ("file", "CandidateFiles")
    body: Json = {}
    for part in parts:
        if part.name == member and part.filename is not None:
            body[f"{member}Handle"] = keep_upload(state, context, part)
        else:
            body[part.name] = part.data.decode("utf-8", "replace")
    return body


HANDLERS = {
    "file.createFileUploadHandle": reserve,
    "file.info": info,
    "candidate.uploadResume": upload_resume,
    "candidate.uploadFile": upload_file,
}
