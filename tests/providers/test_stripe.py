"""The verbs of the Stripe adapter: what is sent and returned, over real HTTP.

Source: docs/providers.md, section A.1.
"""

import http.server
import json
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from bridge import ssm
from bridge.errors import (
    ProviderRejectedUs,
    Refused,
    UnknownOutcome,
    WrongState,
)
from bridge.models import field_rules
from bridge.models.customer import Guest
from bridge.models.payment import Payment
from bridge.models.queue_message import Parent
from bridge.providers import stripe_calls
from local.stripe import forms, routes
from local.stripe.simulator import StripeSimulator
from tests.providers.conftest import (
    ADAPTER,
    CUSTOMER_ID,
    VERBS,
    Verb,
    attach,
    cancel,
    confirm,
    create,
    customer,
    delete_customer,
    detach,
    fetch,
    fetch_method,
    make_customer,
    opened,
    payment,
    sent,
    soon,
    state_of,
    update,
)

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")


def test_find_parent_of_charge_or_intent_returns_our_payment_id(
    stripe_simulator: StripeSimulator, row: Payment
) -> None:
    confirm(row)
    (charge,) = stripe_simulator.charges()
    intent = str(row.provider_payment_id)
    expected = Parent(payment_id=row.id, provider_payment_id=intent)
    for known in (str(charge["id"]), intent):
        assert ADAPTER.find_parent(known, ends_at=soon()) == expected
    for unknown in ("ch_nowhere", "pi_nowhere"):
        assert ADAPTER.find_parent(unknown, ends_at=soon()) is None


def test_find_parent_raises_if_stripe_cannot_be_asked(
    stripe_simulator: StripeSimulator,
) -> None:
    stripe_simulator.fault("fetch_charge", "500_before", times=2)
    with pytest.raises(UnknownOutcome):
        ADAPTER.find_parent("ch_1", ends_at=soon())
    stripe_simulator.fault("fetch_charge", "401", times=2)
    with pytest.raises(ProviderRejectedUs):
        ADAPTER.find_parent("ch_1", ends_at=soon())


def test_create_customer_sends_all_fields(stripe_simulator: StripeSimulator) -> None:
    whole = customer(name="Jane Doe", phone="+1234567890", metadata={"tier": "gold"})
    made = ADAPTER.create_customer(whole, key="suffix.c", ends_at=soon())
    assert made == stripe_simulator.customers()[0]["id"]
    request = sent(stripe_simulator, "create_customer")
    assert request.headers["Idempotency-Key"] == "suffix.c"
    assert request.form == {
        "email": "jane@example.com",
        "name": "Jane Doe",
        "phone": "+1234567890",
        "metadata[tier]": "gold",
        "metadata[customer_id]": CUSTOMER_ID,
    }


def test_update_customer_sends_what_differs_and_clears_what_is_gone(
    stripe_simulator: StripeSimulator,
) -> None:
    seen = customer(
        name="Jane", phone="12345", metadata={"stays": "a", "goes": "b"}, provider_id="stripe"
    )
    made = ADAPTER.create_customer(seen, key="k", ends_at=soon())
    seen = replace(seen, provider_customer_id=made)
    changed = replace(seen, phone=None, name="Janet", metadata={"stays": "a", "comes": 1})
    ADAPTER.update_customer(seen, changed, ends_at=soon())
    request = sent(stripe_simulator, "update_customer")
    assert request.path == f"/v1/customers/{made}"
    assert request.form == {
        "name": "Janet",
        "phone": "",
        "metadata[goes]": "",
        "metadata[stays]": "a",
        "metadata[comes]": "1",
    }
    there = stripe_simulator.customers()[0]
    assert there["phone"] is None
    assert there["metadata"] == {"customer_id": CUSTOMER_ID, "stays": "a", "comes": "1"}


def test_update_customer_without_a_difference_sends_nothing(
    stripe_simulator: StripeSimulator,
) -> None:
    seen = customer(provider_customer_id="cus_there")
    ADAPTER.update_customer(seen, replace(seen, first_name="J"), ends_at=soon())
    assert stripe_simulator.requests == []


def test_delete_customer_and_detach_method_succeed_if_gone_already(
    stripe_simulator: StripeSimulator, row: Payment
) -> None:
    for _ in range(2):
        detach(row)
        delete_customer(row)
    ADAPTER.detach_method("pm_never", ends_at=soon())
    ADAPTER.delete_customer("cus_never", ends_at=soon())
    assert stripe_simulator.world.methods["pm_there"].customer is None
    assert stripe_simulator.customers() == [
        {"id": "cus_there", "object": "customer", "deleted": True}
    ]


