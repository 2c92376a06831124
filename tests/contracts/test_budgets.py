"""The budget of each endpoint: calls to DynamoDB, write and read units, calls to the provider.

Counted from the requests, for items up to 1 KB. No two calls of ours run in parallel, so each call
is a round trip. Where we need more than the table says, the test says for what.
Source: docs/data-model.md, section 8.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from bridge import clock
from bridge.authentication import merchants
from bridge.core.workers import deletion, event_delivery, sweep
from bridge.models.caller import Caller
from bridge.store import dynamodb
from bridge.store.customers import organization_items
from bridge.store.payments import event_counter_items
from local.stripe.simulator import StripeSimulator
from tests.conftest import Crash, Environment, sweep_run
from tests.contracts.shape import Client
from tests.store.conftest import put_credential
from tests.stripe_events import TARGET, Event, about_intent, sign

BASE = "/bridge-payment"
VISA = {"payment_method_id": "pm_card_visa"}
ORDER = {"total_cents": 2000, "currency": "USD"}
GUEST = {"guest_data": {"email": "g@example.com", "name": "Gus"}}


class Units(NamedTuple):
    """Calls to DynamoDB; written and read units; calls to the provider."""

    calls: float
    written: float
    read: float
    provider: float

    def __add__(self, more: "Units") -> "Units":  # type: ignore[override]
        return Units(*(own + other for own, other in zip(self, more, strict=True)))

    def within(self, budget: "Units") -> bool:
        """Whether no number is higher than in the budget."""
        return all(own <= most for own, most in zip(self, budget, strict=True))


# What is more than the table in the document, and for what.
KEY_READ = Units(1, 0, 1, 0)  # the idempotency record is read before anything else (B17)
KEY_RESERVED = Units(1, 1, 0, 0)  # the customer's id is stored before the provider is called
SECOND_LIMIT = Units(1, 0, 0, 0)  # the two rate limits are counted one after the other
SECRET_READ = Units(0, 0, 1, 0)  # the owner's response contains the client secret (B15)
REFUNDS_LISTED = Units(0, 0, 0, 1)  # Stripe's intent and charge do not contain each refund
BY_PROVIDER_ID = Units(1, 0, 1, 0)  # the event's object does not contain our reference
BILLING_ADDRESS = Units(1, 0, 1, 0)  # which payment methods use the deleted address
OWN_CUSTOMER_DIFFERS = Units(1, 16, 0, 0)  # the caller's own customer is another one


def written(action: dict[str, Any]) -> int:
    """Units of one write outside a transaction, with the writes to the index `due`."""
    ((kind, arguments),) = action.items()
    if kind in ("Delete", "ConditionCheck"):
        return 1
    if kind == "Put":
        return 1 + ("due_at" in arguments["Item"])
    sets, _, removes = arguments["UpdateExpression"].partition(" REMOVE ")
    return 1 + 2 * ("#due_at" in sets) + ("#due_at" in removes)


class Counter:
    """Adds up what the calls to DynamoDB cost."""

    def __init__(self) -> None:
        self.spent = Units(0, 0, 0, 0)

    def on_call(self, model: Any, params: dict[str, Any], **_: object) -> None:
        request = json.loads(params["body"])
        self.spent += Units(1, *self._units(model.name, request), 0)

    def _units(self, operation: str, request: dict[str, Any]) -> tuple[float, float]:
        match operation:
            case "GetItem" | "Query":
                return 0, 1 if request.get("ConsistentRead") else 0.5
            case "BatchGetItem":
                return 0, sum(len(each["Keys"]) for each in request["RequestItems"].values())
            case "TransactWriteItems":
                return sum(_in_transaction(each) for each in request["TransactItems"]), 0
        return written({operation.removesuffix("Item"): request}), 0


def _in_transaction(action: dict[str, Any]) -> int:
    return 1 + written(action)  # twice for the item, once for the index


Count = Callable[[Callable[[], object]], Units]
Ask = Callable[..., Any]
Later = Callable[[float], None]


@pytest.fixture
def count(client: Client, stripe_simulator: StripeSimulator) -> Count:
    """Calls a function, and returns what it cost."""

    @contextmanager
    def counting(counter: Counter) -> Iterator[None]:
        events = dynamodb.client().meta.events
        events.register("before-call.dynamodb", counter.on_call)
        yield
        events.unregister("before-call.dynamodb", counter.on_call)

    def spent(act: Callable[[], object]) -> Units:
        before, counter = len(stripe_simulator.requests), Counter()
        with counting(counter):
            act()
        return counter.spent + Units(0, 0, 0, len(stripe_simulator.requests) - before)

    return spent


@dataclass(frozen=True)
class User:
    """A client that expects to succeed."""

    client: Client

    def ask(self, method: str, path: str, body: object = None, key: str | None = None) -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        answer = self.client.ask(method, BASE + path, body, headers)
        assert answer.status < 300 or answer.status == 402, answer
        return answer.json() if answer.body else None

    def order(self, **more: object) -> str:
        return str(self.ask("POST", "/payments/intents", ORDER | more)["id"])

    def customer(self, **more: object) -> str:
        made = {"provider_id": "stripe", "email": "jane@example.com"} | more
        return str(self.ask("POST", "/customers", made)["id"])


@pytest.fixture
def user(sign_in: Callable[[Caller], Client]) -> User:
    """The owner of org_1. The organization's settings are cached, as in a warm function."""
    organization_items.settings("org_1")
    return User(sign_in(Caller(user_id="user_1", organizations={"org_1": "owner"})))


