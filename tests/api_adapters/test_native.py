"""The native API adapter: credentials, requests, responses, errors.

Source: docs/api/native.md, sections 1 and 2.
"""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from bridge import clock
from bridge.api_adapters import native
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
from bridge.models.caller import Caller, Session
from bridge.models.customer import Customer, CustomerResult, Guest
from bridge.models.payment import Payment, PaymentResult
from bridge.models.provider import Failure, NextAction
from bridge.store.access import session_items
from tests.api_adapters.conftest import request_of
from tests.conftest import ROOT
from tests.response_fields import (
    CUSTOMER_FIELDS,
    PAYMENT_FIELDS,
)

pytestmark = pytest.mark.usefixtures("tables")
AT = datetime(2026, 1, 15, 11, 30, 0, 999_999, tzinfo=timezone(timedelta(hours=1)))
OWNER = Caller(user_id="user_1")


def customer(**more: object) -> Customer:
    known = {"id": "cust_1", "uid": "1", "created_at": AT, "updated_at": AT}
    return Customer.model_validate(known | more)


def payment(**more: object) -> Payment:
    known = {
        "id": "pay_1",
        "uid": "1",
        "status": "created",
        "user_id": "user_1",
        "subtotal_cents": 1800,
        "tax_cents": 200,
        "discount_cents": 0,
        "total_cents": 2000,
        "currency": "USD",
        "provider_id": "stripe",
        "client_secret": "pi_1_secret_x",
        "changed_at": AT,
        "created_at": AT,
        "updated_at": AT,
    }
    return Payment.model_validate(known | more)


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
    caller = native.authenticate(with_credentials(PLACES[first:]))
    assert (caller.user_id or caller.guest_of or "").split()[-1] == PLACES[first].split()[-1]
    assert caller.kind == ("guest" if "guest" in PLACES[first] else "user")


@pytest.mark.parametrize("wrong", ["", " ", "nobody's"])
@pytest.mark.parametrize("place", PLACES)
def test_b6_invalid_first_credential_returns_401_without_fallback(
    sessions: None, place: str, wrong: str
) -> None:
    """It falls back neither to the next credential nor to guest access."""
    with pytest.raises(NotAuthenticated) as refused:
        native.authenticate(with_credentials(PLACES, dict.fromkeys(PLACES, wrong)))
    assert refused.value.code == "session_invalid"
    rest = PLACES[PLACES.index(place) :]
    with pytest.raises(NotAuthenticated):
        native.authenticate(with_credentials(rest, {place: wrong}))


@pytest.mark.parametrize(
    "value", ["Basic dXNlcjpwYXNz", "Bearer", "Bearer ", "of bearer", "Token of bearer", "Bearerof"]
)
def test_b6_other_authorization_scheme_returns_401(sessions: None, value: str) -> None:
    with pytest.raises(NotAuthenticated) as refused:
        native.authenticate(with_credentials(PLACES, {"bearer": value}))
    assert (refused.value.status, refused.value.code) == (401, "session_invalid")


@pytest.mark.parametrize("value", ["bearer of bearer", "BEARER   of bearer ", " Bearer of bearer"])
def test_b6_bearer_scheme_is_case_insensitive(sessions: None, value: str) -> None:
    caller = native.authenticate(with_credentials(["bearer"], {"bearer": value}))
    assert caller.user_id == "user by bearer"


def test_b6_request_without_credential_is_nobody() -> None:
    assert native.authenticate(request_of()).is_nobody


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
    assert len(native.authenticate(request_with_id).prefetched) == prefetched


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("a b@example.com", "a+b@example.com"),
        ("a+b@example.com", "a+b@example.com"),
        ("donor@example.com", "donor@example.com"),
    ],
)
def test_b10_read_email_turns_a_space_into_a_plus(given: str, read: str) -> None:
    assert native.read_email(request_of(path_parameters={"email": given})) == read


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
    page = native.read_page(request_of(query))
    assert (page.limit, page.offset) == (limit, offset)
    assert page.organization_id is page.provider_id is page.customer_id is None


@pytest.mark.parametrize(
    "query", ["page=102", "page=10001&limit=1&offset=10001", "limit=500&page=22", "offset=1e3"]
)
def test_read_page_beyond_the_deepest_record_is_refused(query: str) -> None:
    with pytest.raises(InvalidRequest):
        native.read_page(request_of(query))


def test_read_customers_page_of_an_organization_allows_any_offset() -> None:
    deep = "offset=999999999999"
    assert (
        native.read_customers_page(request_of(f"organization_id=o&{deep}")).offset == 999999999999
    )
    with pytest.raises(InvalidRequest):
        native.read_customers_page(request_of(deep))
    with pytest.raises(InvalidRequest):
        native.read_page(request_of(f"organization_id=o&{deep}"))


def test_read_confirmation_accepts_an_empty_body_and_read_new_payment_does_not() -> None:
    assert native.read_confirmation(request_of(method="POST")).payment_method_id is None
    spaces = request_of(method="POST", body=b" \n")
    assert native.read_confirmation(spaces).payment_method_id is None
    with pytest.raises(InvalidRequest):
        native.read_new_payment(request_of(method="POST", caller=OWNER))


def test_render_customer_has_all_fields_with_null_for_unset() -> None:
    body = native.render_customer(customer())
    assert body.keys() == CUSTOMER_FIELDS
    assert {name for name, value in body.items() if value is None} == CUSTOMER_FIELDS - {
        *("id", "is_guest", "metadata", "created_at", "updated_at")
    }
    assert body["created_at"] == "2026-01-15T10:30:00Z"


