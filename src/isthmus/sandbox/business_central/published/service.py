"""Requests below `ODataV4/`: published pages, one company at a time. No deep insert, no actions, no $batch.

That the If-Match rules are those of the API pages (bc.md section 6) is assumed; that PUT writes what it is given and
leaves the rest alone is assumed too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import quoteattr

from isthmus.sandbox.business_central import errors, reading
from isthmus.sandbox.business_central.entity import EntitySet
from isthmus.sandbox.business_central.environment import Body, Call, Environment, Rights
from isthmus.sandbox.business_central.metadata import HEAD, TAIL, property_of
from isthmus.sandbox.business_central.published import addresses
from isthmus.sandbox.business_central.published.catalogue import service
from isthmus.sandbox.business_central.published.page import Page
from isthmus.sandbox.business_central.service import check_right, check_token, json_body
from isthmus.sandbox.business_central.tables import Row, Transaction
from isthmus.sandbox.clock import stamp
from isthmus.sandbox.wire import JSON_HEADERS, Request, Response


class PublishedService:
    """Answers like `service.Service` does for the API: within a transaction, raising Refusal."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment

    def answer(self, request: Request, rights: Rights, root: str, tx: Transaction) -> Response:
        options = dict(parse_qsl(request.query, keep_blank_values=True)) if request.query else {}
        moment = stamp(self.environment.clock.now())
        call = Call(self.environment, rights, tx, request.method, request.headers, options, root, moment)
        if request.path.strip("/") == "$metadata":
            return Response(200, self._metadata(), {"content-type": "application/xml"})
        path = addresses.segments(request.path)
        if not path:
            found = [{"name": name, "kind": "EntitySet", "url": name} for name in self.environment.published]
            return Response(200, {"@odata.context": f"{root}/$metadata", "value": found}, JSON_HEADERS)
        if path[0].name != "Company" or path[0].key is None or len(path) < 2:
            raise errors.no_resource(f"{root}/{request.path.strip('/')}")
        call.chosen = self._company(addresses.company_name(path[0].key))
        page, count = self._page(path[1].name), len(path) == 3 and path[2].name == "$count"
        if len(path) > 2 and not count:
            raise errors.unknown_segment(path[2].name)
        check_right(call, page, "read" if call.method == "GET" else "write", named=page.source)
        if path[1].key is None:
            return self._collection(call, page, request, count=count)
        return self._single(call, page, page.find_by(call, addresses.key_of(page, path[1].key)), request)

    def page(self, name: str) -> Page | None:
        """The page published under this name; None when none is."""
        number = self.environment.published.get(name)
        return service(name, number) if number is not None else None

    def _page(self, name: str) -> Page:
        found = self.page(name)
        if found is None:
            raise errors.unknown_segment(name)
        return found

    def _company(self, name: str) -> Any:
        found = self.environment.named(name)
        if found is None:
            raise errors.Refusal(404, "Internal_CompanyNotFound", f"The company '{name}' can't be found.")
        return found

    def _collection(self, call: Call, page: Page, request: Request, *, count: bool) -> Response:
        if call.method == "POST" and not count:
            return self._create(call, page, json_body(request))
        if call.method != "GET":
            raise errors.method_not_allowed(call.method, page.name)
        if count:
            rows = reading.chosen_rows(call, page, None, call.options)
            return Response(200, str(len(rows)).encode(), {"content-type": "text/plain"})
        url = addresses.address(page, call.root, call.company.name)
        headers = JSON_HEADERS
        if call.prefers("maxpagesize="):
            headers = {**JSON_HEADERS, "preference-applied": f"odata.maxpagesize={reading.page_size(call)}"}
        return Response(200, reading.collection(call, {}, page, None, url), headers)

    def _single(self, call: Call, page: Page, row: Row, request: Request) -> Response:
        if call.method == "GET":
            return Response(200, self._shown(call, page, row), JSON_HEADERS)
        method = "PATCH" if call.method == "PUT" else call.method
        if method not in page.methods or method not in {"PATCH", "DELETE"}:
            raise errors.method_not_allowed(call.method, page.name)
        check_token(call, page, row, needed=method == "PATCH")
        if method == "DELETE":
            page.remove(call, row)
            return Response(204, None, {"odata-version": "4.0"})
        changed = page.change(call, row, self._values(call, page, json_body(request)))
        return Response(200, self._shown(call, page, changed), JSON_HEADERS)

    def _create(self, call: Call, page: Page, body: Body) -> Response:
        if "POST" not in page.methods:
            raise errors.method_not_allowed(call.method, page.name)
        row = page.create(call, None, self._values(call, page, body))
        headers = {"location": addresses.address(page, call.root, call.company.name, row)}
        if call.prefers("return-no-content") or call.prefers("return=minimal"):
            return Response(204, None, headers | {"odata-version": "4.0"})
        return Response(201, self._shown(call, page, row), headers | JSON_HEADERS)

    def _values(self, call: Call, page: Page, body: Body) -> dict[str, Any]:
        values, nested = page.read_body(call, body)
        if nested:
            raise errors.bad_request("Invalid Request Body")
        return values

    def _shown(self, call: Call, page: Page, row: Row) -> dict[str, Any]:
        address = addresses.address(page, "", call.company.name).lstrip("/")
        context = f"{call.root}/$metadata#{address}/$entity"
        return {"@odata.context": context, **reading.show(call, {}, page, row, reading.shape(call, page, call.options))}

    def _metadata(self) -> bytes:
        found = [service(name, number) for name, number in self.environment.published.items()]
        parts = [HEAD.replace("Microsoft.NAV", "NAV")]
        for page in found:
            parts += _entity(page, self.environment.drift.get(page.name, {}))
        parts.append('<EntityContainer Name="NAV">')
        parts += [f'<EntitySet Name="{page.name}" EntityType="NAV.{page.name}"/>' for page in found]
        parts += ["</EntityContainer>", TAIL]
        return "".join(parts).encode()


def _entity(page: EntitySet, renamed: dict[str, str]) -> Iterator[str]:
    yield f"<EntityType Name={quoteattr(page.name)}><Key>"
    yield from (f'<PropertyRef Name="{renamed.get(name, name)}"/>' for name in page.order)
    yield "</Key>"
    for field in page.fields:
        # Option fields are strings here: assumed, as their values are captions.
        yield property_of(field, renamed.get(field.name, field.name), plain=True)
    yield "</EntityType>"
