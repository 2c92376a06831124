"""The verbs of the Stripe adapter: what is sent and returned, over real HTTP.

Source: docs/providers.md, section A.1.
"""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from typing import Any, ClassVar

import pytest
from msgspec.structs import replace

from bridge import clock, ssm
from bridge.errors import (
    ProviderRejectedUs,
    Refused,
    UnknownOutcome,
    WrongState,
)
from bridge.models import field_rules
from bridge.models.customer import Guest
from bridge.models.payment import Payment
from bridge.models.provider import Dispute, Failure, ProviderChange, method_digest
from bridge.models.queue_message import Parent, WebhookEventReference
from bridge.models.refund import Refund
from bridge.providers import stripe_calls
from bridge.providers.stripe_events import INTENTS, METHOD_TYPES, PAYMENT_TYPES
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
    find,
    make_customer,
    opened,
    payment,
    sent,
    soon,
    state_of,
    update,
)

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")


def method_of(simulator: StripeSimulator) -> str:
    """The token of the method that the last intent has."""
    return str(simulator.intents()[-1]["payment_method"])


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
    assert (answer.is_open, answer.charge_id, answer.payment_id) == (True, None, made.id)
    assert answer.method == method_digest(method_of(stripe_simulator))
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
    assert (answer.total_cents, answer.currency) == (300, "JPY")
    assert answer.method == method_digest(method_of(stripe_simulator))
    request = sent(stripe_simulator, "update_payment")
    assert request.headers["Idempotency-Key"] == f"{row.uid}.3"
    assert request.form == {
        "amount": "300",
        "currency": "jpy",
        "payment_method": "pm_card_visa",
        "expand[0]": "latest_charge",
    }


def test_rule18_update_and_fetch_return_what_the_provider_has(row: Payment) -> None:
    before = fetch(row)
    assert (before.setup_future_usage, before.statement_descriptor, before.method) == (None,) * 3
    changed = replace(
        row, total_cents=300, setup_future_usage="off_session", statement_descriptor="Order 1"
    )
    answer = update(changed, "pm_card_visa")
    assert (answer.total_cents, answer.currency) == (300, "USD")
    assert (answer.setup_future_usage, answer.statement_descriptor) == ("off_session", "Order 1")
    found = fetch(row)
    assert found == replace(answer, refunds=())
    update(changed, "pm_card_visa", key="1.4")
    assert fetch(row).method not in (None, found.method)  # an alias gets a new id each time


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
    find(row)
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
    (refund,) = answer.refunds or ()
    assert (refund.refund_id, refund.amount_cents, refund.currency) == (None, 700, "USD")
    assert (answer.dispute, answer.is_disputed) == (None, False)
    stripe_simulator.dashboard("dispute", intent)
    assert state_of(fetch(row)) == "open"
    assert fetch(row).is_disputed
    stripe_simulator.dashboard("close_dispute", intent, outcome="lost")
    assert state_of(fetch(row)) == "lost"


def test_rule13_only_a_status_check_says_that_there_are_no_refunds(row: Payment) -> None:
    """Without a charge the answer does not tell of refunded money; `refunds` are of fetch only."""
    created = fetch(row)
    assert (created.refunds, created.refunded_cents) == ((), None)
    for answer in (update(row), confirm(row)):
        assert answer.refunds is None
    answer, found = confirm(opened()), fetch(row)
    assert (answer.refunds, answer.refunded_cents) == (None, 0)
    assert (found.refunds, found.refunded_cents) == ((), 0)


def test_rule13_fetch_payment_reads_the_dispute_if_only_our_row_knows_of_one(
    stripe_simulator: StripeSimulator, row: Payment
) -> None:
    confirm(row)
    stripe_simulator.dashboard("dispute", str(row.provider_payment_id))
    (charge,) = stripe_simulator.world.charges.values()
    charge.disputed = False  # the charge is older than the list of disputes
    assert (fetch(row).is_disputed, fetch(row).dispute) == (False, None)
    known = replace(row, dispute=Dispute(id="dp_known", state="open"))
    assert state_of(fetch(known)) == "open"


def test_refund_payment_returns_the_refund_it_has_made_and_not_a_list(row: Payment) -> None:
    confirm(row)
    requested = Refund(
        id="ref_1",
        payment_id=row.id,
        amount_cents=500,
        currency="USD",
        created_at=row.created_at,
        updated_at=row.created_at,
    )
    answer = ADAPTER.refund_payment(row, requested, key="1.5", ends_at=soon())
    made = answer.refund
    assert made
    assert (made.refund_id, made.amount_cents, answer.refunded_cents) == ("ref_1", 500, 500)
    assert answer.refunds is None
    assert (fetch(row).refunds, fetch(row).refund) == ((made,), None)