@pytest.fixture
def payer(user: User) -> User:
    """A user who has paid before: the customer exists, and our secrets are cached."""
    user.order()
    return user


@pytest.mark.parametrize("more", [{}, {"organization_id": "org_1"}])
def test_create_intent_of_a_user_within_budget(
    payer: User, count: Count, more: dict[str, str]
) -> None:
    payer.order(**more)  # in an organization the user has another customer
    spent = count(lambda: payer.order(**more))
    assert spent.within(Units(4, 25, 5, 1)), spent
    new = ORDER | more
    spent = count(lambda: payer.ask("POST", "/payments/intents", new, key="key-1"))
    assert spent.within(Units(4, 25, 5, 1) + KEY_READ), spent


@pytest.mark.parametrize("more", [{}, {"organization_id": "org_1"}])
def test_create_first_intent_of_a_user_with_its_customer_within_budget(
    user: User, count: Count, more: dict[str, str]
) -> None:
    spent = count(lambda: user.order(**more))
    assert spent.within(Units(4, 35, 3, 2)), spent


def test_create_intent_of_a_guest_within_budget(
    client: Client, count: Count, setting: Callable[[str, str], None]
) -> None:
    setting("GUEST_CREATIONS_PER_MINUTE", "20")
    setting("GUEST_CREATIONS_PER_HOUR", "10")
    spent = count(lambda: User(client).order(**GUEST))
    assert spent.within(Units(3, 22, 0, 1) + SECOND_LIMIT), spent
    key = "a-key-of-twenty-chars"
    spent = count(lambda: User(client).ask("POST", "/payments/intents", ORDER | GUEST, key=key))
    assert spent.within(Units(3, 22, 0, 1) + SECOND_LIMIT + KEY_READ), spent


@pytest.mark.parametrize("key", [None, "key-1"])
@pytest.mark.parametrize("method", ["pm_card_visa", "pm_card_visa_chargeDeclined"])
def test_confirm_within_budget(payer: User, count: Count, key: str | None, method: str) -> None:
    made = payer.order()
    body = {"payment_method_id": method}
    spent = count(lambda: payer.ask("POST", f"/payments/confirm/{made}", body, key))
    assert spent.within(Units(4, 18, 5, 1) + SECRET_READ), spent


@pytest.mark.parametrize("operation", ["capture", "cancel"])
def test_capture_and_cancel_within_budget(payer: User, count: Count, operation: str) -> None:
    made = payer.order(capture_method="manual")
    payer.ask("POST", f"/payments/confirm/{made}", VISA)
    spent = count(lambda: payer.ask("POST", f"/payments/{made}/{operation}", {}, "key-1"))
    assert spent.within(Units(3, 18, 3, 1) + SECRET_READ), spent