def test_attach_method_twice_returns_the_same_method(
    stripe_simulator: StripeSimulator,
) -> None:
    stripe_simulator.seed_customer("cus_there")
    stripe_simulator.seed_method("pm_new", None, "amex")
    method = stripe_simulator.world.methods["pm_new"]
    for _ in range(2):
        kept = ADAPTER.attach_method("pm_new", "cus_there", ends_at=soon())
        found = (kept.token, kept.type, kept.brand, kept.last4, kept.exp_month, kept.exp_year)
        card = ("amex", method.card.last4, method.exp_month, method.exp_year)
        assert found == ("pm_new", "card", *card)
        assert "pm_new" not in repr(kept)


def test_fetch_method_returns_it_as_it_is_now(stripe_simulator: StripeSimulator) -> None:
    for customer_id in ("cus_there", "cus_other"):
        stripe_simulator.seed_customer(customer_id)
    stripe_simulator.seed_method("pm_there", "cus_there", "amex")
    kept = ADAPTER.attach_method("pm_there", "cus_there", ends_at=soon())
    assert ADAPTER.fetch_method("pm_there", "cus_there", ends_at=soon()) == kept
    stripe_simulator.dashboard_method("renew", "pm_there")
    renewed = ADAPTER.fetch_method("pm_there", "cus_there", ends_at=soon())
    assert renewed
    assert (renewed.last4, renewed.exp_year) == ("0006", (kept.exp_year or 0) + 4)
    for holder in ("cus_other", ""):
        assert ADAPTER.fetch_method("pm_there", holder, ends_at=soon()) is None
    stripe_simulator.dashboard_method("detach", "pm_there")
    assert ADAPTER.fetch_method("pm_there", "cus_there", ends_at=soon()) is None


@pytest.mark.parametrize("kind", ["500_before", "401"])
def test_fetch_method_raises_if_stripe_cannot_be_asked(
    kind: str, stripe_simulator: StripeSimulator, row: Payment
) -> None:
    stripe_simulator.fault("fetch_method", kind, times=2)
    with pytest.raises(UnknownOutcome if kind == "500_before" else ProviderRejectedUs):
        fetch_method(row)


def test_fetch_method_raises_refused_for_a_method_that_stripe_never_had(
    stripe_simulator: StripeSimulator,
) -> None:
    """With a key of another account we would lose every saved method."""
    stripe_simulator.seed_customer("cus_there")
    with pytest.raises(Refused):
        ADAPTER.fetch_method("pm_no", "cus_there", ends_at=soon())


@pytest.mark.parametrize("token", ["pm_nowhere", "pm_card_visa_chargeDeclined", "pm_there"])
def test_attach_method_raises_refused_if_stripe_does_not_attach_it(
    token: str, stripe_simulator: StripeSimulator
) -> None:
    """It is unknown, declined, or belongs to another customer."""
    for customer_id in ("cus_there", "cus_other"):
        stripe_simulator.seed_customer(customer_id)
    stripe_simulator.seed_method("pm_there", "cus_there")
    with pytest.raises(Refused):
        ADAPTER.attach_method(token, "cus_other", ends_at=soon())


def test_create_payment_never_confirms_and_sends_our_id_in_the_metadata(
    stripe_simulator: StripeSimulator,
) -> None:
    stripe_simulator.seed_customer("cus_there")
    made = payment(
        description="A plan",
        reference_code="R-1",
        metadata={"order": 7},
        provider_customer_id="cus_there",
        setup_future_usage="off_session",
        capture_method="manual",
        guest=Guest(email="donor@example.com", name="John"),
    )
    answer = create(made, "pm_card_visa")
    request = sent(stripe_simulator, "create_payment")
    assert request.headers["Idempotency-Key"] == f"{made.uid}.1"
    assert request.form == {
        "amount": "2000",
        "currency": "usd",
        "customer": "cus_there",
        "payment_method": "pm_card_visa",
        "description": "A plan",
        "receipt_email": "donor@example.com",
        "setup_future_usage": "off_session",
        "capture_method": "manual",
        "automatic_payment_methods[enabled]": "true",
        "automatic_payment_methods[allow_redirects]": "never",
        "metadata[order]": "7",
        "metadata[payment_id]": made.id,
        "metadata[reference_code]": "R-1",
        "expand[0]": "latest_charge",
    }
    assert (answer.status, answer.total_cents, answer.currency) == ("created", 2000, "USD")
    assert str(answer.client_secret).startswith(answer.provider_payment_id + "_secret_")
    assert (answer.is_open, answer.has_method, answer.charge_id) == (True, True, None)
    assert stripe_simulator.charges() == []


