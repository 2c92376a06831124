"""What the endpoints of the payments.ai API share. Source: docs/api/payments-ai.md, section 1."""

from typing import Any

import pytest

from bridge.api_adapters.payments_ai import wire
from bridge.errors import (
    BridgeError,
    Conflict,
    Detail,
    Forbidden,
    InvalidRequest,
    NotAuthenticated,
    NotFound,
)
from bridge.inbound import Request
from bridge.models.page import OffsetPage
from tests.api_adapters.conftest import ERRORS, request_of
from tests.store.conftest import put_credential

KEY = "acct_1_s3cr3t_kid1"
SUFFIX = "01kjpx8se0eassyq0akmxqwk11"


def with_headers(*, organization_id: str = "org_1", **headers: str) -> Request:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return request_of(headers=names, path_parameters={"organization_id": organization_id})


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"ApiKey {KEY}"},
        {"authorization": f" APIKEY   {KEY} "},
        {"reb_apikey": KEY},
        {"reb_apikey": "another", "authorization": f"ApiKey {KEY}"},
    ],
)
def test_p4_key_is_accepted_in_either_header(headers: dict[str, str]) -> None:
    put_credential("api_key", KEY)
    assert wire.authenticate(with_headers(**headers)).key_of == "org_1"


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {KEY}"},
        {"authorization": KEY},
        {"authorization": "ApiKey"},
        {"authorization": "ApiKey another"},
        {"reb_apikey": ""},
        {"authorization": "", "reb_apikey": KEY},
    ],
)
def test_invalid_key_is_refused(headers: dict[str, str]) -> None:
    put_credential("api_key", KEY)
    with pytest.raises(NotAuthenticated):
        wire.authenticate(with_headers(**headers))


@pytest.mark.usefixtures("tables")
def test_key_of_another_organization_is_forbidden() -> None:
    put_credential("api_key", KEY)
    with pytest.raises(Forbidden):
        wire.authenticate(with_headers(organization_id="org_2", authorization=f"ApiKey {KEY}"))


def test_request_without_key_is_nobody() -> None:
    assert wire.authenticate(with_headers()).is_nobody


def test_read_customer_id_returns_our_id() -> None:
    request = request_of(path_parameters={"id": f"cus_{SUFFIX}"})
    assert wire.read_customer_id(request) == f"cust_{SUFFIX}"


@pytest.mark.parametrize("given", ["", SUFFIX, f"cust_{SUFFIX}", f"cus_{SUFFIX}0", "cus_1"])
def test_read_customer_id_of_another_form_is_not_found(given: str) -> None:
    with pytest.raises(NotFound):
        wire.read_customer_id(request_of(path_parameters={"id": given}))


def test_p29_read_run_scopes_the_client_key_to_the_path() -> None:
    def key_of(path: str, key: str = "k") -> str:
        request = request_of(method="POST", path=path, headers={"idempotency-key": key}, body={})
        client_key = wire.read_run(request).client_key
        assert client_key
        return client_key.key

    assert key_of("/a") == key_of("/a/") != key_of("/b")
    assert key_of("/a", "k" * 100) != key_of("/a")
    assert wire.read_run(request_of(method="POST")).client_key is None