def test_refund_sync_and_list_of_refunds_within_budget(payer: User, count: Count) -> None:
    made = payer.order()
    payer.ask("POST", f"/payments/confirm/{made}", VISA)
    part = {"amount_cents": 500}
    spent = count(lambda: payer.ask("POST", f"/payments/{made}/refund", part, "key-1"))
    assert spent.within(Units(3, 20, 3, 1) + SECRET_READ), spent
    spent = count(lambda: payer.ask("POST", f"/payments/sync/{made}"))
    assert spent.within(Units(3, 1, 8, 1) + REFUNDS_LISTED), spent
    spent = count(lambda: payer.ask("GET", f"/payments/{made}/refunds"))
    assert spent.within(Units(2, 0, 4, 0)), spent


def test_replay_of_a_confirm_within_budget(payer: User, count: Count) -> None:
    made = payer.order()

    def confirm() -> object:
        return payer.ask("POST", f"/payments/confirm/{made}", VISA, "key-1")

    confirm()
    spent = count(confirm)
    assert spent.within(Units(1, 0, 4, 0)), spent


def test_confirm_during_another_confirm_within_budget(
    payer: User, count: Count, crash: Crash
) -> None:
    made, spent_in_between = payer.order(), []

    def confirm_again(_: str) -> None:
        confirm = f"/payments/confirm/{made}"
        spent_in_between.append(count(lambda: payer.ask("POST", confirm, VISA, "key-2")))

    crash.at, crash.meanwhile = "locked", confirm_again
    payer.ask("POST", f"/payments/confirm/{made}", VISA, "key-1")
    assert spent_in_between[0].within(Units(1, 0, 5, 0)), spent_in_between


def test_update_of_a_field_that_the_provider_has_within_budget(payer: User, count: Count) -> None:
    made = payer.order()
    spent = count(lambda: payer.ask("PUT", f"/payments/intents/{made}", {"total_cents": 2100}))
    assert spent.within(Units(3, 10, 2, 1) + SECRET_READ), spent


def test_update_of_our_own_fields_within_budget(payer: User, count: Count) -> None:
    made = payer.order()
    spent = count(lambda: payer.ask("PUT", f"/payments/intents/{made}", {"concept": "Lamp"}))
    assert spent.within(Units(2, 2, 2, 0) + SECRET_READ), spent


def test_get_payment_by_both_ids_within_budget(payer: User, count: Count) -> None:
    made = payer.order()
    spent = count(lambda: payer.ask("GET", f"/payments/{made}"))
    assert spent.within(Units(1, 0, 7, 0)), spent
    at_provider = payer.ask("GET", f"/payments/{made}")["provider_payment_id"]
    spent = count(lambda: payer.ask("GET", f"/payments/{at_provider}"))
    assert spent.within(Units(2, 0, 7, 0)), spent


def test_sync_within_budget(payer: User, count: Count, stripe_simulator: StripeSimulator) -> None:
    made = payer.order()
    spent = count(lambda: payer.ask("POST", f"/payments/sync/{made}"))
    assert spent.within(Units(3, 1, 8, 1)), spent
    stripe_simulator.fault("confirm", "drop_after", times=None)
    assert payer.ask("POST", f"/payments/confirm/{made}", VISA)["status"] == "processing"
    stripe_simulator.faults.clear()
    spent = count(lambda: payer.ask("POST", f"/payments/sync/{made}"))
    assert spent.within(Units(3, 10, 8, 1)), spent


def test_webhook_and_its_queue_worker_within_budget(
    payer: User,
    count: Count,
    stripe_simulator: StripeSimulator,
    environment: Environment,
    later: Later,
) -> None:
    made = payer.ask("POST", "/payments/intents", ORDER)
    intent, secret = made["provider_payment_id"], made["client_secret"]
    stripe_simulator.browser_confirm(intent, secret, "pm_card_visa")
    event = about_intent(made)

    def deliver(sent: Event) -> None:
        body = json.dumps(sent)
        assert environment.gateway.call(
            "POST", TARGET, {"Stripe-Signature": sign(body)}, body
        ).status

    assert count(lambda: deliver(event)) == Units(0, 0, 0, 0)
    spent = count(environment.worker.drain)
    assert spent.within(Units(4, 14, 2, 1)), spent
    nothing_new = Units(4, 9, 2, 1)
    for again in (event, about_intent(made)):
        deliver(again)
        spent = count(environment.worker.drain)
        assert spent.within(nothing_new), spent
    deliver(about_intent(made) | {"type": "charge.refunded", "data": {"object": refunded(intent)}})
    spent = count(environment.worker.drain)
    assert spent.within(nothing_new + Units(1, 0, 2, 0)), spent
    event_counter_items.count(made["id"], clock.seconds())  # a check of another worker runs
    deliver(about_intent(made))
    spent = count(environment.worker.drain)
    assert spent.within(Units(2, 4, 0, 0)), spent


