"""The refusals of Business Central: codes, statuses and texts of bc.md section 9 and of bc.json's error labels."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from isthmus.sandbox.wire import JSON_HEADERS, Response


class Refusal(Exception):
    """An answer of 400 or more. `kills_batch`: inside $batch the whole call fails with it (bc.md section 14,
    duplicate lineNumber).
    """

    def __init__(
        self, status: int, code: str, message: str, *, headers: dict[str, str] | None = None, kills_batch: bool = False
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers = headers or {}
        self.kills_batch = kills_batch

    def response(self) -> Response:
        return Response(self.status, self.body(), {**JSON_HEADERS, **self.headers})

    def body(self) -> dict[str, Any]:
        text = f"{self.message}  CorrelationId:  {uuid.uuid4()}."
        return {"error": {"code": self.code, "message": text}}


def dialog(message: str) -> Refusal:
    """Any AL Error() (bc.md section 9)."""
    return Refusal(400, "Application_DialogException", message)


def bad_request(message: str) -> Refusal:
    return Refusal(400, "BadRequest", message)


def must_have_value(field: str, record: str) -> Refusal:
    """AL TestField on an empty field (bc.md section 9)."""
    text = f"{field} must have a value in {record}. It cannot be zero or empty."
    return Refusal(400, "Application_FieldValidationException", text)


def must_equal(field: str, wanted: str, record: str, current: str) -> Refusal:
    """AL TestField on a value. The code follows bc.md section 9; the wording is assumed."""
    text = f"{field} must be equal to '{wanted}'  in {record}. Current value is '{current}'."
    return Refusal(400, "Application_FieldValidationException", text)


def no_relation(field: str, table: str, value: str, related: str) -> Refusal:
    text = (
        f"The field {field} of table {table} contains a value ({value}) that cannot be found in the related table "
        f"({related})."
    )
    return Refusal(400, "Internal_InvalidTableRelation", text)


def too_long(value: str, size: int) -> Refusal:
    text = (
        f"The length of the string is {len(value)}, but it must be less than or equal to {size} characters. "
        f"Value: {value}"
    )
    return Refusal(400, "Application_StringExceededLength", text)


def out_of_range(field: str, value: Decimal, least: Decimal | None, most: Decimal | None) -> Refusal:
    """MinValue and MaxValue of a table field; code and wording are assumed."""
    bound = f"at least {least}" if least is not None and value < least else f"at most {most}"
    return Refusal(400, "Application_FieldValidationException", f"The value of {field} must be {bound}. Value: {value}")


def read_only(field: str) -> Refusal:
    return Refusal(400, "BadRequest_InvalidOperation", f"Control '{field}' is read-only")


def required(field: str) -> Refusal:
    return Refusal(400, "BadRequest_RequiredParamNotProvided", f"Field '{field}' must not be blank or empty.")


def unknown_property(field: str, entity: str) -> Refusal:
    """Text assumed: an OData stack refuses names that are not in $metadata."""
    return bad_request(
        f"The property '{field}' does not exist on type 'Microsoft.NAV.{entity}'. "
        "Make sure to only use property names that are defined by the type."
    )


def unknown_segment(segment: str) -> Refusal:
    return Refusal(404, "BadRequest_ResourceNotFound", f"Resource not found for the segment '{segment}'.")


def no_resource(url: str) -> Refusal:
    return Refusal(404, "BadRequest_NotFound", f"No HTTP resource was found that matches the request URI '{url}'.")


def bad_syntax() -> Refusal:
    return Refusal(400, "BadRequest_NotFound", "Bad Request - Error in query syntax")


def not_found(title: str, key: str) -> Refusal:
    text = f"The {title} does not exist. Identification fields and values: SystemId='{key}'"
    return Refusal(404, "Internal_RecordNotFound", text)


def method_not_allowed(method: str, entity_set: str) -> Refusal:
    text = (
        f"'{method}' requests for '{entity_set}' of EdmType 'Entity' are not allowed within Dynamics 365 "
        "Business Central OData web services."
    )
    return Refusal(405, "BadRequest_MethodNotAllowed", text)


def invalid_token() -> Refusal:
    text = (
        "Could not validate the client concurrency token required by the service. Please provide a valid token in the "
        "client request."
    )
    return Refusal(400, "BadRequest_InvalidToken", text)


def entity_changed() -> Refusal:
    return Refusal(409, "Request_EntityChanged", "Another user has already changed the record.")


def record_locked(table: str) -> Refusal:
    """The lock conflict of bc.md section 6: a 409 that is not staleness."""
    text = (
        f"We can't save your changes right now, because a record in table '{table}' is being updated in a transaction "
        "done by another session.\r\n\r\nYou'll have to wait until the other transaction has completed, which may take "
        "a while. Please try again later."
    )
    return Refusal(409, "Internal_ServerError", text)


def bad_credentials() -> Refusal:
    return Refusal(401, "Authentication_InvalidCredentials", "The server has rejected the client credentials.")


def no_permission(table_id: int, table: str, right: str, status: int) -> Refusal:
    """Text of bc.md section 3; the status is not in the sources, so it is a switch."""
    text = (
        f"Sorry, the current permissions prevented the action. (TableData {table_id} {table} {right}: _Exclude_APIV2_)"
    )
    return Refusal(status, "Internal_ServerError", text)


def too_many(actual: int, maximum: int, retry_after: int | None) -> Refusal:
    """Body from one book; whether 429 carries Retry-After is unknown, so it is a switch (bc.md sections 9 and 20)."""
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    text = f"Too many requests reached. Actual ({actual}). Maximum ({maximum})."
    return Refusal(429, "Application_TooManyRequests", text, headers=headers)
