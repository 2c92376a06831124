"""What the endpoints of the native API share: credentials, ids, pages, errors.

Source: docs/api/native.md, sections 1 and 2.
"""

from datetime import timedelta

import pytest

from bridge import clock
from bridge.api_adapters.native import wire
from bridge.authentication import guest_tokens
from bridge.errors import (
    BridgeError,
    Conflict,
    Detail,
    InvalidRequest,
    NotAuthenticated,
    PaymentDeclined,
)
from bridge.inbound import Request, Response
from bridge.models.caller import Session
from bridge.store.access import session_items
from tests.api_adapters.conftest import request_of

pytestmark = pytest.mark.usefixtures("tables")


@pytest.fixture
def sessions() -> None:
    for name in ("bearer", "header", "query"):
        ends = clock.now() + timedelta(hours=1)
        session_items.put(f"of {name}", Session(user_id=f"user by {name}", expires_at=ends))


PLACES = ["bearer", "header", "query", "guest header", "guest query"]


def with_credentials(places: list[str], wrong: dict[str, str] | None = None) -> Request:
    """A request with a valid credential in each of these places, or with the given wrong one."""
    given = {
        "bearer": "Bearer of bearer",
        "header": "of header",
        "query": "of query",
        "guest header": guest_tokens.issue("guest by header"),
        "guest query": guest_tokens.issue("guest by query"),
    } | (wrong or {})
    headers = {"bearer": "authorization", "header": "x-session-id", "guest header": "x-guest-token"}
    queries = {"query": "session_id", "guest query": "guest_token"}
    return request_of(
        "&".join(f"{name}={given[place]}" for place, name in queries.items() if place in places),
        headers={name: given[place] for place, name in headers.items() if place in places},
    )


@pytest.mark.parametrize("first", range(5))
def test_b6_first_present_credential_decides(sessions: None, first: int) -> None:
    caller = wire.authenticate(with_credentials(PLACES[first:]))
    assert (caller.user_id or caller.guest_of or "").split()[-1] == PLACES[first].split()[-1]
    assert caller.kind == ("guest" if "guest" in PLACES[first] else "user")


@pytest.mark.parametrize("wrong", ["", " ", "nobody's"])
@pytest.mark.parametrize("place", PLACES)
def test_b6_invalid_first_credential_returns_401_without_fallback(
    sessions: None, place: str, wrong: str
) -> None:
    """It falls back neither to the next credential nor to guest access."""
    with pytest.raises(NotAuthenticated) as refused:
        wire.authenticate(with_credentials(PLACES, dict.fromkeys(PLACES, wrong)))
    assert refused.value.code == "session_invalid"
    rest = PLACES[PLACES.index(place) :]
    with pytest.raises(NotAuthenticated):
        wire.authenticate(with_credentials(rest, {place: wrong}))


@pytest.mark.parametrize(
    "value", ["Basic dXNlcjpwYXNz", "Bearer", "Bearer ", "of bearer", "Token of bearer", "Bearerof"]
)
def test_b6_other_authorization_scheme_returns_401(sessions: None, value: str) -> None:
    with pytest.raises(NotAuthenticated) as refused:
        wire.authenticate(with_credentials(PLACES, {"bearer": value}))
    assert (refused.value.status, refused.value.code) == (401, "session_invalid")


@pytest.mark.parametrize("value", ["bearer of bearer", "BEARER   of bearer ", " Bearer of bearer"])
def test_b6_bearer_scheme_is_case_insensitive(sessions: None, value: str) -> None:
    caller = wire.authenticate(with_credentials(["bearer"], {"bearer": value}))
    assert caller.user_id == "user by bearer"


def test_b6_request_without_credential_is_nobody() -> None:
    assert wire.authenticate(request_of()).is_nobody