def refunded(intent: str) -> dict[str, str]:
    return {"id": "ch_1", "object": "charge", "payment_intent": intent}


@pytest.mark.parametrize("lost", [False, True])
def test_sweep_of_each_due_payment_within_budget(
    payer: User,
    count: Count,
    lost: bool,
    stripe_simulator: StripeSimulator,
    later: Callable[[float], None],
) -> None:
    payments = 12
    for _ in range(payments):
        made = payer.order()
        if lost:
            stripe_simulator.fault("confirm", "drop_after", times=None)
            payer.ask("POST", f"/payments/confirm/{made}", VISA)
            stripe_simulator.faults.clear()
    empty = count(lambda: sweep.sweep(sweep_run()))  # the queries when nothing is due
    later(120)
    spent = count(lambda: sweep.sweep(sweep_run()))
    assert sweep.sweep(sweep_run()).checked == 0
    more = zip(spent, empty, strict=True)
    each = Units(*((all_of - none) / (payments + 1) for all_of, none in more))
    assert each.within(Units(2, 10, 1.5, 1)), each


def test_delivery_of_events_however_many_wait_within_budget(payer: User, count: Count) -> None:
    """Two reads and the write of the cursor. No write if nothing waits.

    Source: docs/data-model.md, section 3.
    """
    made = payer.order()
    payer.ask("POST", f"/payments/confirm/{made}", VISA)
    spent = count(lambda: event_delivery.deliver([made], sweep_run()))
    assert spent.within(Units(3, 1, 2, 0)), spent
    spent = count(lambda: event_delivery.deliver([made], sweep_run()))
    assert spent.within(Units(2, 0, 2, 0)), spent


def test_list_of_payments_within_budget(payer: User, count: Count) -> None:
    for _ in range(24):
        payer.order()
    spent = count(lambda: payer.ask("GET", "/payments?limit=20"))
    assert spent.within(Units(3, 0, 22, 0)), spent
    spent = count(lambda: payer.ask("GET", "/payments?limit=20&offset=5"))
    assert spent.within(Units(4, 0, 22 + 1, 0)), spent


@pytest.mark.parametrize("more", [{}, {"organization_id": "org_1"}])
def test_create_customer_within_budget(user: User, count: Count, more: dict[str, str]) -> None:
    spent = count(lambda: user.customer(**more))
    assert spent.within(Units(2, 12, 1, 1)), spent
    new = {"provider_id": "stripe", "email": "jane@example.com"} | more
    spent = count(lambda: user.ask("POST", "/customers", new, key="key-1"))
    assert spent.within(Units(2, 12, 1, 1) + KEY_RESERVED), spent


def test_get_customer_within_budget(user: User, count: Count) -> None:
    made = user.customer()
    spent = count(lambda: user.ask("GET", f"/customers/{made}"))
    assert spent.within(Units(1, 0, 2, 0)), spent


@pytest.mark.parametrize("change", [{"phone": "12345"}, {"name": "Jane Roe"}])
def test_update_customer_within_budget(user: User, count: Count, change: dict[str, str]) -> None:
    made = user.customer(organization_id="org_1")
    spent = count(lambda: user.ask("PUT", f"/customers/{made}", change))
    assert spent.within(Units(2, 4, 2, 1)), spent


def test_delete_customer_within_budget(user: User, count: Count) -> None:
    first, second = (user.customer(organization_id="org_1") for _ in range(2))
    spent = count(lambda: user.ask("DELETE", f"/customers/{second}"))
    assert spent.within(Units(2, 20, 2, 0) + OWN_CUSTOMER_DIFFERS), spent
    spent = count(lambda: user.ask("DELETE", f"/customers/{first}"))
    assert spent.within(Units(2, 20, 2, 0)), spent


