"""``customField.*``: definitions and values."""

from __future__ import annotations

from typing import Any

from sandbox.ashby import views, webhooks
from sandbox.ashby.candidates import find_candidate
from sandbox.ashby.checks import RefusedError, invalid
from sandbox.ashby.paging import Page, paginate
from sandbox.ashby.records import Call, Field, Json
from sandbox.ashby.state import State, find, find_application, find_job, new_id
from sandbox.ashby.values import check_field_value

LISTED_AS = {"Opening_Version": "Opening", "Offer_Version": "Offer"}
"""``customField.list`` names these objects otherwise than ``customField.create`` (vendor contract)."""

SELECTS = ("ValueSelect", "MultiValueSelect")


def _sees(definition: Field, call: Call) -> bool:
    return not definition.is_private or call.may("private")


def find_field(state: State, field_id: str, call: Call) -> Field:
    """Return a definition this key may see."""
    definition: Field = find(state, "fields", field_id, "custom_field_not_found")
    if not _sees(definition, call):
        raise RefusedError("custom_field_not_found", "custom field not found or not visible to this key")
    return definition


def list_fields(state: State, body: Json, call: Call) -> Page:
    """List definitions, archived ones on demand."""
    return paginate(
        state,
        "customField.list",
        body=body,
        items=state.fields.values(),
        render=lambda item: views.field(state.seen(item)),
        keep=lambda item: (body.get("includeArchived", False) or not item.is_archived) and _sees(item, call),
    )


def info(state: State, body: Json, call: Call) -> Any:
    """Return one definition."""
    return views.field(state.seen(find_field(state, body["customFieldId"], call)))


def _check_options(state: State, options: list[Json]) -> None:
    """Refuse repeated options, and more than there may be (switch ``options_max``; no limit is documented)."""
    most = state.number("options_max")
    if most and len(options) > most:
        state.decides("options_max")
        raise invalid("selectableValues: too many")
    _check_unique(options)


def _check_unique(options: list[Json]) -> None:
    values = [option["value"] for option in options]
    if len(set(values)) != len(values):
        raise invalid("selectableValues: a value twice")


def create(state: State, body: Json, call: Call) -> Any:
    """Add a definition; a title may repeat unless switch ``field_titles`` = ``unique``."""
    kind, options = body["fieldType"], body.get("selectableValues", [])
    if kind in SELECTS and not options:
        raise invalid("selectableValues: required for a select")
    if kind not in SELECTS and options:
        raise invalid("selectableValues: only for a select")
    _check_options(state, options)
    owner = LISTED_AS.get(body["objectType"], body["objectType"])
    title = body["title"].strip()
    most = state.number("fields_max")
    if most and len(state.fields) >= most:
        state.decides("fields_max")
        raise invalid("title: the organization has as many custom fields as it may")
    repeated = any(item.title == title and item.object == owner for item in state.fields.values())
    if repeated and state.decides("field_titles") == "unique":
        raise invalid("title: a field of this name exists")
    definition = Field(new_id(), title, owner, kind, date_only=body.get("isDateOnlyField", False))
    definition.options = [{**option, "isArchived": False} for option in options]
    state.fields[definition.id] = definition
    state.touch(definition.id)
    return views.field(definition)


def update_options(state: State, body: Json, call: Call) -> Any:
    """Merge options by value; values left out are archived (vendor contract)."""
    definition = find_field(state, body["customFieldId"], call)
    if definition.kind not in SELECTS:
        raise invalid("customFieldId: not a select")
    given = body["selectableValues"]
    _check_options(state, given)
    named = {option["value"]: {"isArchived": False, **option} for option in given}
    kept = [named.pop(option["value"], {**option, "isArchived": True}) for option in definition.options]
    definition.options = [
        {name: option[name] for name in ("label", "value", "isArchived")} for option in (*kept, *named.values())
    ]
    state.touch(definition.id)
    return views.field(definition)


def _target(state: State, body: Json, call: Call) -> Any:
    """Return the object that values are set on."""
    kind, object_id = body["objectType"], body["objectId"]
    if kind == "Candidate":
        return find_candidate(state, object_id)
    if kind == "Application":
        return find_application(state, object_id, call)
    if kind == "Job":
        return find_job(state, object_id, call)
    return find(state, "openings", object_id, "opening_not_found")


def _check(state: State, item: Json, call: Call, *, owner: str, where: str) -> Field:
    """Refuse a value that does not fit its field."""
    definition = find_field(state, item["fieldId"], call)
    if definition.object != owner:
        raise invalid(f"{where}fieldId: a field of {definition.object}")
    if definition.is_archived:
        raise invalid(f"{where}fieldId: archived")
    value = item["fieldValue"]
    if value is None and state.decides("null_field_values") == "clear":
        return definition
    most = state.number("text_max_chars")
    if most and isinstance(value, str) and len(value) > most:
        state.decides("text_max_chars")
        raise invalid(f"{where}fieldValue: too long")
    options = [option["value"] for option in definition.options if not option["isArchived"]]
    check_field_value(definition.kind, value, options, where=f"{where}fieldValue")
    return definition


def write_values(
    state: State, call: Call, *, custom: dict[str, Any], owner: str, items: list[Json], prefix: str
) -> list[Json]:
    """Check all values, write all, and return them as they are shown.

    When one is wrong nothing is written, or what stands before it (switch ``partial_values`` = ``nothing``,
    ``before``); which of the two is not documented.
    """
    checked: list[tuple[Field, Any]] = []
    for index, item in enumerate(items):
        where = f"{prefix}[{index}]." if prefix else ""
        try:
            definition = _check(state, item, call, owner=owner, where=where)
        except RefusedError:
            if checked and state.decides("partial_values") == "before":
                _store(custom, checked)
            raise
        checked.append((definition, item["fieldValue"]))
    return _store(custom, checked)


def _store(custom: dict[str, Any], checked: list[tuple[Field, Any]]) -> list[Json]:
    shown = []
    for definition, value in checked:
        if value is None:
            custom.pop(definition.id, None)
        else:
            custom[definition.id] = value
            shown.append(views.custom_value(definition, value))
    return shown


def _set(state: State, body: Json, call: Call, *, items: list[Json], prefix: str) -> list[Json]:
    """Set values of one object."""
    target, owner = _target(state, body, call), body["objectType"]
    try:
        shown = write_values(state, call, custom=target.custom, owner=owner, items=items, prefix=prefix)
    except RefusedError:
        if state.switch("partial_values") == "before":
            _saved(state, target, owner)
        raise
    _saved(state, target, owner)
    return shown


def _saved(state: State, target: Any, owner: str) -> None:
    if hasattr(target, "updated_ms"):
        target.updated_ms = state.now()
    state.touch(target.id)
    if owner == "Application":
        webhooks.application(state, "applicationUpdate", target)


def set_value(state: State, body: Json, call: Call) -> Any:
    """Set one value."""
    item = {"fieldId": body["fieldId"], "fieldValue": body["fieldValue"]}
    shown = _set(state, body, call, items=[item], prefix="")
    return shown[0] if shown else None


def set_values(state: State, body: Json, call: Call) -> Any:
    """Set several values of one object."""
    return _set(state, body, call, items=body["values"], prefix="values")


HANDLERS = {
    "customField.list": list_fields,
    "customField.info": info,
    "customField.create": create,
    "customField.setValue": set_value,
    "customField.setValues": set_values,
    "customField.updateSelectableValues": update_options,
}
