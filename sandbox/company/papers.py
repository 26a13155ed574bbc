"""Resumes and files: metadata, parsed data, and what their bytes are."""

from __future__ import annotations

import random
from dataclasses import replace

from sandbox.company import catalog, filebytes, words
from sandbox.company.cast import slug
from sandbox.company.model import NOW_MS, Company, Record
from sandbox.company.shape import times

ODD_NAMES = (
    "../../etc/passwd",
    "CON.pdf",
    "invoice\u202efdp.pdf",
    "résumé – final (1)\t.pdf",
    "C:\\Users\\me\\cv.pdf",
    f"{'very-long-' * 28}name.pdf",
    ".htaccess",
    "notes.PDF ",
)
BIG_BYTES = 3_000_000


def fill(company: Company) -> None:
    """Give about two thirds of the candidacies a resume, some several, some none but parsed data; some files too."""
    for opportunity in company.opportunities:
        if opportunity["isAnonymized"]:
            continue
        rng = company.rng(f"papers:{opportunity['id']}")
        for number in range(times(rng.choices((0, 1, 2, 3), (34, 52, 11, 3))[0], company.shape.files)):
            add_resume(company, opportunity, rng, number)
        for number in range(times(rng.choices((0, 1, 2), (84, 13, 3))[0], company.shape.files)):
            add_file(company, opportunity, rng, number)
    _plant(company)
    _plant_lines(company)


def _register(company: Company, key: str, rng: random.Random, title: str, *, kind: str, size: int | None = None) -> int:
    """Remember how the bytes of a file are made and return their number."""
    spec = filebytes.Spec(
        kind, size if size is not None else int(1_000 * 40 ** rng.random()), f"{company.seed}:{key}", title
    )
    company.file_kinds[key] = spec
    return len(filebytes.make(spec))


def add_resume(company: Company, opportunity: Record, rng: random.Random, number: int) -> Record:
    """One resume; one in eight came from a profile page and has no file."""
    resume_id = company.uuid(f"resume:{opportunity['id']}:{number}")
    at = min(opportunity["createdAt"] + number * rng.randrange(10**6, 10**10), NOW_MS - 10_000)
    resume: Record = {"id": resume_id, "createdAt": at, "file": None}
    if rng.random() < 0.6:
        resume["parsedData"] = _parsed(rng, at)
    if rng.random() < 0.12:
        resume["parsedData"] = _parsed(rng, at)
    else:
        size = _register(company, resume_id, rng, f"Curriculum vitae, {opportunity['name']}", kind="pdf")
        name = f"{slug(opportunity['name'])}-cv{number or ''}.pdf"
        resume["file"] = _about_file(opportunity, "resumes", resume_id, name, size, at) | {"ext": "pdf"}
    company.resumes.setdefault(opportunity["id"], []).append(resume)
    return resume


def _about_file(opportunity: Record, kind: str, file_id: str, name: str, size: int, at: int) -> Record:
    url = f"https://hire.lever.co/candidates/{opportunity['id']}/{kind}/{file_id}/download"
    status = _status(random.Random(f"status:{file_id}"), kind)
    return {"name": name, "ext": "pdf", "downloadUrl": url, "uploadedAt": at + 4, "status": status, "size": size}


def _status(rng: random.Random, kind: str) -> str | None:
    """Nearly all files are processed; of some Lever says that they are not yet, of some résumés nothing."""
    return rng.choices(("processed", "processing", None if kind == "resumes" else "processed"), (94, 3, 3))[0]


def _parsed(rng: random.Random, at: int) -> Record:
    """What Lever read out of a resume."""
    year = 1970 + at // 31_557_600_000
    positions = []
    for place in range(rng.choice((1, 2, 3))):
        end = year - 2 * place
        positions.append(
            {
                "org": rng.choice(words.FIRMS),
                "title": rng.choice(words.ROLES),
                "summary": rng.choice((None, "", "Built things that lasted.")),
                "location": rng.choice((None, "Oslo")),
                "start": {"year": end - 2, "month": rng.randint(1, 12)},
                "end": {"year": end, "month": rng.randint(1, 12)}
                if place
                else rng.choice((None, {"year": None, "month": None})),
            }
        )
    school = {
        "org": rng.choice(words.SCHOOLS),
        "degree": rng.choice(("BSc", "MSc", None)),
        "field": "Informatics",
        "summary": None,
        "start": {"year": year - 12, "month": 9},
        "end": {"year": year - 7, "month": 6},
    }
    return {"positions": positions, "schools": [school] if rng.random() < 0.8 else []}