def test_fetch_payment_shows_the_sum_of_the_charge_beside_the_refunds(
    stripe_simulator: StripeSimulator, row: Payment
) -> None:
    """They may disagree for a moment. The adapter does not hide it: the merge decides."""
    confirm(row)
    stripe_simulator.dashboard("refund", str(row.provider_payment_id), 700)
    (charge,) = stripe_simulator.world.charges.values()
    charge.amount_refunded = 200
    found = fetch(row)
    assert found.refunded_cents == 200
    assert [each.amount_cents for each in found.refunds or ()] == [700]


def test_rule17_find_objects_finds_those_with_our_id_in_the_list(
    stripe_simulator: StripeSimulator, row: Payment
) -> None:
    opened()  # newer, of another payment
    stripe_simulator.seed_payment("pi_of_another_system", amount=2000, currency="usd")
    second = create(row, key="another key")
    assert find(row) == [second, replace(fetch(row), refunds=None)]
    assert find(payment()) == []


def test_rule17_find_objects_reads_all_pages_since_the_given_time(
    stripe_simulator: StripeSimulator, row: Payment
) -> None:
    for number in range(100):
        stripe_simulator.seed_payment(f"pi_{number}", amount=2000, currency="usd")
    (found,) = find(row)
    assert found.provider_payment_id == row.provider_payment_id
    assert stripe_simulator.log.counts["list_payments"] == 2
    assert find(row, since=row.created_at + timedelta(hours=1)) == []


def test_find_objects_raises_if_stripe_cannot_be_asked(
    stripe_simulator: StripeSimulator, row: Payment
) -> None:
    """No answer must not be taken for "there is none"."""
    stripe_simulator.fault("list_payments", "500_before", times=2)
    with pytest.raises(UnknownOutcome):
        find(row)


def test_rule17_cancel_duplicate_cancels_and_a_second_time_is_no_error(
    stripe_simulator: StripeSimulator, row: Payment
) -> None:
    intent = str(row.provider_payment_id)
    for _ in range(2):
        ADAPTER.cancel_duplicate(intent, ends_at=soon())
    calls = [each for each in stripe_simulator.requests if each.operation == "cancel"]
    assert [each.form for each in calls] == [{"cancellation_reason": "duplicate"}] * 2
    keys = {each.headers["Idempotency-Key"] for each in calls}  # the SDK's own: no answer is stored
    assert len(keys) == 2
    assert fetch(row).status == "canceled"


def test_cancel_duplicate_raises_wrong_state_if_the_object_is_paid(
    stripe_simulator: StripeSimulator, row: Payment
) -> None:
    confirm(row)
    with pytest.raises(WrongState):
        ADAPTER.cancel_duplicate(str(row.provider_payment_id), ends_at=soon())
    assert fetch(row).status == "succeeded"
    assert stripe_simulator.releases() == []


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


class Answering(http.server.BaseHTTPRequestHandler):
    """A Stripe that gives answers which the simulator never gives."""

    def answer(self, status: int, body: dict[str, Any]) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())


class Refusing(Answering):
    """It refuses to detach without an error code; the method stays attached."""

    def do_POST(self) -> None:
        self.answer(400, {"error": {"type": "invalid_request_error", "message": "Not now."}})

    def do_GET(self) -> None:
        method = {"id": "pm_there", "object": "payment_method", "customer": "cus_there"}
        self.answer(200, method)


class Declining(Answering):
    """The bank declines a capture. The intent stays authorized."""

    intent: ClassVar[dict[str, Any]] = {}

    def do_POST(self) -> None:
        decline = {
            "type": "card_error",
            "code": "card_declined",
            "decline_code": "insufficient_funds",
            "message": "Your card has insufficient funds.",
        }
        self.answer(402, {"error": decline | {"payment_intent": self.intent}})


@pytest.fixture
def other_server(
    put_secret: Callable[[str, str], None], setting: Callable[[str, str], None]
) -> Iterator[Callable[[type[Answering]], None]]:
    """From the call on, another server than the simulator answers."""
    with ExitStack() as undo:

        def start(kind: type[Answering]) -> None:
            server = undo.enter_context(http.server.HTTPServer(("127.0.0.1", 0), kind))
            threading.Thread(target=server.serve_forever, daemon=True).start()
            undo.callback(server.shutdown)
            # A key of its own makes a client of its own, with that address.
            put_secret("STRIPE_SECRET_KEY", f"sk_test_{kind.__name__}")
            ssm.forget_secrets()
            setting("STRIPE_BASE_URL", f"http://127.0.0.1:{server.server_port}")

        yield start