def test_finish_deletion_of_a_customer_with_payments_within_budget(
    user: User, count: Count, setting: Callable[[str, str], None]
) -> None:
    """Ten write units for each payment in an organization.

    Source: docs/data-model.md, section 6.
    """
    setting("CASCADE_PAYMENTS", "1")
    customer, payments = user.customer(organization_id="org_1"), 12
    for _ in range(payments):
        made = user.order(customer_id=customer, organization_id="org_1")
        user.ask("POST", f"/payments/confirm/{made}", VISA)
    user.ask("DELETE", f"/customers/{customer}")
    pauses: list[float] = []
    spent = count(lambda: deletion.finish_due(sweep_run(), pauses.append))
    assert len(pauses) == 1
    assert spent.provider == 1
    assert spent.written <= 10 * payments + 10, spent
    assert spent.read <= 3 * payments, spent


def test_list_of_customers_within_budget(user: User, count: Count) -> None:
    for _ in range(24):
        user.customer()
    spent = count(lambda: user.ask("GET", "/customers?limit=20"))
    assert spent.within(Units(3, 0, 25, 0)), spent
    spent = count(lambda: user.ask("GET", "/customers?limit=20&offset=3"))
    assert spent.within(Units(4, 0, 25 + 1, 0)), spent


HOME = {"line1": "1 Main Street", "city": "Springfield", "country": "US"}
IN_ORGANIZATION = Units(0, 2, 0, 0)  # one more pointer
METHOD_SAVED = Units(2, 16, 3, 0)  # the customer, the token's item, and eight items with the state


def method_of(user: User, **more: object) -> str:
    made = user.ask("POST", "/payment-methods", {"token": "pm_card_visa"} | more)
    return str(made["id"])


def address_of(user: User, **more: object) -> str:
    return str(user.ask("POST", "/addresses", HOME | more)["id"])


@pytest.mark.parametrize("more", [{}, {"organization_id": "org_1"}])
def test_create_payment_method_within_budget(
    payer: User, count: Count, more: dict[str, str]
) -> None:
    method_of(payer, **more)
    spent = count(lambda: method_of(payer, **more))
    extra = IN_ORGANIZATION if more else Units(0, 0, 0, 0)
    assert spent.within(Units(4, 12, 3, 1) + extra), spent
    body = {"token": "pm_card_visa"} | more
    spent = count(lambda: payer.ask("POST", "/payment-methods", body, key="key-1"))
    assert spent.within(Units(4, 14, 3, 1) + extra + KEY_RESERVED), spent


def test_get_update_set_default_and_delete_payment_method_within_budget(
    payer: User, count: Count
) -> None:
    first, second = method_of(payer), method_of(payer)
    spent = count(lambda: payer.ask("GET", f"/payment-methods/{first}"))
    assert spent.within(Units(2, 0, 5, 0)), spent
    spent = count(lambda: payer.ask("PUT", f"/payment-methods/{first}", {"alias": "x"}))
    assert spent.within(Units(3, 2, 5, 0)), spent
    spent = count(lambda: payer.ask("POST", f"/payment-methods/{second}/set-default"))
    assert spent.within(Units(3, 4, 5, 0)), spent
    spent = count(lambda: payer.ask("DELETE", f"/payment-methods/{first}"))
    assert spent.within(Units(3, 9, 5, 0)), spent
    spent = count(lambda: payer.ask("DELETE", f"/payment-methods/{second}"))
    assert spent.within(Units(5, 9, 8, 0)), spent  # the next default is chosen


def test_list_of_payment_methods_within_budget(payer: User, count: Count) -> None:
    customer = payer.ask("GET", f"/payment-methods/{method_of(payer)}")["customer_id"]
    for _ in range(23):
        method_of(payer)
    spent = count(lambda: payer.ask("GET", "/payment-methods?limit=20"))
    assert spent.within(Units(5, 0, 1 + 1 + 3 * 20 + 1, 0)), spent
    spent = count(lambda: payer.ask("GET", f"/payment-methods/customer/{customer}?limit=20"))
    assert spent.within(Units(3, 0, 2 + 1 + 20, 0)), spent