def add_file(company: Company, opportunity: Record, rng: random.Random, number: int) -> Record:
    """One file; uploadedAt and size are strings now and then, as the reference shows them."""
    file_id = company.uuid(f"file:{opportunity['id']}:{number}")
    at = min(opportunity["createdAt"] + rng.randrange(10**5, 10**9), NOW_MS - 9_000)
    kind = rng.choice(("pdf", "txt", "png"))
    size = _register(company, file_id, rng, "Cover letter", kind=kind)
    name = rng.choice(("cover-letter", "portfolio", "work sample")) + f".{kind}"
    record = _about_file(opportunity, "files", file_id, name, size, at) | {"ext": f".{kind}"}
    if rng.random() < 0.15:
        record |= {"uploadedAt": str(record["uploadedAt"]), "size": str(size)}
    record = {"id": file_id} | record
    company.files.setdefault(opportunity["id"], []).append(record)
    company.file_actions.setdefault(opportunity["id"], []).append(
        {
            "id": company.uuid(f"file-action:{file_id}"),
            "opportunityId": opportunity["id"],
            "type": "file-added",
            "occurredAt": at,
            "createdAt": at,
            "user": {"id": catalog.user_id(company, "Priya")},
            "meta": {"fileName": name},
        }
    )
    return record


def uploaded(company: Company, opportunity: Record) -> list[Record]:
    """The files that were uploaded as answers of application and profile forms, as the list of files may show them.

    Whether it does is not documented (unverified): a switch of the Lever side.
    """
    forms = [form for name in opportunity["applications"] for form in company.applications[name]["customQuestions"]]
    forms += [form for form in company.forms.get(opportunity["id"], ()) if not form["deletedAt"]]
    answers = [field.get("value") for form in forms for field in form["fields"] if field["type"] == "file-upload"]
    return [
        {"id": one["id"]}
        | _about_file(opportunity, "files", one["id"], one["name"], one["size"], one["uploadedAt"])
        | {"ext": f".{one['ext']}", "uploadedAt": one["uploadedAt"], "status": "processed"}
        for one in answers
        if one
    ]


def _plant(company: Company) -> None:
    """Odd names, one name twice, an empty file, a big one, and two that Lever could not process."""
    rng = company.rng("odd-papers")
    alive = [item for item in company.opportunities if not item["isAnonymized"] and item["origin"] != "sourced"]
    files = [add_file(company, alive[(place * 29) % len(alive)], rng, 90 + place) for place in range(len(ODD_NAMES))]
    for record, name in zip(files, ODD_NAMES, strict=True):
        record["name"] = name
    first, second = (resume_with_file(company, alive[5 % len(alive)], rng, number) for number in (80, 81))
    second["file"]["name"] = first["file"]["name"]
    empty = add_file(company, alive[7 % len(alive)], rng, 70)
    empty |= {"name": "empty.txt", "ext": ".txt", "size": _register(company, empty["id"], rng, "", kind="empty")}
    big = resume_with_file(company, alive[11 % len(alive)], rng, 82)
    big["file"]["size"] = _register(company, big["id"], rng, "Portfolio with pictures", kind="pdf", size=BIG_BYTES)
    for place, status in enumerate(("error", "unsupported")):
        broken = resume_with_file(company, alive[(13 + place) % len(alive)], rng, 83 + place)
        broken["file"]["status"] = status
        company.lost_files.add(broken["id"])
    lost = add_file(company, alive[17 % len(alive)], rng, 71)
    lost["status"] = "error"
    company.lost_files.add(lost["id"])


def _plant_lines(company: Company) -> None:
    """Let some résumés say in lines of their own where somebody worked and can be reached; nothing else changes.

    Those of everybody without an address, half of those without a number, and about one in seven of the others: what
    Lever knows of a person a parser must not overwrite, what it lacks a parser may fill in.
    """
    for opportunity in company.opportunities:
        contact = company.contacts[opportunity["contact"]]
        for resume in company.resumes.get(opportunity["id"], ()):
            rng = company.rng(f"resume-lines:{resume['id']}")
            share = 1 if not contact["emails"] else 1 / 7 if contact["phones"] else 1 / 2
            if resume["id"] not in company.file_kinds or rng.random() >= share:
                continue
            spec = replace(company.file_kinds[resume["id"]], lines=_lines(rng, contact))
            company.file_kinds[resume["id"]] = spec
            resume["file"]["size"] = len(filebytes.make(spec))


def _lines(rng: random.Random, contact: Record) -> tuple[str, ...]:
    """What a résumé says of a person: another address than Lever has, another number, a place, the last employer."""
    return (
        f"Position: {rng.choice(words.ROLES)}",
        f"Company: {rng.choice(words.FIRMS)}",
        f"School: {rng.choice(words.SCHOOLS)}",
        f"Email: {slug(contact['name'])[:30]}-{contact['id'][:6]}@resume.example",
        f"Phone: +44 1632 960{rng.randrange(1000):03d}",
        f"City: {rng.choice(('Trondheim', 'Leeds', 'Porto'))}",
    )


def resume_with_file(company: Company, opportunity: Record, rng: random.Random, number: int) -> Record:
    """A planted resume that surely has a file."""
    resume = add_resume(company, opportunity, rng, number)
    if resume["file"] is None:
        size = _register(company, resume["id"], rng, "Curriculum vitae", kind="pdf")
        resume["file"] = _about_file(opportunity, "resumes", resume["id"], "cv.pdf", size, resume["createdAt"]) | {
            "ext": "pdf"
        }
    return resume