def test_create_payment_does_not_send_the_token_of_a_saved_method(
    stripe_simulator: StripeSimulator,
) -> None:
    """Its token is a secret: the stored request contains only tokens that a caller sent."""
    create(payment(payment_method_id="pm_saved_card_123"))
    assert "payment_method" not in sent(stripe_simulator, "create_payment").form


def test_confirm_sends_the_return_url_if_the_creation_allowed_redirects(
    stripe_simulator: StripeSimulator,
) -> None:
    made = opened(may_redirect=True, return_url="https://shop.test/back")
    never = "automatic_payment_methods[allow_redirects]"
    assert never not in sent(stripe_simulator, "create_payment").form
    confirm(made)
    assert sent(stripe_simulator, "confirm").form == {
        "payment_method": "pm_card_visa",
        "return_url": "https://shop.test/back",
        "expand[0]": "latest_charge",
    }


def test_confirm_sends_no_return_url_if_the_creation_excluded_redirects(
    stripe_simulator: StripeSimulator, row: Payment
) -> None:
    confirm(replace(row, return_url="https://shop.test/back"))
    assert sent(stripe_simulator, "confirm").form.keys() == {"payment_method", "expand[0]"}


def test_update_payment_sends_the_new_amounts(
    stripe_simulator: StripeSimulator, row: Payment
) -> None:
    changed = replace(row, total_cents=300, currency="JPY")
    answer = update(changed, "pm_card_visa")
    assert (answer.total_cents, answer.currency, answer.has_method) == (300, "JPY", True)
    request = sent(stripe_simulator, "update_payment")
    assert request.headers["Idempotency-Key"] == f"{row.uid}.3"
    assert request.form == {
        "amount": "300",
        "currency": "jpy",
        "payment_method": "pm_card_visa",
        "expand[0]": "latest_charge",
    }


OTHER_VALUES: dict[str, object] = {
    "total_cents": 300,
    "currency": "EUR",
    "statement_descriptor": "Order 12345",
    "setup_future_usage": "off_session",
    "metadata": {"order": "7"},
    "guest": Guest(email="donor@example.com", name="Donor"),
}
CLIENTS = {
    name: rule
    for name, rule in field_rules.rules_of(Payment).items()
    if rule.set_by == "client" and rule.changes != "never"
}


@pytest.mark.parametrize("field", CLIENTS)
def test_update_sends_exactly_the_fields_that_the_provider_stores(
    stripe_simulator: StripeSimulator, row: Payment, field: str
) -> None:
    token = "pm_card_mastercard" if field == "payment_method_id" else None
    changed = replace(row, **{field: OTHER_VALUES.get(field, 7)})
    update(row, None, key="1.3")
    update(changed, token, key="1.4")
    forms = [each.form for each in stripe_simulator.requests if each.operation == "update_payment"]
    assert (forms[0] != forms[1]) == CLIENTS[field].at_provider


@pytest.mark.parametrize("field", [name for name in CLIENTS if CLIENTS[name].at_provider])
def test_creation_sends_every_field_that_the_provider_stores_and_its_refusal_names_it(
    row: Payment, field: str
) -> None:
    token = "pm_card_mastercard" if field == "payment_method_id" else None
    changed = replace(row, **{field: OTHER_VALUES.get(field)})
    assert ADAPTER.write_creation(row, None) != ADAPTER.write_creation(changed, token)
    assert field in stripe_calls.FIELDS.values()


def test_payer_reads_the_statement_descriptor_behind_the_accounts_own(
    stripe_simulator: StripeSimulator,
) -> None:
    made = opened(statement_descriptor="Order 12345")
    confirm(made)
    (charge,) = stripe_simulator.charges()
    assert charge["statement_descriptor_suffix"] == "Order 12345"
    assert charge["calculated_statement_descriptor"] == "BRIDGE* Order 12345"


def test_cancel_payment_sends_the_reason(stripe_simulator: StripeSimulator, row: Payment) -> None:
    answer = cancel(row)
    assert (answer.status, answer.is_open) == ("canceled", False)
    form = sent(stripe_simulator, "cancel").form
    assert form == {"cancellation_reason": "abandoned", "expand[0]": "latest_charge"}


def test_fetch_payment_sends_no_idempotency_key(
    stripe_simulator: StripeSimulator, row: Payment
) -> None:
    answer = fetch(row)
    assert answer.provider_payment_id == row.provider_payment_id
    request = sent(stripe_simulator, "fetch")
    assert (request.method, request.query) == ("GET", "expand%5B0%5D=latest_charge")
    assert "Idempotency-Key" not in request.headers


