"""POST /bridge-payment/payments/intents. Source: docs/api/native.md, sections 1, 2 and 4."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from functions.native.create_payment_intent.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import (
    GUEST,
    LONG_KEY,
    TIME,
    ULID,
    USD_20,
    Api,
    Reply,
)
from tests.response_fields import (
    PAYMENT_FIELDS,
)

Setting = Callable[[str, str], None]
Later = Callable[[float], None]
HOUR = 3600
FIFTY = {f"key {number}": f"value {number}" for number in range(50)}


def test_create_payment_with_event_file_returns_documented_intent(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/create_payment_intent")
    assert reply.status == 201
    assert reply.body.keys() == PAYMENT_FIELDS
    documented = {
        "status": "created",
        "subtotal_cents": 1800,
        "tax_cents": 200,
        "discount_cents": 0,
        "total_cents": 2000,
        "currency": "USD",
        "provider_id": "stripe",
        "concept": "Premium Subscription",
        "description": "Monthly premium plan",
        "setup_future_usage": "off_session",
        "is_guest_payment": False,
    }
    assert documented.items() <= reply.body.items()
    assert re.fullmatch(f"pay_{ULID}", reply.body["id"])
    assert reply.body["client_secret"].startswith(reply.body["provider_payment_id"] + "_secret_")
    assert TIME.fullmatch(reply.body["created_at"])


def test_create_payment_with_documented_guest_donation_returns_guest_token(guest: Api) -> None:
    body = {
        "subtotal_cents": 5000,
        "tax_cents": 500,
        "total_cents": 5500,
        "currency": "USD",
        "concept": "Donation",
        "provider_id": "stripe",
        "guest_data": GUEST,
    }
    reply = guest.post("/payments/intents", body)
    assert reply.status == 201
    assert reply.body.keys() == PAYMENT_FIELDS | {"guest_token"}
    assert (reply.body["is_guest_payment"], reply.body["guest_email"]) == (True, GUEST["email"])
    assert reply.body["user_id"] is reply.body["customer_id"] is None


def test_create_payment_sends_amount_customer_and_metadata_to_provider(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    payment = api.payment(
        description="A plan",
        reference_code="R-1",
        setup_future_usage="off_session",
        capture_method="manual",
        metadata={"order": 7, "gift": True},
    )
    customer, intent = stripe_simulator.requests
    assert (customer.operation, intent.operation) == ("create_customer", "create_payment")
    assert intent.headers["Idempotency-Key"] == payment["id"].removeprefix("pay_") + ".1"
    assert intent.form == {
        "amount": "2000",
        "currency": "usd",
        "automatic_payment_methods[enabled]": "true",
        "capture_method": "manual",
        "customer": stripe_simulator.customers()[0]["id"],
        "description": "A plan",
        "setup_future_usage": "off_session",
        "metadata[payment_id]": payment["id"],
        "metadata[reference_code]": "R-1",
        "metadata[order]": "7",
        "metadata[gift]": "true",
        "expand[0]": "latest_charge",
    }


def test_create_payment_stores_and_returns_all_texts(api: Api) -> None:
    texts: dict[str, Any] = {
        "description": "line\n\tnext",
        "concept": "c" * 200,
        "reference_code": "r" * 100,
        "category": "g" * 100,
        "tags": "t" * 500,
        "statement_descriptor": "Order 1234567890 #(22)",
        "project_id": "project_1",
        "metadata": FIFTY,
    }
    payment = api.payment(**texts)
    assert texts.items() <= payment.items()
    assert api.get(f"/payments/{payment['id']}").body == payment


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("description", "d" * 1001),
        ("description", "bell\u0007"),
        ("concept", "c" * 201),
        ("concept", "line\nnext"),
        ("reference_code", "r" * 101),
        ("category", "g" * 101),
        ("tags", "t" * 501),
        ("tags", ["a"]),
        ("statement_descriptor", "shoe"),
        ("statement_descriptor", "12345"),
        ("statement_descriptor", "a star*"),
        ("statement_descriptor", "d" * 23),
        ("setup_future_usage", "always"),
        ("capture_method", "later"),
        ("metadata", {"a": [1]}),
        ("currency", 5),
        ("provider_id", "square"),
        ("guest_data", "me"),
    ],
)
def test_b4_create_payment_with_invalid_field_returns_400_on_field(
    api: Api, field: str, value: object
) -> None:
    reply = api.post("/payments/intents", USD_20 | {field: value})
    assert (reply.status, reply.code) == (400, "validation_failed")
    assert {each.split(".")[0] for each in reply.fields} == {field}


def test_b4_create_payment_keeps_50_metadata_keys_and_sends_50_with_ours(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    payment = api.payment(metadata=FIFTY, reference_code="R-1")
    assert payment["metadata"] == FIFTY
    stripe_metadata = stripe_simulator.intents()[0]["metadata"]
    assert isinstance(stripe_metadata, dict)
    assert len(stripe_metadata) == 50
    assert (stripe_metadata["payment_id"], stripe_metadata["reference_code"]) == (
        payment["id"],
        "R-1",
    )


def test_b5_create_payment_reports_all_invalid_fields(api: Api) -> None:
    wrong = {"total_cents": "20", "tax_cents": -1, "currency": "XXQ", "guest_data": {"phone": "1"}}
    reply = api.post("/payments/intents", wrong)
    assert reply.status == 400
    missing = {"guest_data.email", "guest_data.name", "guest_data.phone"}
    assert reply.fields == {"total_cents", "tax_cents", "currency"} | missing


@pytest.mark.parametrize(
    ("given", "sums"),
    [
        ({"total_cents": 2000}, (2000, 0, 0, 2000)),
        ({"subtotal_cents": 2000}, (2000, 0, 0, 2000)),
        ({"subtotal_cents": 1800, "tax_cents": 200, "total_cents": 2000}, (1800, 200, 0, 2000)),
        ({"subtotal_cents": 1800, "tax_cents": 200}, (1800, 200, 0, 2000)),
        ({"tax_cents": 200, "total_cents": 2000}, (1800, 200, 0, 2000)),
        ({"subtotal_cents": 1000, "tax_cents": 100, "discount_cents": 50}, (1000, 100, 50, 1050)),
        ({"discount_cents": 500, "total_cents": 1500}, (2000, 0, 500, 1500)),
        ({"subtotal_cents": 0, "tax_cents": 99}, (0, 99, 0, 99)),
    ],
)
def test_b14_missing_amounts_are_computed(
    api: Api, given: dict[str, int], sums: tuple[int, ...]
) -> None:
    payment = api.payment(**{"total_cents": None} | given)
    names = ("subtotal_cents", "tax_cents", "discount_cents", "total_cents")
    assert tuple(payment[name] for name in names) == sums


def test_b14_amounts_that_do_not_add_up_return_400_with_right_sum(api: Api) -> None:
    body = USD_20 | {"subtotal_cents": 1800, "tax_cents": 300, "discount_cents": 50}
    reply = api.post("/payments/intents", body)
    assert (reply.status, reply.code) == (400, "amount_mismatch")
    assert "2050" in reply.body["error"]


@pytest.mark.parametrize("amount", [True, "2000", 20.5, 2000.0, -1, 1_000_000_000_000, [], {}])
@pytest.mark.parametrize("name", ["subtotal_cents", "tax_cents", "discount_cents", "total_cents"])
def test_b14_invalid_amount_returns_400_on_field(api: Api, name: str, amount: object) -> None:
    reply = api.post("/payments/intents", USD_20 | {name: amount})
    assert (reply.status, reply.code, reply.fields) == (400, "validation_failed", {name})


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"tax_cents": 5}, "total_cents"),  # neither subtotal nor total
        ({"total_cents": 0}, "total_cents"),
        ({"subtotal_cents": 0}, "total_cents"),
        ({"subtotal_cents": 10, "discount_cents": 10}, "total_cents"),
        ({"subtotal_cents": 10, "discount_cents": 11}, "discount_cents"),
        ({"total_cents": 100, "tax_cents": 200}, "total_cents"),
        ({"subtotal_cents": 999_999_999_999, "tax_cents": 1}, "total_cents"),
    ],
)
def test_b14_impossible_amounts_return_400_on_field(
    api: Api, given: dict[str, int], field: str
) -> None:
    reply = api.post("/payments/intents", {"currency": "USD"} | given)
    assert (reply.status, reply.fields) == (400, {field})


@pytest.mark.parametrize("currency", ["usd", "Usd", "USD"])
def test_b14_currency_in_any_case_is_stored_in_upper_case(api: Api, currency: str) -> None:
    assert api.payment(currency=currency)["currency"] == "USD"


@pytest.mark.parametrize("currency", ["XXX", "XAU", "USDT", "", "ÜSD", "DEM"])
def test_b14_invalid_currency_returns_400_on_field(api: Api, currency: str) -> None:
    reply = api.post("/payments/intents", USD_20 | {"currency": currency})
    assert (reply.status, reply.fields) == (400, {"currency"})


@pytest.mark.parametrize(
    ("currency", "cents", "units"),
    [("JPY", 2000, 2000), ("ISK", 2000, 200_000), ("KWD", 5010, 5010)],
)
def test_amount_is_stored_in_minor_unit_and_converted_for_provider(
    api: Api, stripe_simulator: StripeSimulator, currency: str, cents: int, units: int
) -> None:
    payment = api.payment(total_cents=cents, currency=currency)
    assert payment["total_cents"] == cents
    assert stripe_simulator.intents()[0]["amount"] == units


@pytest.mark.parametrize(("currency", "cents"), [("KWD", 5011), ("MGA", 5050), ("IQD", 5000)])
def test_amount_not_representable_returns_400_without_provider_call(
    api: Api, stripe_simulator: StripeSimulator, currency: str, cents: int
) -> None:
    reply = api.post("/payments/intents", {"total_cents": cents, "currency": currency})
    assert (reply.status, reply.code) == (400, "amount_not_representable")
    assert stripe_simulator.requests == []
    assert api.get("/payments").body == []


def test_creation_refused_by_provider_returns_400_and_is_listed_as_failed(api: Api) -> None:
    reply = api.post("/payments/intents", {"total_cents": 3, "currency": "USD"})
    assert (reply.status, reply.fields) == (400, {"total_cents"})
    (listed,) = api.get("/payments").body
    assert (listed["status"], listed["failure_code"]) == ("failed", "amount_too_small")
    confirmed = api.confirm(listed, {"payment_method_id": "pm_card_visa"})
    assert (confirmed.status, confirmed.code) == (409, "payment_not_confirmable")


def test_b15_client_secret_is_returned_for_24_hours(api: Api, later: Later) -> None:
    payment = api.payment()
    secret = payment["client_secret"]
    later(24 * HOUR - 10)
    assert api.get(f"/payments/{payment['id']}").body["client_secret"] == secret
    assert api.sync(payment).body["client_secret"] == secret
    later(20)
    assert api.get(f"/payments/{payment['id']}").body["client_secret"] is None
    assert api.sync(payment).body["client_secret"] is None


def test_b15_client_secret_is_returned_only_to_owner_or_guest(
    api: Api, guest: Api, signed_in: Callable[..., Api]
) -> None:
    shared = api.payment(organization_id="org_456")
    colleague = signed_in("user_1", org_456="admin")
    assert api.get(f"/payments/{shared['id']}").body["client_secret"] == shared["client_secret"]
    assert colleague.get(f"/payments/{shared['id']}").body["client_secret"] is None
    assert colleague.sync(shared).body["client_secret"] is None
    payment = guest.payment(guest_data=GUEST)
    with_token = guest.with_headers(x_guest_token=payment["guest_token"])
    assert (
        with_token.get(f"/payments/{payment['id']}").body["client_secret"]
        == payment["client_secret"]
    )


def test_b15_client_secret_is_never_listed_and_deleted_with_final_status(api: Api) -> None:
    payment = api.payment()
    assert api.get("/payments").body[0]["client_secret"] is None
    assert api.confirm(payment, {"payment_method_id": "pm_card_visa"}).body["client_secret"] is None
    assert api.get(f"/payments/{payment['id']}").body["client_secret"] is None


def test_b8_create_payment_without_credential_and_guest_data_returns_401(guest: Api) -> None:
    reply = guest.post("/payments/intents", USD_20)
    assert (reply.status, reply.code) == (401, "authentication_required")


def test_b8_guest_token_opens_only_its_payment(api: Api, guest: Api) -> None:
    mine, other = guest.payment(guest_data=GUEST), guest.payment(guest_data=GUEST)
    with_token = guest.with_headers(x_guest_token=mine["guest_token"])
    assert with_token.sync(mine).status == 200
    for theirs in (other, api.payment()):
        assert with_token.get(f"/payments/{theirs['id']}").status == 404
        assert with_token.sync(theirs).status == 404
        assert with_token.confirm(theirs).status == 404
    assert with_token.get("/payments").status == 401
    assert with_token.put(f"/payments/intents/{mine['id']}", {"concept": "x"}).status == 401
    assert with_token.confirm(mine, {"payment_method_id": "pm_card_visa"}).status == 200


def test_b8_guest_data_with_session_only_fills_missing_fields(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    payment = api.payment(guest_data=GUEST)
    assert (payment["is_guest_payment"], payment["guest_email"]) == (False, None)
    assert payment["user_id"] == "user_456"
    customer = stripe_simulator.customers()[0]
    assert (customer["email"], customer["phone"]) == ("user_456@example.com", GUEST["phone"])


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 201), ("admin", 201), ("billing", 201), ("member", 403)]
)
def test_b9_create_payment_in_organization_needs_writing_role(
    signed_in: Callable[..., Api], role: str, status: int
) -> None:
    body = USD_20 | {"organization_id": "org_1"}
    assert signed_in("user_1", org_1=role).post("/payments/intents", body).status == status
    assert signed_in("user_2").post("/payments/intents", body).status == 403


def test_guest_creations_above_limit_return_429(guest: Api, setting: Setting) -> None:
    setting("GUEST_CREATIONS_PER_HOUR", "1")
    guest.payment(guest_data=GUEST)
    reply = guest.post("/payments/intents", USD_20 | {"guest_data": GUEST})
    assert (reply.status, reply.code) == (429, "rate_limited")
    assert 0 < int(reply.headers["retry-after"]) <= HOUR


def test_create_payment_with_unavailable_provider_returns_400_on_field(api: Api) -> None:
    for closed in ("paypal", "authorize_net"):
        reply = api.post("/payments/intents", USD_20 | {"provider_id": closed})
        assert (reply.status, reply.fields) == (400, {"provider_id"})


def test_b17_create_payment_with_same_key_is_replayed_for_24_hours(
    api: Api, stripe_simulator: StripeSimulator, later: Later
) -> None:
    keyed = api.with_headers(idempotency_key="k1")
    first, again = (keyed.post("/payments/intents", USD_20) for _ in range(2))
    assert (first.status, first.replayed) == (201, False)
    assert (again.status, again.replayed) == (201, True)
    assert again.body == first.body
    later(23 * HOUR)
    later_on = keyed.post("/payments/intents", USD_20)
    assert (later_on.replayed, later_on.body) == (True, first.body)
    assert len(stripe_simulator.intents()) == len(api.get("/payments").body) == 1
    later(2 * HOUR)
    fresh = keyed.post("/payments/intents", USD_20)
    assert (fresh.status, fresh.replayed) == (201, False)
    assert fresh.body["id"] != first.body["id"]


def test_b17_replay_after_final_status_has_no_client_secret(api: Api) -> None:
    keyed = api.with_headers(idempotency_key="k1")
    payment = keyed.payment()
    api.confirm(payment, {"payment_method_id": "pm_card_visa"})
    again = keyed.post("/payments/intents", USD_20)
    assert again.replayed
    assert again.body == payment | {"client_secret": None}


def test_b17_same_key_with_other_body_returns_409(api: Api) -> None:
    keyed = api.with_headers(idempotency_key="k1")
    keyed.payment()
    reply = keyed.post("/payments/intents", USD_20 | {"total_cents": 3000})
    assert (reply.status, reply.code) == (409, "idempotency_key_reused")


def test_b17_failed_responses_are_not_stored(api: Api, stripe_simulator: StripeSimulator) -> None:
    keyed = api.with_headers(idempotency_key="k1")
    assert keyed.post("/payments/intents", {"currency": "USD"}).status == 400
    assert keyed.post("/payments/intents", {"total_cents": 3, "currency": "USD"}).status == 400
    stripe_simulator.fault("create_payment", "401", times=2)
    assert keyed.post("/payments/intents", USD_20).status == 502
    reply = keyed.post("/payments/intents", USD_20)
    assert (reply.status, reply.replayed) == (201, False)


def test_b17_guest_key_needs_20_characters_and_replay_has_valid_token(
    guest: Api, stripe_simulator: StripeSimulator
) -> None:
    body = USD_20 | {"guest_data": GUEST}
    short = guest.with_headers(idempotency_key="k" * 19).post("/payments/intents", body)
    assert (short.status, short.fields) == (400, {"Idempotency-Key"})
    keyed = guest.with_headers(idempotency_key=LONG_KEY)
    first, again = keyed.post("/payments/intents", body), keyed.post("/payments/intents", body)
    assert (again.status, again.replayed) == (201, True)
    with_token = guest.with_headers(x_guest_token=again.body["guest_token"])
    assert with_token.get(f"/payments/{first.body['id']}").status == 200
    assert len(stripe_simulator.intents()) == 1


def test_b18_payments_of_user_share_customer_of_first_payment(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    first, second = api.payment(), api.payment()
    assert first["customer_id"] == second["customer_id"]
    assert api.get(f"/customers/{first['customer_id']}").body["email"] == "user_456@example.com"
    assert len(stripe_simulator.customers()) == 1


def test_b18_payment_uses_first_customer_that_user_created(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    first, _ = api.customer(), api.customer()
    assert api.payment()["customer_id"] == first["id"]
    assert len(stripe_simulator.customers()) == 2


def test_b18_user_has_one_customer_per_organization(api: Api) -> None:
    alone = api.payment()["customer_id"]
    shared = api.payment(organization_id="org_456")["customer_id"]
    other = api.payment(organization_id="org_789")["customer_id"]
    assert len({alone, shared, other}) == 3
    assert api.payment(organization_id="org_456")["customer_id"] == shared
    assert api.get(f"/customers/{shared}").body["organization_id"] == "org_456"


def test_b18_create_payment_with_customer_of_others_returns_404(
    api: Api, stranger: Api, guest: Api, signed_in: Callable[..., Api]
) -> None:
    mine, shared = api.customer(), api.customer(organization_id="org_456")
    assert api.payment(customer_id=mine["id"])["customer_id"] == mine["id"]
    colleague = signed_in("user_1", org_456="billing")
    assert colleague.payment(customer_id=shared["id"])["customer_id"] == shared["id"]
    for identifier in (mine["id"], "cust_404", "no id at all!"):
        body = USD_20 | {"customer_id": identifier}
        assert stranger.post("/payments/intents", body).status == 404
        assert guest.post("/payments/intents", body | {"guest_data": GUEST}).status == 404


def test_b18_create_payment_with_guest_token_of_customer_returns_404(guest: Api) -> None:
    customer = guest.customer(guest_data=GUEST)
    with_token = guest.with_headers(x_guest_token=customer["guest_token"])
    body = USD_20 | {"guest_data": GUEST, "customer_id": customer["id"]}
    assert with_token.post("/payments/intents", body).status == 404


def test_b18_guest_payment_creates_customer_only_to_save_method(
    guest: Api, stripe_simulator: StripeSimulator
) -> None:
    assert guest.payment(guest_data=GUEST)["customer_id"] is None
    assert stripe_simulator.customers() == []
    payment = guest.payment(guest_data=GUEST, setup_future_usage="off_session")
    assert payment["customer_id"]
    (customer,) = stripe_simulator.customers()
    assert (customer["email"], customer["name"]) == (GUEST["email"], GUEST["name"])


def test_b18_saved_method_sets_its_customer_and_returns_404_to_others(
    demo_data: StripeSimulator, api: Api, stranger: Api, guest: Api
) -> None:
    saved = {"payment_method_id": "pm_saved_card_123"}
    payment = api.payment(**saved)
    assert payment["payment_method_id"] == "pm_saved_card_123"
    assert payment["customer_id"] == "cust_456"
    assert stranger.post("/payments/intents", USD_20 | saved).status == 404
    assert guest.post("/payments/intents", USD_20 | saved | {"guest_data": GUEST}).status == 404


def test_b18_method_of_other_customer_returns_400_on_field(
    demo_data: StripeSimulator, api: Api
) -> None:
    body = USD_20 | {"payment_method_id": "pm_saved_card_123", "customer_id": "cust_123"}
    reply = api.post("/payments/intents", body)
    assert (reply.status, reply.fields) == (400, {"payment_method_id"})
    agreed = api.payment(payment_method_id="pm_saved_card_123", customer_id="cust_456")
    assert agreed["customer_id"] == "cust_456"


def test_b18_unknown_token_is_sent_to_provider_and_returns_400_if_unknown_there(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    payment = api.payment(payment_method_id="pm_card_visa")
    assert payment["payment_method_id"] == "pm_card_visa"
    assert stripe_simulator.requests[-1].form["payment_method"] == "pm_card_visa"
    reply = api.post("/payments/intents", USD_20 | {"payment_method_id": "pm_nobody_knows"})
    assert (reply.status, reply.code) == (400, "validation_failed")
    assert reply.fields == {"payment_method_id"}


def test_b18_create_payment_with_method_does_not_charge(
    demo_data: StripeSimulator, api: Api
) -> None:
    before = len(demo_data.charges())
    for method in ("pm_saved_card_123", "pm_card_visa"):
        assert api.payment(payment_method_id=method)["status"] == "created"
    assert len(demo_data.charges()) == before


@pytest.mark.parametrize(
    ("url", "accepted"),
    [
        ("https://shop.test/back?x=1", True),
        ("http://localhost:3000/back", True),
        ("http://127.0.0.1/back", True),
        ("https://other.test/", False),
        ("http://shop.test/back", False),
        ("https://shop.test@evil.test/", False),
        ("https://shop.test.evil.test/", False),
        ("javascript:alert(1)", False),
        ("//shop.test/back", False),
        ("https://shop.test/\\evil", False),
        ("https://shop.test/a b", False),
        ("back", False),
        ("", False),
        ("https://shop.test/" + "x" * 2000, False),
    ],
)
@pytest.mark.parametrize("field", ["return_url", "cancel_url"])
def test_b19_return_address_outside_allowed_hosts_returns_400_on_field(
    api: Api, setting: Setting, field: str, url: str, accepted: bool
) -> None:
    setting("RETURN_URL_HOSTS", "shop.test, www.shop.test")
    reply = api.post("/payments/intents", USD_20 | {field: url})
    assert reply.status == (201 if accepted else 400)
    assert reply.status == 201 or reply.fields == {field}


def test_b19_without_return_url_redirects_are_switched_off_at_stripe(
    api: Api, stripe_simulator: StripeSimulator, setting: Setting
) -> None:
    allow_redirects = "automatic_payment_methods[allow_redirects]"
    api.payment()
    assert allow_redirects not in stripe_simulator.requests[-1].form
    setting("RETURN_URL", "")
    payment = api.payment()
    assert stripe_simulator.requests[-1].form[allow_redirects] == "never"
    paid = api.confirm(payment, {"payment_method_id": "pm_card_visa"})
    assert paid.body["status"] == "succeeded"
    assert "return_url" not in stripe_simulator.requests[-1].form


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "500_before", "html_502", "409"])
def test_b20_creation_with_lost_response_returns_202_and_retry_finds_it(
    api: Api, stripe_simulator: StripeSimulator, kind: str
) -> None:
    stripe_simulator.fault("create_payment", kind, times=2)
    keyed = api.with_headers(idempotency_key="k1")
    reply = keyed.post("/payments/intents", USD_20)
    assert (reply.status, reply.body["status"]) == (202, "processing")
    assert reply.body["client_secret"] is reply.body["provider_payment_id"] is None
    assert int(reply.headers["retry-after"]) >= 1
    assert api.get(f"/payments/{reply.body['id']}").body["status"] == "processing"
    again = keyed.post("/payments/intents", USD_20)
    assert (again.status, again.body["status"]) == (201, "created")
    assert again.body["id"] == reply.body["id"]
    assert len(stripe_simulator.intents()) == 1


@pytest.mark.parametrize(
    ("kind", "times", "status"), [("429", 1, 503), ("401", 2, 502), ("403", 2, 502)]
)
def test_b20_creation_that_did_not_happen_returns_502_or_503_and_retry_continues_it(
    api: Api, stripe_simulator: StripeSimulator, kind: str, times: int, status: int
) -> None:
    stripe_simulator.fault("create_payment", kind, times=times)
    keyed = api.with_headers(idempotency_key="k1")
    assert keyed.post("/payments/intents", USD_20).status == status
    assert keyed.post("/payments/intents", USD_20).status == 201
    assert len(stripe_simulator.intents()) == 1
