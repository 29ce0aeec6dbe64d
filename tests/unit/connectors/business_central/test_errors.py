"""The table from wire answer to decision."""

from __future__ import annotations

from typing import Any

import pytest

from isthmus.connectors.dynamics.business_central.errors import clean, judge
from isthmus.errors import ConfigurationError, IsthmusError, Reject, Retry, SignInFailed, Stale, Uncertain


def body(code: str, message: str = "text") -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


@pytest.mark.parametrize(
    ("status", "code", "read", "write"),
    [
        (400, "Application_DialogException", Reject, Reject),
        (400, "Internal_InvalidTableRelation", Reject, Reject),
        (400, "Internal_EntityWithSameKeyExists", Reject, Reject),
        (400, "BadRequest_InvalidToken", Stale, Stale),
        (401, "Authentication_InvalidCredentials", SignInFailed, SignInFailed),
        (401, "", SignInFailed, SignInFailed),
        (403, "", SignInFailed, SignInFailed),
        (404, "Internal_RecordNotFound", Reject, Reject),
        (404, "BadRequest_NotFound", Retry, Retry),
        (404, "Internal_CompanyNotFound", ConfigurationError, ConfigurationError),
        (405, "BadRequest_MethodNotAllowed", Reject, Reject),
        (408, "", Retry, Uncertain),
        (409, "Request_EntityChanged", Stale, Stale),
        (412, "", Stale, Stale),
        (409, "Internal_ServerError", Retry, Retry),
        (409, "SomethingNew", Retry, Uncertain),
        (429, "", Retry, Retry),
        (400, "Application_TooManyRequests", Retry, Retry),
        (500, "Internal_ServerError", Retry, Uncertain),
        (502, "", Retry, Uncertain),
        (503, "", Retry, Uncertain),
        (504, "", Retry, Uncertain),
        (599, "", Retry, Uncertain),
        (418, "", Retry, Uncertain),
    ],
)
def test_status_and_code_decide(status: int, code: str, read: type[IsthmusError], write: type[IsthmusError]) -> None:
    for writes, kind in ((False, read), (True, write)):
        error = judge(status, {}, body(code), writes)
        assert type(error) is kind, (writes, error)


def test_a_lock_is_not_staleness() -> None:
    error = judge(409, {}, body("Internal_ServerError", "We can't save your changes right now"), True)
    assert error is not None
    assert (error.code, error.next_step) == ("locked", "retry")


@pytest.mark.parametrize("text", ["Another user has already changed the record.", "Ein anderer Benutzer …", ""])
def test_the_language_of_the_text_changes_no_decision(text: str) -> None:
    assert type(judge(409, {}, body("Request_EntityChanged", text), True)) is Stale


def test_an_answer_that_is_no_error_object_is_judged_by_its_status() -> None:
    assert type(judge(502, {}, None, True)) is Uncertain
    assert type(judge(400, {}, "<html>", True)) is Reject


def test_the_wait_asked_for_travels_along() -> None:
    error = judge(503, {"retry-after": "30"}, None, False)
    assert isinstance(error, Retry)
    assert error.after == 30


def test_people_read_one_line_without_correlation_id() -> None:
    text = "Document No. G001 is out of balance by 10. Please check.  CorrelationId:  1234-5678.\r\nmore"
    assert clean(text) == "Document No. G001 is out of balance by 10. Please check."
    assert clean("first\r\nsecond") == "first"
    assert len(clean("x" * 5000)) == 300


def test_what_worked_is_no_error() -> None:
    assert judge(204, {}, None, True) is None
