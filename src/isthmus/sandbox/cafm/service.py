"""One operation of the API, from its path and body to its answer. Knows no limits, no faults and no sockets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from isthmus.sandbox.cafm import listing, writing
from isthmus.sandbox.cafm.entities import ENTITIES
from isthmus.sandbox.cafm.entities.lines import EXTERNAL
from isthmus.sandbox.cafm.entity import Entity, Work
from isthmus.sandbox.cafm.keys import Key
from isthmus.sandbox.cafm.kinds import Choice, Record, Text
from isthmus.sandbox.cafm.problems import JSON, Problem, bad_request, conflict, forbidden, not_found, wrong_fields
from isthmus.sandbox.cafm.world import World
from isthmus.sandbox.wire import Request, Response

BASE = "/api/v1"
_STATE = Choice("pending", "accepted", "posted", "rejected", "failed")


class Caller:
    """Who asks: an API key, or a person at the screen, who may do everything and is read leniently."""

    def __init__(self, name: str, key: Key | None = None) -> None:
        self.name, self.key = name, key

    def require(self, entity: str, right: str) -> None:
        """Raises Problem 403."""
        if self.key is not None and not self.key.may(entity, right):
            raise forbidden(f"{entity}:{'write' if entity == 'webhooks' else right}")


class Service:
    """Answers operations. Every operation is done wholly or not at all."""

    def __init__(self, world: World) -> None:
        self._world = world

    def answer(self, request: Request, caller: Caller) -> Response:
        """Never raises a Problem: it is the answer."""
        try:
            return self._routed(request, caller)
        except Problem as problem:
            return problem.response()

    def _routed(self, request: Request, caller: Caller) -> Response:
        segments = request.path.strip("/").split("/")
        if segments == ["system"]:
            _allow(request, "GET")
            return Response(200, {"data": self._system(caller)}, JSON)
        entity = ENTITIES.get(segments[0])
        if entity is None or len(segments) > 3:
            raise not_found(f"resource {request.path}")
        work = Work(self._world, caller.name, self._world.now(), lenient=caller.key is None)
        if len(segments) == 1:
            return self._collection(work, entity, request, caller)
        record_id = self._id(entity, segments[1], lenient=work.lenient)
        if len(segments) == 3:
            return self._action(work, entity, record_id, segments[2], request, caller)
        return self._one(work, entity, record_id, request, caller)

    def _id(self, entity: Entity, segment: str, *, lenient: bool) -> int:
        """The id in a path; a person may say `code:V100`, `number:PO-000001` or any other field it is looked up by."""
        if segment.isdecimal():
            return int(segment)
        field, _, value = segment.partition(":")
        if lenient and value:
            table = self._world.tables[entity.name]
            rows = table.having(field, value)
            if field == "code" and entity.unique == ("code",):
                row = table.by_code(value)
                rows = [row] if row is not None else []
            for row in rows:
                return int(row["id"])
        raise not_found(f"{entity.name} with the id {segment}")

    def _collection(self, work: Work, entity: Entity, request: Request, caller: Caller) -> Response:
        _allow(request, "GET", "POST")
        if request.method == "GET":
            caller.require(entity.name, "read")
            address = f"{request.origin}{BASE}/{entity.name}"
            return Response(200, listing.page(self._world, entity, request.query, address), JSON)
        caller.require(entity.name, "write")
        return self._created(request, entity, writing.create(work, entity, _body(request)))

    def _created(self, request: Request, entity: Entity, record: Record) -> Response:
        location = f"{request.origin}{BASE}/{entity.name}/{record['id']}"
        return Response(201, {"data": entity.show(self._world, record)}, {**JSON, "location": location})

    def _one(self, work: Work, entity: Entity, record_id: int, request: Request, caller: Caller) -> Response:
        _allow(request, "GET", "PATCH", "DELETE")
        table = self._world.tables[entity.name]
        if request.method == "GET":
            caller.require(entity.name, "read")
            record = writing.present(table, record_id, deleted_too=_deleted_too(request))
            return self._shown(entity, record)
        caller.require(entity.name, "write")
        before = writing.present(table, record_id)
        _current(request, before)
        if request.method == "DELETE":
            writing.delete(work, entity, before)
            return Response(204)
        return self._shown(entity, writing.change(work, entity, before, _body(request)))

    def _shown(self, entity: Entity, record: Record) -> Response:
        return Response(200, {"data": entity.show(self._world, record)}, JSON)

    def _action(
        self, work: Work, entity: Entity, record_id: int, action: str, request: Request, caller: Caller
    ) -> Response:
        if entity.name == "webhooks" and action == "deliveries":
            _allow(request, "GET")
            caller.require("webhooks", "read")
            writing.present(self._world.tables["webhooks"], record_id)
            return Response(200, {"data": [one.shown() for one in self._world.hooks.of(record_id)]}, JSON)
        known = {"restore", "integration", *entity.actions}
        known |= {"status"} if entity.statuses is not None else set()
        known |= {"test"} if entity.name == "webhooks" else set()
        if action not in known:
            raise not_found(f"action {action} of {entity.name}")
        _allow(request, "POST")
        caller.require(entity.name, "write")
        before = writing.present(self._world.tables[entity.name], record_id, deleted_too=action == "restore")
        _current(request, before)
        body = _body(request, empty=True)
        if action in entity.actions:
            return self._created(request, *entity.actions[action](work, before, body))
        if action == "test":
            self._world.hooks.ping(before)
            return Response(202, {"data": entity.show(self._world, before)}, JSON)
        if action == "restore":
            return self._shown(entity, writing.restore(work, entity, before))
        if action == "status":
            return self._shown(entity, _moved(work, entity, before, body))
        return self._shown(entity, _noted(work, entity, before, body))

    def _system(self, caller: Caller) -> dict[str, Any]:
        settings, key = self._world.settings, caller.key
        told = {"name": key.name, "permissions": key.permissions, "expiresAt": key.expires_at or None} if key else None
        return {
            "id": settings.id,
            "name": settings.name,
            "apiVersion": "1",
            "baseCurrency": settings.base_currency,
            "timeZone": settings.time_zone,
            "time": self._world.now(),
            "key": told,
        }


def _allow(request: Request, *methods: str) -> None:
    if request.method not in methods:
        text = f"{request.method} is not possible here."
        raise Problem(405, "method_not_allowed", text, headers={"allow": ", ".join(methods)})


def _body(request: Request, *, empty: bool = False) -> Mapping[str, Any]:
    if request.payload is None and empty:
        return {}
    if not isinstance(request.payload, Mapping):
        raise bad_request("invalid_json", "The body must be a JSON object.")
    return request.payload


def _deleted_too(request: Request) -> bool:
    if request.query not in {"", "include_deleted=true", "include_deleted=false"}:
        name = request.query.partition("=")[0]
        raise bad_request("unknown_parameter", f"{name}: one record is asked for with include_deleted only.", name)
    return request.query == "include_deleted=true"


def _current(request: Request, record: Record) -> None:
    """Raises Problem when the caller knew another version."""
    given = request.headers.get("if-match")
    if given is None or given.strip() == "*":
        return
    if given.strip().strip('"') != str(record["version"]):
        raise stale(record["version"])


def stale(version: int) -> Problem:
    """The record was changed by somebody else meanwhile."""
    return conflict("stale_version", "The record was changed meanwhile; read it again.", currentVersion=version)


def _moved(work: Work, entity: Entity, before: Record, body: Mapping[str, Any]) -> Record:
    reading = work.reading()
    _only(body, "status", "reason")
    statuses = entity.statuses
    words = tuple(statuses.ways) if statuses is not None else ()
    status = reading.value(Choice(*words), body.get("status"), "status")
    reason = reading.value(Text(250), body.get("reason"), "reason")
    if status is None and not reading.details:
        reading.wrong("required", "status", "this is required.")
    if reading.details:
        raise wrong_fields(reading.details)
    return writing.move(work, entity, before, status, reason)


def _noted(work: Work, entity: Entity, before: Record, body: Mapping[str, Any]) -> Record:
    """What the ERP made of it, on the record and in its external fields."""
    _only(body, "state", "text", "number")
    reading = work.reading()
    state = reading.value(_STATE, body.get("state"), "state")
    text = reading.value(Text(500), body.get("text"), "text")
    number = reading.value(Text(50), body.get("number"), "number")
    if state is None and not reading.details:
        reading.wrong("required", "state", "this is required.")
    if reading.details:
        raise wrong_fields(reading.details)
    old = before["integration"] or {}
    number = number if number is not None else old.get("number")
    if old and (old["state"], old["text"], old["number"]) == (state, text, number):
        return before
    note = {"state": state, "text": text, "number": number, "at": work.now, "by": work.actor}
    record = {**before, "integration": note}
    shown = {"externalStatus": state, "externalMessage": text, "externalNumber": number}
    names = {field.name for field in EXTERNAL} & set(entity.by_name)
    record |= {name: value for name, value in shown.items() if name in names and (value or name != "externalNumber")}
    return writing.touch(work, entity, record, before, "updated")


def _only(body: Mapping[str, Any], *names: str) -> None:
    for name in body:
        if name not in names:
            raise bad_request("unknown_field", f"{name}: this action takes {', '.join(names)}.", name)