def test_every_request_fits_the_description_of_stripe(
    stripe_simulator: StripeSimulator,
) -> None:
    """Fields, their types and their limits: the closed forms of local/stripe/schema.json."""
    make_customer(payment())
    there = str(stripe_simulator.customers()[0]["id"])
    seen = customer(provider_customer_id=there)
    changed = replace(seen, email="j@example.com", metadata={"a": 1})
    ADAPTER.update_customer(seen, changed, ends_at=soon())
    row = opened(
        description="d",
        reference_code="r",
        metadata={"b": True, "c": 2.5},
        provider_customer_id=there,
        may_redirect=True,
        return_url="https://shop.test/back",
        setup_future_usage="on_session",
        guest=Guest(email="donor@example.com", name="John"),
    )
    update(row, "pm_card_visa")
    confirm(row)
    fetch(row)
    cancel(opened())
    stripe_simulator.seed_customer("cus_there")
    stripe_simulator.seed_method("pm_there", None)
    attach(row)
    fetch_method(row)
    detach(row)
    delete_customer(row)
    captured = stripe_simulator.requests
    assert {each.operation for each in captured} == VERBS.keys()
    for each in captured:
        found = routes.find(each.method, each.path)
        assert found
        if each.method == "GET":
            continue
        form = forms.schema()["forms"][found[0].url]
        typed = forms.check(form, forms.tree(forms.pairs(each.body.decode())))
        assert bool(typed) == (each.operation not in ("detach", "delete_customer"))
        assert each.status == 200


def test_fetch_payment_has_refunds_and_dispute(
    stripe_simulator: StripeSimulator, row: Payment
) -> None:
    confirm(row)
    intent = str(row.provider_payment_id)
    stripe_simulator.dashboard("refund", intent, 700)
    answer = fetch(row)
    assert (answer.status, answer.captured_cents, answer.refunded_cents) == ("succeeded", 2000, 700)
    (refund,) = answer.refunds
    assert (refund.refund_id, refund.amount_cents, refund.currency) == (None, 700, "USD")
    assert answer.dispute is None
    stripe_simulator.dashboard("dispute", intent)
    assert state_of(fetch(row)) == "open"
    stripe_simulator.dashboard("close_dispute", intent, outcome="lost")
    assert state_of(fetch(row)) == "lost"


@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_fetch_payment_reports_an_ended_dispute_as_won_or_lost(
    stripe_simulator: StripeSimulator, row: Payment, outcome: str
) -> None:
    confirm(row)
    intent = str(row.provider_payment_id)
    stripe_simulator.dashboard("dispute", intent)
    stripe_simulator.dashboard("close_dispute", intent, outcome=outcome)
    assert state_of(fetch(row)) == outcome


def test_confirm_and_cancel_that_are_done_already_are_answers(
    stripe_simulator: StripeSimulator, row: Payment
) -> None:
    confirm(row)
    assert confirm(row, key="another").status == "succeeded"
    assert len(stripe_simulator.charges()) == 1
    other = opened()
    cancel(other)
    assert cancel(other, key="one more").status == "canceled"


@pytest.mark.parametrize(
    ("verb", "state", "code"),
    [
        (update, "succeeded", "payment_not_updatable"),
        (cancel, "succeeded", "payment_not_cancelable"),
        (confirm, "canceled", "payment_not_confirmable"),
        (partial(confirm, token=None), "requires_payment_method", "payment_not_confirmable"),
    ],
)
def test_state_that_forbids_the_call_raises_wrong_state(
    stripe_simulator: StripeSimulator, row: Payment, verb: Verb, state: Any, code: str
) -> None:
    stripe_simulator.world.intents[str(row.provider_payment_id)].status = state
    with pytest.raises(WrongState) as refused:
        verb(row)
    assert (refused.value.status, refused.value.code) == (409, code)


class Refusing(http.server.BaseHTTPRequestHandler):
    """A Stripe that refuses to detach without an error code; the method stays attached."""

    def do_POST(self) -> None:
        self.answer(400, {"error": {"type": "invalid_request_error", "message": "Not now."}})

    def do_GET(self) -> None:
        method = {"id": "pm_there", "object": "payment_method", "customer": "cus_there"}
        self.answer(200, method)

    def answer(self, status: int, body: dict[str, Any]) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())


def test_detach_method_raises_if_refused_and_still_attached(
    row: Payment, put_secret: Callable[[str, str], None], setting: Callable[[str, str], None]
) -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        put_secret("STRIPE_SECRET_KEY", "sk_test_refusing")  # a client with that address
        ssm.forget_secrets()
        setting("STRIPE_BASE_URL", f"http://127.0.0.1:{server.server_port}")
        with pytest.raises(Refused, match="Not now"):
            detach(row)
        server.shutdown()