def test_detach_method_raises_if_refused_and_still_attached(
    row: Payment, other_server: Callable[[type[Answering]], None]
) -> None:
    other_server(Refusing)
    with pytest.raises(Refused, match="Not now"):
        detach(row)


def test_declined_capture_is_an_answer_that_says_why_no_money_moved(
    stripe_simulator: StripeSimulator, other_server: Callable[[type[Answering]], None]
) -> None:
    """The intent is as before, so only `declined` tells it from a capture that is done."""
    row = opened(capture_method="manual")
    confirm(row)
    (Declining.intent,) = stripe_simulator.intents()
    other_server(Declining)
    answer = ADAPTER.capture_payment(row, None, key="1.6", ends_at=soon())
    assert (answer.status, answer.captured_cents) == ("requires_capture", 0)
    assert answer.declined == Failure(
        code="card_declined",
        message="Your card has insufficient funds.",
        decline_code="insufficient_funds",
    )
    assert answer.failure is None


def changes(since: float = 3600) -> list[ProviderChange]:
    now = clock.now()
    window = now - timedelta(seconds=since), now + timedelta(seconds=1)
    return [
        each
        for page in ADAPTER.list_changes(*window, None, ends_at=soon())
        for each in page.changes
    ]


def test_listed_payment_has_our_id_from_its_metadata(
    stripe_simulator: StripeSimulator, row: Payment
) -> None:
    stripe_simulator.seed_payment("pi_of_another_system", amount=700, currency="eur")
    ours, foreign = sorted(
        changes(), key=lambda each: not (each.payment and each.payment.payment_id)
    )
    assert ours.payment
    assert (ours.payment.payment_id, ours.provider_payment_id) == (
        row.id,
        row.provider_payment_id,
    )
    assert foreign.provider_payment_id == "pi_of_another_system"
    assert (ours.payment.total_cents, ours.payment.status) == (row.total_cents, "created")


def test_listed_refund_has_the_sum_that_its_payment_gave_back(
    stripe_simulator: StripeSimulator, row: Payment
) -> None:
    confirm(row)
    for amount in (300, 200):
        stripe_simulator.dashboard("refund", str(row.provider_payment_id), amount)
    _, *refunds = changes()
    assert [each.refunded_cents for each in refunds] == [500, 500]
    assert sorted(each.refund.amount_cents for each in refunds if each.refund) == [200, 300]
    assert {each.provider_payment_id for each in refunds} == {row.provider_payment_id}


def test_listed_release_of_a_partial_capture_is_no_refund(
    stripe_simulator: StripeSimulator,
) -> None:
    row = opened(capture_method="manual", total_cents=2000)
    confirm(row)
    ADAPTER.capture_payment(row, 1200, key=f"{row.uid}.3", ends_at=soon())
    _, release = changes()
    assert (release.refund, release.refunded_cents) == (None, 0)
    stripe_simulator.dashboard("refund", str(row.provider_payment_id), 800)
    assert [each.refunded_cents for each in changes()[1:]] == [800, 800]


def test_listed_dispute_has_its_payment(stripe_simulator: StripeSimulator, row: Payment) -> None:
    confirm(row)
    stripe_simulator.dashboard("dispute", str(row.provider_payment_id))
    _, dispute = changes()
    assert (dispute.provider_payment_id, dispute.payment) == (row.provider_payment_id, None)
    assert dispute.dispute
    assert dispute.dispute.state == "open"


def test_list_events_returns_the_references_of_all_webhooks(
    stripe_simulator: StripeSimulator, row: Payment
) -> None:
    confirm(row)
    now = clock.now()
    window = now - timedelta(hours=1), now + timedelta(seconds=1)
    pages = list(ADAPTER.list_events(*window, None, ends_at=soon()))
    events = [each for page in pages for each in page.references]
    emitted = list(stripe_simulator.world.events.values())
    assert {each.event_id for each in events} == {
        each.id for each in emitted if each.type in (*PAYMENT_TYPES, *METHOD_TYPES)
    }
    intents = [each for each in events if isinstance(each, WebhookEventReference)]
    assert {each.payment_id for each in intents if each.type in INTENTS} == {row.id}
    assert sum(page.unreadable for page in pages) == 0