def test_confirm_that_saves_its_method_within_budget(payer: User, count: Count) -> None:
    made = payer.order(setup_future_usage="off_session")
    spent = count(lambda: payer.ask("POST", f"/payments/confirm/{made}", VISA, "key-1"))
    assert spent.within(Units(4, 18, 5, 1) + SECRET_READ + METHOD_SAVED), spent


def test_every_endpoint_of_addresses_within_budget(payer: User, count: Count) -> None:
    address_of(payer)
    spent = count(lambda: address_of(payer))
    assert spent.within(Units(4, 8, 3, 0)), spent
    made = address_of(payer, is_default=True)
    spent = count(lambda: payer.ask("GET", f"/addresses/{made}"))
    assert spent.within(Units(2, 0, 4, 0)), spent
    spent = count(lambda: payer.ask("PUT", f"/addresses/{made}", {"line2": "x"}))
    assert spent.within(Units(3, 2, 4, 0)), spent
    spent = count(lambda: payer.ask("DELETE", f"/addresses/{made}"))
    assert spent.within(Units(3, 8, 4, 0) + BILLING_ADDRESS), spent
    for _ in range(20):
        address_of(payer)
    spent = count(lambda: payer.ask("GET", "/addresses?limit=20"))
    assert spent.within(Units(4, 0, 1 + 1 + 2 * 20 + 1, 0)), spent


DEFINITIONS = Units(1, 0, 1, 0)  # which custom fields are required, or have a default
NADIA = {"firstName": "Nadia", "email": "nadia@shop.test"}


@pytest.fixture
def shop(environment: Environment, tables: None) -> Ask:
    """Calls payments.ai endpoints by key. The organization has a customer already."""
    put_credential("api_key", "acct_1_key")

    def ask(method: str, path: str, body: object = None, key: str | None = None) -> Any:
        sent = {"Authorization": "ApiKey acct_1_key"} | ({"Idempotency-Key": key} if key else {})
        target = f"/v1/public-api/organizations/org_1/customers{path}"
        answer = environment.gateway.call(method, target, sent, json.dumps(body) if body else b"")
        assert answer.status < 300, answer
        return answer.json() if answer.body else None

    ask("POST", "", NADIA)
    return ask


def test_payments_ai_create_customer_within_budget(shop: Ask, count: Count) -> None:
    spent = count(lambda: shop("POST", "", NADIA))
    assert spent.within(Units(2, 10, 1, 0) + DEFINITIONS), spent
    spent = count(lambda: shop("POST", "", NADIA, "key-1"))
    assert spent.within(Units(2, 10, 1, 0) + DEFINITIONS + KEY_READ), spent
    spent = count(lambda: shop("POST", "", NADIA, "key-1"))
    assert spent.within(Units(1, 0, 1, 0) + KEY_READ), spent


def test_payments_ai_get_update_and_delete_customer_within_budget(shop: Ask, count: Count) -> None:
    target = f"/{shop('POST', '', NADIA)['id']}"
    spent = count(lambda: shop("GET", target))
    assert spent.within(Units(1, 0, 2, 0)), spent
    spent = count(lambda: shop("PUT", target, {"firstName": "Nina"}))
    assert spent.within(Units(2, 8, 2, 0)), spent
    spent = count(lambda: shop("PUT", target, {"firstName": "Nina", "customFields": {}}))
    assert spent.within(Units(1, 0, 2, 0) + DEFINITIONS), spent
    spent = count(lambda: shop("DELETE", target))
    assert spent.within(Units(2, 20, 2, 0)), spent


def test_payments_ai_list_and_search_of_customers_within_budget(shop: Ask, count: Count) -> None:
    for _ in range(24):
        shop("POST", "", NADIA)
    spent = count(lambda: shop("GET", "?limit=20"))
    assert spent.within(Units(4, 0, 25, 0)), spent
    spent = count(lambda: shop("GET", "?limit=20&offset=3"))
    assert spent.within(Units(5, 0, 25 + 1, 0)), spent
    spent = count(lambda: shop("GET", "?limit=20&search=nadia"))
    assert spent.within(Units(4, 0, 25, 0)), spent