def test_render_customer_has_guest_email_for_a_guest_only() -> None:
    guest = native.render_customer(customer(is_guest=True, email="a@example.com"))
    assert guest["guest_email"] == guest["email"] == "a@example.com"
    user = native.render_customer(customer(user_id="user_1", email="a@example.com"))
    assert user["guest_email"] is None


def test_b8_new_guest_gets_a_token_that_opens_the_record() -> None:
    made = customer(is_guest=True, email="a@example.com")
    response = native.render_new_customer(CustomerResult(customer=made))
    assert response.status == 201
    assert isinstance(response.body, dict)
    assert guest_tokens.authenticate(response.body["guest_token"]).guest_of == "cust_1"
    of_user = native.render_new_customer(CustomerResult(customer=customer(user_id="user_1")))
    assert isinstance(of_user.body, dict)
    assert "guest_token" not in of_user.body


def test_b17_replayed_response_has_its_header() -> None:
    customer_result = CustomerResult(customer=customer(), replayed=True)
    assert native.render_new_customer(customer_result).headers == {"Idempotent-Replayed": "true"}
    result = PaymentResult(payment=payment(), replayed=True)
    for response in (native.render_new_payment(result), native.render_outcome(OWNER, result)):
        assert response.headers == {"Idempotent-Replayed": "true"}


def test_b20_unknown_outcome_is_202_with_retry_after() -> None:
    result = PaymentResult(payment=payment(), retry_after=7)
    for response in (
        native.render_new_payment(result),
        native.render_outcome(OWNER, result),
    ):
        assert (response.status, response.headers) == (202, {"Retry-After": "7"})


def test_documentation_lists_exactly_the_fields_of_a_payment() -> None:
    page = (ROOT / "docs" / "api" / "native.md").read_text(encoding="utf-8")
    listed = page.partition("\nThe full object is `id, provider_payment_id,")[2].partition("`")[0]
    assert {
        "id",
        "provider_payment_id",
        *listed.replace(",", " ").split(),
    } ^ PAYMENT_FIELDS == set()


def test_render_payment_has_all_fields() -> None:
    whole = payment(
        guest=Guest(email="a@example.com", name="A"),
        user_id=None,
        failure=Failure(code="card_declined", message="No.", decline_code="lost_card"),
        completed_at=AT,
    )
    body = native.render_payment(Caller(guest_of="pay_1"), whole)
    assert body.keys() == PAYMENT_FIELDS
    assert (body["is_guest_payment"], body["guest_email"]) == (True, "a@example.com")
    assert (body["failure_code"], body["failure_message"]) == ("card_declined", "No.")
    assert body["completed_at"] == body["created_at"] == "2026-01-15T10:30:00Z"


def test_b16_next_action_has_a_url_only_for_a_redirect() -> None:
    redirect = NextAction(type="redirect", url="https://bank.test/")
    body = native.render_payment(OWNER, payment(next_action=redirect))
    assert body["next_action"] == {"type": "redirect", "url": "https://bank.test/"}
    browser = payment(next_action=NextAction(type="use_client_secret"))
    assert native.render_payment(OWNER, browser)["next_action"] == {"type": "use_client_secret"}
    assert native.render_payment(OWNER, payment())["next_action"] is None


COLLEAGUE = Caller(user_id="user_2", organizations={"org_1": "owner"})


@pytest.mark.parametrize(
    ("caller", "has_secret"),
    [
        (OWNER, True),
        (Caller(guest_of="pay_1"), True),
        (Caller(guest_of="pay_2"), False),
        (COLLEAGUE, False),
        (Caller(), False),
    ],
)
def test_b15_client_secret_is_rendered_for_owner_and_guest_only(
    caller: Caller, has_secret: bool
) -> None:
    row = payment(organization_id="org_1")
    for body in (
        native.render_payment(caller, row),
        native.render_outcome(caller, PaymentResult(payment=row)).body,
    ):
        assert isinstance(body, dict)
        assert body["client_secret"] == ("pi_1_secret_x" if has_secret else None)
    assert "_secret_" not in str(native.render_payments([row]))


def test_b15_payment_without_user_does_not_belong_to_nobody() -> None:
    """Caller and payment both have no user id, but that does not make the caller the owner."""
    row = payment(user_id=None, guest=Guest(email="a@example.com", name="A"))
    assert native.render_payment(Caller(), row)["client_secret"] is None


def test_b10_guest_listing_has_six_fields() -> None:
    (body,) = native.render_guest_payments([payment(concept="Donation")])
    assert body == {
        "id": "pay_1",
        "status": "created",
        "total_cents": 2000,
        "currency": "USD",
        "concept": "Donation",
        "created_at": "2026-01-15T10:30:00Z",
    }


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
    assert native.render_error(error, "req-1") == body | {"request_id": "req-1"}


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
    response = native.render_unmatched(request_of(query, path=path))
    assert (response.status, response.headers) == (308, {"Location": location})


def test_render_unmatched_returns_404_for_any_other_path() -> None:
    response = native.render_unmatched(request_of(path="/bridge-payment/nothing"))
    assert isinstance(response, Response)
    assert response.status == 404
    assert isinstance(response.body, dict)
    assert (response.body["code"], response.body["request_id"]) == ("not_found", "req-1")


def test_render_payment_shows_times_in_utc() -> None:
    west = AT.astimezone(timezone(timedelta(hours=-8)))
    body = native.render_payment(OWNER, payment(created_at=west, updated_at=AT.astimezone(UTC)))
    assert body["created_at"] == body["updated_at"] == "2026-01-15T10:30:00Z"
