"""``department.*`` and ``location.*``."""

from __future__ import annotations

from typing import Any

from sandbox.ashby.checks import invalid
from sandbox.ashby.paging import Page, paginate
from sandbox.ashby.records import Call, Json
from sandbox.ashby.state import State, find, iso, new_id


def _department(state: State, body: Json) -> Json:
    found: Json = find(state, "departments", body["departmentId"], "department_not_found")
    return found


def _location(state: State, body: Json) -> Json:
    found: Json = find(state, "locations", body["locationId"], "location_not_found")
    return found


def _save(state: State, item: Json) -> Json:
    if "updatedAt" in item:
        item["updatedAt"] = iso(state.now())
    state.touch(item["id"])
    return item


def _check_no_circle(places: dict[str, Json], item: Json, parent_id: str | None, member: str) -> None:
    """Refuse to move a place below itself (guess); ``member`` is what the place calls its parent."""
    while parent_id is not None:
        if parent_id == item["id"]:
            raise invalid(f"{member}: below itself")
        parent_id = places[parent_id][member]


def list_departments(state: State, body: Json, call: Call) -> Page:
    """List departments and teams, archived ones on demand."""
    return paginate(
        state,
        "department.list",
        body=body,
        items=state.departments.values(),
        render=lambda item: item,
        keep=lambda item: body.get("includeArchived", False) or not item["isArchived"],
        key=lambda item: item["id"],
    )


def department_info(state: State, body: Json, call: Call) -> Any:
    """Return one department."""
    return _department(state, body)


def create_department(state: State, body: Json, call: Call) -> Any:
    """Add a department or team; the name may repeat (guess)."""
    if "parentId" in body:
        find(state, "departments", body["parentId"], "department_not_found")
    now = iso(state.now())
    item: Json = {
        "id": new_id(),
        "name": body["name"].strip(),
        "externalName": body.get("externalName"),
        "isArchived": False,
        "parentId": body.get("parentId"),
        "createdAt": now,
        "updatedAt": now,
        "extraData": body.get("extraData"),
    }
    state.departments[item["id"]] = item
    state.touch(item["id"])
    return item


def update_department(state: State, body: Json, call: Call) -> Any:
    """Change names and own data of a department."""
    item = _department(state, body)
    item.update({name: body[name] for name in ("name", "externalName", "extraData") if name in body})
    return _save(state, item)


def archive_department(state: State, body: Json, call: Call) -> Any:
    """Archive a department; those below it stay as they are (guess)."""
    item = _department(state, body)
    item["isArchived"] = True
    return _save(state, item)


def restore_department(state: State, body: Json, call: Call) -> Any:
    """Take a department out of the archive."""
    item = _department(state, body)
    item["isArchived"] = False
    return _save(state, item)


def move_department(state: State, body: Json, call: Call) -> Any:
    """Put a department below another, or at the top without ``parentId``."""
    item, parent_id = _department(state, body), body.get("parentId")
    if parent_id is not None:
        find(state, "departments", parent_id, "department_not_found")
        _check_no_circle(state.departments, item, parent_id, "parentId")
    item["parentId"] = parent_id
    return _save(state, item)


def list_locations(state: State, body: Json, call: Call) -> Page:
    """List locations; levels of the hierarchy and archived ones on demand."""
    return paginate(
        state,
        "location.list",
        body=body,
        items=state.locations.values(),
        render=lambda item: item,
        keep=lambda item: (
            (body.get("includeArchived", False) or not item["isArchived"])
            and (body.get("includeLocationHierarchy", False) or item["type"] == "Location")
        ),
        key=lambda item: item["id"],
    )


def location_info(state: State, body: Json, call: Call) -> Any:
    """Return one location."""
    return _location(state, body)


def create_location(state: State, body: Json, call: Call) -> Any:
    """Add a location; ``isRemote`` must agree with ``workplaceType`` (vendor changelog)."""
    if "parentLocationId" in body:
        find(state, "locations", body["parentLocationId"], "location_not_found")
    kind = body.get("workplaceType")
    if "isRemote" in body and kind is not None and body["isRemote"] != (kind == "Remote"):
        raise invalid("isRemote: contradicts workplaceType")
    item: Json = {
        "id": new_id(),
        "name": body["name"].strip(),
        "externalName": body.get("externalName"),
        "isArchived": False,
        "address": body.get("address"),
        "isRemote": body.get("isRemote", kind == "Remote"),
        "workplaceType": kind,
        "parentLocationId": body.get("parentLocationId"),
        "type": body["type"],
        "extraData": body.get("extraData"),
    }
    state.locations[item["id"]] = item
    state.touch(item["id"])
    return item


def archive_location(state: State, body: Json, call: Call) -> Any:
    """Archive a location."""
    item = _location(state, body)
    item["isArchived"] = True
    return _save(state, item)


def restore_location(state: State, body: Json, call: Call) -> Any:
    """Take a location out of the archive."""
    item = _location(state, body)
    item["isArchived"] = False
    return _save(state, item)


def move_location(state: State, body: Json, call: Call) -> Any:
    """Put a location below a level of the hierarchy, or at the top (null)."""
    item, parent_id = _location(state, body), body["parentLocationHierarchyId"]
    if parent_id is not None:
        if find(state, "locations", parent_id, "location_not_found")["type"] != "LocationHierarchy":
            raise invalid("parentLocationHierarchyId: no level of the hierarchy")
        _check_no_circle(state.locations, item, parent_id, "parentLocationId")
    item["parentLocationId"] = parent_id
    return _save(state, item)


def update_location(state: State, body: Json, call: Call) -> Any:
    """Change one thing of a location: address, a name, or the workplace type (with ``isRemote``)."""
    item = _location(state, body)
    item.update({name: body[name] for name in ("address", "name", "externalName", "workplaceType") if name in body})
    if "workplaceType" in body:
        item["isRemote"] = body["workplaceType"] == "Remote"
    return _save(state, item)


HANDLERS = {
    "department.list": list_departments,
    "department.info": department_info,
    "department.create": create_department,
    "department.update": update_department,
    "department.archive": archive_department,
    "department.restore": restore_department,
    "department.move": move_department,
    "location.list": list_locations,
    "location.info": location_info,
    "location.create": create_location,
    "location.archive": archive_location,
    "location.restore": restore_location,
    "location.move": move_location,
    "location.updateAddress": update_location,
    "location.updateName": update_location,
    "location.updateExternalName": update_location,
    "location.updateWorkplaceType": update_location,
}
