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
from sandbox.ashby.candidates import find_candidate
from sandbox.ashby.checks import RefusedError, invalid
from sandbox.ashby.records import Call, Candidate, Json, StoredFile, Upload
from sandbox.ashby.state import State, find, new_id

PARSED = {"position": "Position", "company": "Company", "school": "School"}
"""What the imitated résumé parser looks for: lines such as ``Company: Fjordworks``."""


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
        raise invalid("contentLength: out of range")
    upload = Upload(
        new_id(),
        "",
        body["fileUploadContext"],
        body["filename"],
        body["contentType"],
        body["contentLength"],
        time.time() + state.number("upload_seconds"),
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


def _attach(state: State, body: Json, call: Call, *, handle: str, is_resume: bool) -> Candidate:
    """Attach uploaded bytes to a candidate; the same handle again attaches them again (guess)."""
    candidate = find_candidate(state, body["candidateId"])
    upload = state.uploads.get(state.handles.get(handle, ""))
    if upload is None or upload.data is None:
        raise RefusedError("file_not_found", "no uploaded file belongs to this handle")
    if upload.context != ("CandidateResume" if is_resume else "CandidateFiles"):
        raise invalid("handle: made for another upload context")
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
    state.handles[stored.handle] = stored.id
    candidate.files.append(stored.id)
    if is_resume:
        candidate.resume = stored.id
        _parse(candidate, stored.data)
    state.save_candidate(candidate)
    return candidate


def _parse(candidate: Candidate, data: bytes) -> None:
    """Fill empty position, company and school from a résumé; existing data wins (vendor contract)."""
    text = data[:65536].decode("utf-8", "replace")
    for member, word in PARSED.items():
        found = re.search(rf"^{word}: *([^\r\n]{{1,100}})", text, re.MULTILINE)
        if found and not getattr(candidate, member):
            setattr(candidate, member, found[1].strip())


def upload_resume(state: State, body: Json, call: Call) -> Any:
    """Attach a résumé and parse it; it becomes the candidate's résumé, earlier ones stay among the files."""
    candidate = _attach(state, body, call, handle=body["resumeHandle"], is_resume=True)
    return views.candidate(state, candidate, call)


def upload_file(state: State, body: Json, call: Call) -> Any:
    """Attach a file that is no résumé."""
    candidate = _attach(state, body, call, handle=body["fileHandle"], is_resume=False)
    return views.candidate(state, candidate, call)


def info(state: State, body: Json, call: Call) -> Any:
    """Return a temporary download address for a file's handle."""
    stored = find(state.files, state.handles.get(body["fileHandle"], ""), "file_not_found")
    token = secrets.token_urlsafe(24)
    state.downloads[token] = (stored.id, time.time() + state.number("download_seconds"))
    return {"url": f"{state.storage_url()}/ashby/file/{token}"}


HANDLERS = {
    "file.createFileUploadHandle": reserve,
    "file.info": info,
    "candidate.uploadResume": upload_resume,
    "candidate.uploadFile": upload_file,
}
