"""The service below `/api/v2.0`: one request or one part of a batch, from its address to its answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from isthmus.sandbox.business_central import errors, reading
from isthmus.sandbox.business_central.entity import EntitySet, Parent
from isthmus.sandbox.business_central.environment import Body, Call, Environment, Rights
from isthmus.sandbox.business_central.metadata import document
from isthmus.sandbox.business_central.paths import Target, walk
from isthmus.sandbox.business_central.tables import Row, Transaction
from isthmus.sandbox.clock import stamp
from isthmus.sandbox.wire import JSON_HEADERS, Request, Response, from_json

_ETAG = re.compile(r'W/"[A-Za-z0-9+/=]+"')


class Service:
    """Answers requests against an environment. Never raises Refusal; a refused request has changed nothing."""

    def __init__(self, environment: Environment, sets: Mapping[str, EntitySet]) -> None:
        self.environment = environment
        self.sets = sets

    def answer(self, request: Request, rights: Rights, root: str, tx: Transaction) -> Response:
        """Execute within `tx`; the caller commits. Raises Refusal, for the caller to roll back."""
        options = dict(parse_qsl(request.query, keep_blank_values=True)) if request.query else {}
        moment = stamp(self.environment.clock.now())
        call = Call(self.environment, rights, tx, request.method, request.headers, options, root, moment)
        call.client_id, call.greeted = request.client_id, request.greeted
        call.in_batch = request.payload is not None
        if request.path.strip("/") == "$metadata":
            return Response(200, document(self.environment, self.sets), {"content-type": "application/xml"})
        if not request.path.strip("/"):
            found = [{"name": name, "kind": "EntitySet", "url": name} for name in self.sets]
            return Response(200, {"@odata.context": f"{root}/$metadata", "value": found}, JSON_HEADERS)
        if request.method != "GET" and request.headers.get("data-access-intent", "").lower() == "readonly":
            raise errors.bad_request("A request with Data-Access-Intent: ReadOnly must not write.")  # text assumed
        target = walk(call, self.sets, request.path)
        check_right(call, target.entity_set, "post" if target.action else "read" if call.method == "GET" else "write")
        if request.method == "GET" and not target.action:
            return self._read(call, target, request)
        if target.action:
            return self._act(call, target)
        if request.method not in target.entity_set.methods:
            raise errors.method_not_allowed(request.method, target.entity_set.name)
        if request.method == "POST" and target.row is None:
            return self._create(call, target, json_body(request))
        if request.method == "PATCH" and target.row is not None:
            return self._change(call, target.entity_set, target.row, json_body(request))
        if request.method == "DELETE" and target.row is not None:
            check_token(call, target.entity_set, target.row, needed=False)
            target.entity_set.remove(call, target.row)
            return Response(204, None, {"odata-version": "4.0"})
        raise errors.method_not_allowed(request.method, target.entity_set.name)

    def _read(self, call: Call, target: Target, request: Request) -> Response:
        url = f"{call.root}/{request.path.strip('/')}"
        if target.row is not None:
            return Response(200, self._single(call, target.entity_set, target.row), JSON_HEADERS)
        if target.count:
            rows = reading.chosen_rows(call, target.entity_set, target.parent, call.options)
            return Response(200, str(len(rows)).encode(), {"content-type": "text/plain"})
        body = reading.collection(call, self.sets, target.entity_set, target.parent, url)
        headers = JSON_HEADERS
        if call.prefers("maxpagesize="):
            headers = {**JSON_HEADERS, "preference-applied": f"odata.maxpagesize={reading.page_size(call)}"}
        return Response(200, body, headers)

    def _single(self, call: Call, entity_set: EntitySet, row: Row) -> dict[str, Any]:
        form = reading.shape(call, entity_set, call.options)
        company = f"companies({call.chosen.id})/" if call.chosen is not None else ""
        context = f"{call.root}/$metadata#{company}{entity_set.name}/$entity"
        return {"@odata.context": context, **reading.show(call, self.sets, entity_set, row, form)}

    def _act(self, call: Call, target: Target) -> Response:
        action = target.entity_set.actions.get(target.action)
        if target.row is None or action is None:
            raise errors.unknown_segment(f"Microsoft.NAV.{target.action}")
        if call.method != "POST":
            raise errors.method_not_allowed(call.method, target.entity_set.name)
        check_token(call, target.entity_set, target.row, needed=False)
        made = action(call, target.row)
        location = _address(call, target.entity_set, target.row)
        if made is not None:
            location = f"{call.root}/companies({call.company.id})/{made[0]}({made[1]})"
        return Response(204, None, {"odata-version": "4.0", "location": location})

    def _create(self, call: Call, target: Target, body: Body) -> Response:
        row = self._insert(call, target.entity_set, target.parent, body, call.environment.switches.deep_insert_levels)
        headers = {"location": _address(call, target.entity_set, row)}
        if call.prefers("return-no-content") or call.prefers("return=minimal"):
            return Response(204, None, headers | {"odata-version": "4.0"})
        return Response(201, self._single(call, target.entity_set, row), headers | JSON_HEADERS)

    def _insert(self, call: Call, entity_set: EntitySet, parent: Parent | None, body: Body, levels: int) -> Row:
        """Insert a row and what is nested in it, in one transaction (bc.md section 8)."""
        check_right(call, entity_set, "write")
        values, nested = entity_set.read_body(call, body)
        row = entity_set.create(call, parent, values)
        for name, children in nested.items():
            if levels == 0:
                # How a too deep insert is refused is not in the sources: assumed.
                raise errors.bad_request("Invalid Request Body")
            target = self.sets[entity_set.by_navigation[name].target]
            for child in children:
                if not isinstance(child, dict):
                    raise errors.bad_request("Invalid Request Body")
                self._insert(call, target, Parent(entity_set, row), child, levels - 1)
        return row

    def _change(self, call: Call, entity_set: EntitySet, row: Row, body: Body) -> Response:
        check_token(call, entity_set, row, needed=True)
        values, nested = entity_set.read_body(call, body)
        if nested:
            raise errors.bad_request("Invalid Request Body")  # no deep PATCH (bc.md section 4)
        changed = entity_set.change(call, row, values)
        if call.prefers("return-no-content") or call.prefers("return=minimal"):
            return Response(204, None, {"odata-version": "4.0"})
        return Response(200, self._single(call, entity_set, changed), JSON_HEADERS)


def check_right(call: Call, entity_set: EntitySet, right: str, *, named: str = "") -> None:
    """Refuses a caller who may not `read`, `write` or `post` a set; permissions name it by `named` if that is given."""
    if call.rights.allows(right, named or entity_set.name) or not entity_set.per_company:
        return
    al_right = {"GET": "Read", "PATCH": "Modify", "DELETE": "Delete"}.get(call.method, "Insert")
    status = call.environment.switches.permission_status
    raise errors.no_permission(entity_set.table_id, entity_set.title, al_right, status)


def check_token(call: Call, entity_set: EntitySet, row: Row, *, needed: bool) -> None:
    """The If-Match rules of bc.md section 6."""
    given = call.headers.get("if-match")
    if given is None and not needed:
        return
    if given is None or (given != "*" and not _ETAG.fullmatch(given)):
        raise errors.invalid_token()
    if given not in {"*", entity_set.etag(row)}:
        raise errors.entity_changed()


def json_body(request: Request) -> Body:
    """The JSON object a request brings. Raises Refusal."""
    body = request.payload
    if body is None:
        try:
            body = from_json(request.body)
        except msgspec.DecodeError:
            raise errors.bad_request("Invalid Request Body") from None
    if not isinstance(body, dict):
        raise errors.bad_request("Invalid Request Body")
    return body


def _address(call: Call, entity_set: EntitySet, row: Row) -> str:
    if not entity_set.per_company:
        return f"{call.root}/{entity_set.name}('{row.id}')"
    return f"{call.root}/companies({call.company.id})/{entity_set.name}({row.id})"