@pytest.fixture
def merchant(client: Client) -> Callable[..., Any]:
    """Calls Monri endpoints with a token; each must succeed. The settings are cached already."""
    put_credential("merchant", "merchant-1", "key-1")
    token = merchants.issue_token("merchant-1", "key-1", []).token
    bearer = client.acting(authorization=f"Bearer {token}")

    def ask(method: str, path: str, body: object = None) -> Any:
        answer = bearer.ask(method, f"/v2{path}", body)
        assert answer.status == 200, answer
        return answer.json()

    ask("POST", "/customers", {})
    return ask


def test_monri_create_customer_within_budget(merchant: Ask, count: Count) -> None:
    spent = count(lambda: merchant("POST", "/customers", {"merchant_customer_id": "crm-1"}))
    assert spent.within(Units(2, 10, 1, 0)), spent


def test_monri_get_customer_by_both_ids_within_budget(merchant: Ask, count: Count) -> None:
    made = merchant("POST", "/customers", {"merchant_customer_id": "crm-1"})["uuid"]
    spent = count(lambda: merchant("GET", f"/customers/{made}"))
    assert spent.within(Units(1, 0, 2, 0)), spent
    spent = count(lambda: merchant("GET", "/merchants/customers/crm-1"))
    assert spent.within(Units(3, 0, 3, 0)), spent


def test_monri_list_of_payment_methods_within_budget(merchant: Ask, count: Count) -> None:
    made = merchant("POST", "/customers", {})["uuid"]
    spent = count(lambda: merchant("GET", f"/customers/{made}/payment-methods"))
    assert spent.within(Units(2, 0, 3, 0)), spent


@pytest.mark.parametrize("change", [{}, {"name": "Lejla", "merchant_customer_id": "crm-2"}])
def test_monri_update_customer_within_budget(
    merchant: Ask, count: Count, change: dict[str, str]
) -> None:
    made = merchant("POST", "/customers", {"merchant_customer_id": "crm-1"})["uuid"]
    spent = count(lambda: merchant("POST", f"/customers/{made}", change))
    assert spent.within(Units(2, 8, 2, 0)), spent


def test_monri_delete_customer_within_budget(merchant: Ask, count: Count) -> None:
    made = merchant("POST", "/customers", {"merchant_customer_id": "crm-1"})["uuid"]
    spent = count(lambda: merchant("DELETE", f"/customers/{made}"))
    assert spent.within(Units(2, 20, 2, 0)), spent


def test_monri_list_of_customers_within_budget(merchant: Ask, count: Count) -> None:
    for _ in range(24):
        merchant("POST", "/customers", {})
    spent = count(lambda: merchant("GET", "/customers?limit=20"))
    assert spent.within(Units(4, 0, 25, 0)), spent
    spent = count(lambda: merchant("GET", "/customers?limit=20&offset=3"))
    assert spent.within(Units(5, 0, 25 + 1, 0)), spent


def test_every_endpoint_of_alternative_payments_within_budget(client: Client, count: Count) -> None:
    """The credential and the customer are read in one batch. A cursor costs one more query."""
    put_credential("api_key", "a-key")
    keyed = client.acting(authorization="a-key")
    made = [keyed.ask("POST", "/customers", {"external_id": str(n)}).json() for n in range(24)]
    target = f"/customers/{made[0]['id']}"

    def request(method: str, target: str, body: object = None) -> Units:
        return count(lambda: keyed.ask(method, target, body))

    new = request("POST", "/customers", {"external_id": "erp-77"})
    assert new.within(Units(2, 8, 1, 0)), new
    one = request("GET", target)
    assert one.within(Units(1, 0, 2, 0)), one
    page = request("GET", "/customers?limit=20")
    assert page.within(Units(3, 0, 22, 0)), page
    cursor = keyed.ask("GET", "/customers?limit=3").json()["end_cursor"]
    for way, found in (("after", 20), ("before", 2)):
        page = request("GET", f"/customers?limit=20&{way}={cursor}")
        assert page.within(Units(4, 0, 3 + found, 0)), (way, page)
    user = request("POST", f"{target}/users", {"first_name": "Rosa"})
    assert user.within(Units(2, 4, 2, 0)), user
    users = request("GET", f"{target}/users")
    assert users.within(Units(2, 0, 3, 0)), users
    methods = request("GET", f"{target}/payment-methods")
    assert methods.within(Units(2, 0, 3, 0)), methods
    archived = request("DELETE", target)
    assert archived.within(Units(2, 20, 2, 0)), archived