@pytest.mark.parametrize("key", ["", "k" * 101])
def test_read_run_refuses_an_empty_or_long_key(key: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        wire.read_run(request_of(method="POST", headers={"idempotency-key": key}))
    assert refused.value.details == [Detail("Idempotency-Key", "must be 1 to 100 characters")]


@pytest.mark.parametrize(
    ("query", "limits"),
    [
        ({}, (20, 0)),
        ({"limit": "0"}, (0, 0)),
        ({"limit": "1000", "offset": "000005"}, (1000, 5)),
        ({"offset": "9" * 15}, (20, 999_999_999_999_999)),
    ],
)
def test_limits_of_reads_limit_and_offset(query: dict[str, str], limits: tuple[int, int]) -> None:
    errors: list[Detail] = []
    assert (wire.limits_of(query, errors), errors) == (limits, [])


@pytest.mark.parametrize("value", ["", "-1", "1.5", "x", "1e2", "٣", "9" * 16])
def test_limits_of_reports_every_invalid_number(value: str) -> None:
    errors: list[Detail] = []
    wire.limits_of({"limit": value, "offset": value}, errors)
    assert [error.field for error in errors] == ["limit", "offset"]


def test_render_page_has_its_numbers_in_headers() -> None:
    response = wire.render_page(OffsetPage(limit=2, offset=4), [{"a": 1}], 7)
    assert (response.status, response.body) == (200, [{"a": 1}])
    assert response.headers == wire.JSON | {
        "Pagination-Total": "7",
        "Pagination-Limit": "2",
        "Pagination-Offset": "4",
    }


@pytest.mark.parametrize(
    ("path", "query", "location"),
    [("/v1/customers/", "", "/v1/customers"), ("//v1//customers", "a=%20", "/v1/customers?a=%20")],
)
def test_render_unmatched_redirects_a_stray_slash_to_the_clean_path(
    path: str, query: str, location: str
) -> None:
    response = wire.render_unmatched(request_of(query, path=path))
    assert (response.status, response.headers["Location"]) == (308, location)


def test_render_unmatched_returns_404_for_any_other_path() -> None:
    response = wire.render_unmatched(request_of(path="/v1/nothing"))
    body: Any = response.body
    assert (response.status, body["errorCode"]) == (404, "NOT_FOUND")


ANSWERS: dict[str, tuple[int, str, str, str | None]] = {  # status, code, message, details
    "invalid_json": (400, "BAD_REQUEST", "Bad request", "body: must be valid JSON"),
    "validation_failed": (400, "BAD_REQUEST", "Bad request", "name: is odd"),
    "credential_invalid": (401, "UNAUTHORIZED", "Missing auth token", None),
    "authentication_required": (401, "UNAUTHORIZED", "Missing auth token", None),
    "forbidden": (403, "FORBIDDEN", "Forbidden access", None),
    "not_found": (404, "NOT_FOUND", "Resource not found", None),
    "customer_deleted": (409, "CONFLICT", "Conflict", "customer is deleted"),
    "body_too_large": (413, "PAYLOAD_TOO_LARGE", "Request entity too large", None),
    "rate_limited": (429, "TOO_MANY_REQUESTS", "Too many requests", None),
    "internal_error": (500, "INTERNAL_ERROR", "Internal server error", None),
    "auth_unavailable": (500, "INTERNAL_ERROR", "Internal server error", None),
    "temporarily_unavailable": (500, "INTERNAL_ERROR", "Internal server error", None),
}


@pytest.mark.parametrize("name", ERRORS)
def test_p12_render_error_gives_every_error_its_code(name: str) -> None:
    status, code, message, details = ANSWERS[name]
    response = wire.render_error(ERRORS[name], "r")
    body = {"errorCode": code, "statusCode": status, "message": message}
    assert response.status == status
    assert response.body == body | ({"details": details} if details else {})
    assert response.headers == {"Content-Type": "application/json; charset=utf-8"}


@pytest.mark.parametrize(
    ("error", "status", "details"),
    [
        (
            Conflict("x", code="idempotency_key_reused"),
            409,
            "Idempotency-Key: was used with another request",
        ),
        (
            Conflict("x", code="custom_field_type_fixed"),
            409,
            "typeSchema.type: cannot be changed",
        ),
        (InvalidRequest("x", details=[Detail("a", "b"), Detail("c.d", "e")]), 400, "a: b; c.d: e"),
        (
            InvalidRequest("x", details=[Detail("custom_fields.a_b.c", "is wrong")]),
            400,
            "customFields.a_b.c: is wrong",
        ),
        (
            InvalidRequest("x", details=[Detail("constraints.max_length", "is wrong")]),
            400,
            "typeSchema.additionalSchema.maxLength: is wrong",
        ),
        (InvalidRequest("x", details=[Detail("a", "b")] * 11), 400, "; ".join(["a: b"] * 10)),
    ],
)
def test_p30_render_error_of_a_400_or_409_has_its_details_as_a_text(
    error: BridgeError, status: int, details: str
) -> None:
    response = wire.render_error(error, "r")
    assert isinstance(response.body, dict)
    assert (response.status, response.body["details"]) == (status, details)