@pytest.mark.parametrize(
    ("path", "identifier", "prefetched"),
    [
        ("/bridge-payment/payments/{id}", "pay_404", 2),
        ("/bridge-payment/customers/{id}", "cust_404", 1),
        ("/bridge-payment/payments/{id}", "pi_404", 3),
        ("/bridge-payment/payments/{id}", "no id!", 0),
    ],
)
def test_authenticate_prefetches_the_record_of_the_path(
    sessions: None, path: str, identifier: str, prefetched: int
) -> None:
    request_with_id = request_of(
        headers={"x-session-id": "of header"}, path=path, path_parameters={"id": identifier}
    )
    assert len(wire.authenticate(request_with_id).prefetched) == prefetched


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("a b@example.com", "a+b@example.com"),
        ("a+b@example.com", "a+b@example.com"),
        ("donor@example.com", "donor@example.com"),
    ],
)
def test_b10_read_email_turns_a_space_into_a_plus(given: str, read: str) -> None:
    assert wire.read_email(request_of(path_parameters={"email": given})) == read


@pytest.mark.parametrize(
    ("query", "limit", "offset"),
    [
        ("", 100, 0),
        ("limit=1", 1, 0),
        ("limit=500&offset=10000", 500, 10_000),
        ("page=3", 100, 200),
        ("page=3&limit=10", 10, 20),
        ("page=3&offset=5", 100, 5),
        ("page=101", 100, 10_000),
    ],
)
def test_read_page_uses_limit_and_offset_or_page(query: str, limit: int, offset: int) -> None:
    page = wire.read_page(request_of(query))
    assert (page.limit, page.offset) == (limit, offset)
    assert page.organization_id is page.provider_id is page.customer_id is None


@pytest.mark.parametrize(
    "query", ["page=102", "page=10001&limit=1&offset=10001", "limit=500&page=22", "offset=1e3"]
)
def test_read_page_beyond_the_deepest_record_is_refused(query: str) -> None:
    with pytest.raises(InvalidRequest):
        wire.read_page(request_of(query))


def test_read_customers_page_of_an_organization_allows_any_offset() -> None:
    deep = "offset=999999999999"
    assert wire.read_customers_page(request_of(f"organization_id=o&{deep}")).offset == 999999999999
    with pytest.raises(InvalidRequest):
        wire.read_customers_page(request_of(deep))
    with pytest.raises(InvalidRequest):
        wire.read_page(request_of(f"organization_id=o&{deep}"))


def test_b17_replayed_is_a_header_of_stored_responses_only() -> None:
    assert wire.replayed(is_replayed=True) == {"Idempotent-Replayed": "true"}
    assert wire.replayed(is_replayed=False) == {}


@pytest.mark.parametrize(
    ("error", "body"),
    [
        (BridgeError("something"), {"error": "something", "code": "internal_error"}),
        (
            InvalidRequest("2 fields", details=[Detail("a.b", "is x"), Detail("c", "is y")]),
            {
                "error": "2 fields",
                "code": "validation_failed",
                "details": [
                    {"field": "a.b", "message": "is x"},
                    {"field": "c", "message": "is y"},
                ],
            },
        ),
        (
            Conflict("wait", code="payment_in_progress", retry_after=5),
            {"error": "wait", "code": "payment_in_progress"},
        ),
        (
            PaymentDeclined("No.", decline_code="lost_card", payment_id="pay_1"),
            {
                "error": "No.",
                "code": "payment_declined",
                "decline_code": "lost_card",
                "payment_id": "pay_1",
            },
        ),
    ],
)
def test_b5_render_error_has_one_form(error: BridgeError, body: dict[str, object]) -> None:
    assert wire.render_error(error, "req-1") == body | {"request_id": "req-1"}


@pytest.mark.parametrize(
    ("path", "query", "location"),
    [
        ("/bridge-payment//payments/", "", "/bridge-payment/payments"),
        ("/a/", "x=1&y=%2F", "/a?x=1&y=%2F"),
        ("//host.test/x", "", "/host.test/x"),
        ("/ü//", "", "/%C3%BC"),
    ],
)
def test_render_unmatched_redirects_a_stray_slash_to_the_clean_path(
    path: str, query: str, location: str
) -> None:
    response = wire.render_unmatched(request_of(query, path=path))
    assert (response.status, response.headers) == (308, {"Location": location})


def test_render_unmatched_returns_404_for_any_other_path() -> None:
    response = wire.render_unmatched(request_of(path="/bridge-payment/nothing"))
    assert isinstance(response, Response)
    assert response.status == 404
    assert isinstance(response.body, dict)
    assert (response.body["code"], response.body["request_id"]) == ("not_found", "req-1")
