"""Which resources may be subscribed to, and the list of them that Business Central shows (bc.md sections 2 and 11)."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.entity import EntitySet
from isthmus.sandbox.business_central.environment import Environment, Rights
from isthmus.sandbox.business_central.fields import is_guid
from isthmus.sandbox.business_central.tables import Transaction
from isthmus.sandbox.wire import JSON_HEADERS, Request, Response

#: Sets whose page has a temporary source table, no key of one field, or a system table below (bc.json, the rules of
#: section 11 applied to the properties of each page).
NOT_ELIGIBLE = frozenset(
    {
        "companies",
        "dimensionSetLines",
        "purchaseCreditMemoLines",
        "purchaseInvoiceLines",
        "purchaseOrderLines",
        "salesCreditMemoLines",
        "salesInvoiceLines",
        "salesOrderLines",
        "salesQuoteLines",
        "subscriptions",
        "taxAreas",
        "taxGroups",
        "timeRegistrationEntries",
    }
)
_RESOURCE = re.compile(r"(?:https?://[^?]*|/)?(?:api/v2\.0/)?companies\((?P<company>[^()]+)\)/(?P<set>\w+)/?")
_LIST = re.compile(r"companies\((?P<company>[^()]+)\)/webhookSupportedResources")
_FILTER = re.compile(r"resource eq '(?P<pattern>[^']*)'")


def is_eligible(entity_set: EntitySet) -> bool:
    return entity_set.per_company and entity_set.name not in NOT_ELIGIBLE


def subject(environment: Environment, sets: Mapping[str, EntitySet], resource: str) -> tuple[str, str]:
    """Company id and set that the `resource` of a subscription means, as a relative or an absolute address. Raises
    Refusal; its codes and texts are assumed.
    """
    found = _RESOURCE.fullmatch(resource)
    if found is None:
        raise errors.bad_request(f"The resource '{resource}' is not the address of an entity set of a company.")
    company = environment.company(found["company"].strip("'"))
    entity_set = sets.get(found["set"])
    if entity_set is None:
        raise errors.unknown_segment(found["set"])
    if not is_eligible(entity_set):
        raise errors.bad_request(f"The entity set '{entity_set.name}' does not support webhook notifications.")
    return company.id, entity_set.name


class RuntimeService:
    """The API `microsoft/runtime/beta`, of which there is one list: `companies({id})/webhookSupportedResources`."""

    def __init__(self, environment: Environment, sets: Mapping[str, EntitySet]) -> None:
        self.environment, self.sets = environment, sets

    def answer(self, request: Request, rights: Rights, root: str, tx: Transaction) -> Response:
        """The one filter it knows is `resource eq 'v2.0*'`, with any pattern. Raises Refusal."""
        found = _LIST.fullmatch(request.path.strip("/"))
        if found is None:
            raise errors.no_resource(f"{root}/{request.path}")
        if request.method != "GET":
            raise errors.method_not_allowed(request.method, "webhookSupportedResources")
        if not is_guid(found["company"]):
            raise errors.bad_syntax()
        self.environment.company(found["company"])
        text = dict(parse_qsl(request.query)).get("$filter", "resource eq '*'")
        condition = _FILTER.fullmatch(text)
        if condition is None:
            raise errors.bad_syntax()
        names = [f"v2.0/{name}" for name, entity_set in self.sets.items() if is_eligible(entity_set)]
        rows = [{"resource": name} for name in names if fnmatch.fnmatchcase(name, condition["pattern"])]
        return Response(200, {"@odata.context": f"{root}/$metadata", "value": rows}, JSON_HEADERS)
