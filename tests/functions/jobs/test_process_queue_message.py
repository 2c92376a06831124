"""jobs/process_queue_message: events and status checks.

Source: docs/payment-correctness.md, sections 6 and 7.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from moto.sqs.models import sqs_backends

from bridge import clock
from bridge.core.operations import payment_operator
from bridge.models.queue_message import WebhookEventReference
from bridge.store import dynamodb
from bridge.store.dedupe import webhook_items
from bridge.store.payments import event_counter_items, payment_items
from functions.jobs.process_queue_message.handler import handler
from local import database
from local.functions import ACCOUNT, REGION, Context
from local.stripe.simulator import StripeSimulator
from tests.conftest import Crash, Environment, Killed, together
from tests.functions.conftest import VISA, Api, Dashboard
from tests.stripe_events import (
    TARGET,
    Event,
    about_intent,
    batch,
    delayed,
    event,
    sign,
    waiting,
    wrapped,
)

Later = Callable[[float], None]
Operate = Callable[..., dict[str, Any]]
NAME = "jobs/process_queue_message"
Deliver = Callable[..., list[str]]
Message = dict[str, Any]


def event_reference(payment: dict[str, Any], event_id: str = "evt_1", **more: object) -> Message:
    """The message that the webhook queues for an event on a payment's intent."""
    known = {
        "provider_id": "stripe",
        "event_id": event_id,
        "type": "payment_intent.succeeded",
        "payment_id": payment["id"],
        "provider_payment_id": payment["provider_payment_id"],
    }
    given = {name: value for name, value in (known | more).items() if value is not None}
    return {"event_reference": given}


@pytest.fixture
def deliver(tables: None, context: Callable[[str], Context]) -> Deliver:
    """Hand messages to the worker in one batch; returns those that it leaves in the queue."""

    def run(*bodies: object) -> list[str]:
        result = handler(batch(*bodies), context("JobsProcessQueueMessage"))
        return [each["itemIdentifier"] for each in result["batchItemFailures"]]

    return run


@pytest.fixture
def queue(environment: Environment) -> str:
    return environment.queues["SyncQueue"]


@pytest.fixture
def paid(api: Api, stripe_simulator: StripeSimulator) -> dict[str, Any]:
    """A payment that the payer has paid in the browser; our row does not say so yet."""
    made = api.payment()
    pay(stripe_simulator, made)
    return made


def pay(stripe_simulator: StripeSimulator, made: dict[str, Any]) -> None:
    intent, secret = made["provider_payment_id"], made["client_secret"]
    stripe_simulator.browser_confirm(intent, secret, "pm_card_visa")


def status(api: Api, payment: dict[str, Any]) -> str:
    return str(api.get(f"/payments/{payment['id']}").body["status"])


def fetches(stripe_simulator: StripeSimulator) -> int:
    return len([each for each in stripe_simulator.requests if each.method == "GET"])


def remembered(event_id: str) -> dict[str, Any] | None:
    known = WebhookEventReference(provider_id="stripe", event_id=event_id, type="")
    return dynamodb.get(webhook_items.place(known))


def test_event_file_synchronizes_the_demo_payment(
    demo_data: StripeSimulator, operate: Operate
) -> None:
    assert operate(handler, NAME) == {"batchItemFailures": []}
    assert remembered("evt_1SqP3nLkdIwHu7ix8wq2kV5T")
    payment = payment_items.get("pay_123")
    assert payment
    assert payment.status == "succeeded"


def test_event_synchronizes_its_payment_and_is_remembered_as_seen(
    api: Api, paid: dict[str, Any], deliver: Deliver
) -> None:
    assert deliver(event_reference(paid)) == []
    assert status(api, paid) == "succeeded"
    seen = payment_operator.inspect_payment(paid["id"])
    assert seen.timeline[-1].cause == "webhook"
    assert seen.timeline_is_whole
    item = remembered("evt_1")
    assert item
    assert item["state"] == "seen"
    assert item["exp"] == pytest.approx(clock.seconds() + 30 * 24 * 3600, abs=5)


def test_state_in_an_event_is_ignored(
    api: Api, deliver: Deliver, stripe_simulator: StripeSimulator
) -> None:
    """The event says succeeded; Stripe, when asked, does not (rule 7)."""
    made = api.payment()
    assert deliver(event_reference(made), wrapped(about_intent(made, status="succeeded"))) == []
    assert status(api, made) == "created"


def test_repeated_event_does_not_ask_the_provider(
    paid: dict[str, Any], deliver: Deliver, stripe_simulator: StripeSimulator
) -> None:
    deliver(event_reference(paid))
    before, asked = payment_items.get(paid["id"]), fetches(stripe_simulator)
    assert deliver(event_reference(paid), event_reference(paid)) == []
    assert fetches(stripe_simulator) == asked
    assert payment_items.get(paid["id"]) == before
    counter = event_counter_items.get(paid["id"])
    assert counter
    assert (counter.received, counter.covered, counter.due_at) == (3, 3, None)


def test_event_without_change_is_remembered_and_raises_the_version(
    paid: dict[str, Any], deliver: Deliver, later: Later
) -> None:
    deliver(event_reference(paid, "evt_1"))
    later(5)
    before = payment_operator.inspect_payment(paid["id"])
    assert deliver(event_reference(paid, "evt_2")) == []
    assert remembered("evt_2")
    after = payment_operator.inspect_payment(paid["id"])
    assert after.timeline == before.timeline
    assert after.payment["version"] == int(str(before.payment["version"])) + 1  # rule 6


def test_event_is_handled_again_after_30_days(
    paid: dict[str, Any], deliver: Deliver, later: Later, stripe_simulator: StripeSimulator
) -> None:
    """DynamoDB deletes expired items days late, so the code compares the time itself."""
    deliver(event_reference(paid))
    later(30 * 24 * 3600 + 1)
    asked = fetches(stripe_simulator)
    assert deliver(event_reference(paid)) == []
    assert fetches(stripe_simulator) == asked + 1
    assert remembered("evt_1")


def test_event_without_our_reference_is_matched_by_provider_id(
    api: Api, paid: dict[str, Any], deliver: Deliver, stripe_simulator: StripeSimulator
) -> None:
    assert deliver(event_reference(paid, payment_id=None, type="charge.refunded")) == []
    assert status(api, paid) == "succeeded"


@pytest.mark.parametrize("reference", ["pay_nobody", "cust_1", "", "pay_#P", "x" * 500])
def test_event_with_invalid_reference_is_matched_by_provider_id(
    reference: str, api: Api, paid: dict[str, Any], deliver: Deliver
) -> None:
    assert deliver(event_reference(paid, payment_id=reference)) == []
    assert status(api, paid) == "succeeded"


def test_event_with_only_a_charge_is_matched_by_the_charge(
    api: Api, paid: dict[str, Any], deliver: Deliver, stripe_simulator: StripeSimulator
) -> None:
    """A dispute or a refund may have no intent. Source: docs/providers.md, section D.1."""
    (charge,) = stripe_simulator.charges()
    by_charge = event_reference(
        paid, payment_id=None, provider_payment_id=None, parent_id=charge["id"]
    )
    assert deliver(by_charge) == []
    assert status(api, paid) == "succeeded"


@pytest.mark.parametrize("by", ["charge", "intent"])
def test_event_without_pointer_is_matched_by_the_reference_of_the_parent(
    by: str, api: Api, paid: dict[str, Any], deliver: Deliver, stripe_simulator: StripeSimulator
) -> None:
    intent = paid["provider_payment_id"]
    key = {"pk": {"S": f"PP#stripe#{intent}"}, "sk": {"S": "PP"}}
    database.client().delete_item(TableName="bridge-local-ledger", Key=key)
    (charge,) = stripe_simulator.charges()
    parent = charge["id"] if by == "charge" else intent
    assert deliver(event_reference(paid, payment_id=None, parent_id=parent)) == []
    assert status(api, paid) == "succeeded"


@pytest.mark.parametrize("parent", [None, "pi_of_another_system", "ch_of_another_system"])
def test_foreign_event_is_unmatched_and_asked_about_only_once(
    parent: str | None,
    environment: Environment,
    deliver: Deliver,
    stripe_simulator: StripeSimulator,
) -> None:
    foreign = {"id": None, "provider_payment_id": "pi_of_another_system"}
    assert deliver(event_reference(foreign, parent_id=parent)) == []
    item = remembered("evt_1")
    assert item
    assert item["state"] == "unmatched"
    asked = len(stripe_simulator.requests)
    assert asked == (1 if parent else 0)
    assert deliver(event_reference(foreign, parent_id=parent)) == []
    assert len(stripe_simulator.requests) == asked


def test_event_with_our_form_of_id_but_no_payment_leaves_no_counter_behind(
    environment: Environment, deliver: Deliver
) -> None:
    """For example an event of another stage that uses the same account."""
    foreign = {"id": "pay_nobody", "provider_payment_id": "pi_of_another_system"}
    assert deliver(event_reference(foreign)) == []
    assert event_counter_items.get("pay_nobody") is None
    assert (remembered("evt_1") or {})["state"] == "unmatched"


def test_event_by_partner_bus_and_by_webhook_is_handled_once(
    api: Api, paid: dict[str, Any], deliver: Deliver, stripe_simulator: StripeSimulator
) -> None:
    sent = about_intent(paid)
    assert deliver(wrapped(sent)) == []
    assert status(api, paid) == "succeeded"
    asked = fetches(stripe_simulator)
    assert (
        deliver(event_reference(paid, sent["id"]), wrapped(sent)) == []
    )  # one event, by both ways
    assert fetches(stripe_simulator) == asked


def test_partner_event_is_deduplicated_by_the_inner_id(
    paid: dict[str, Any], deliver: Deliver, stripe_simulator: StripeSimulator, later: Later
) -> None:
    first, second = about_intent(paid), about_intent(paid)
    deliver(wrapped(first, id="one"))
    asked = fetches(stripe_simulator)
    deliver(wrapped(first, id="two"))
    assert fetches(stripe_simulator) == asked
    later(1)
    deliver(wrapped(second, id="one"))
    assert fetches(stripe_simulator) == asked + 1


def test_partner_event_of_unrelated_type_is_dropped(
    deliver: Deliver, tables: None, stripe_simulator: StripeSimulator
) -> None:
    assert deliver(wrapped(event("customer.deleted", {"id": "cus_1"}))) == []
    assert stripe_simulator.requests == []


FORMS: list[object] = [
    "no JSON",
    "[]",
    "{}",
    '{"event_reference": {"provider_id": "stripe"}}',
    '{"event_reference": {"provider_id": "nobody", "event_id": "e", "type": "t"}}',
    '{"source": "aws.partner/stripe.com.evil/x", "detail": {}}',
    '{"source": "aws.partner/stripe.com/x"}',
    json.dumps(event("payment_intent.succeeded", {"id": "pi_1"})),  # no envelope
]


@pytest.mark.parametrize("form", FORMS)
def test_malformed_message_stays_in_the_queue(
    form: object, api: Api, paid: dict[str, Any], deliver: Deliver
) -> None:
    assert deliver(form, event_reference(paid)) == ["message-0"]
    assert status(api, paid) == "succeeded"


def test_partner_event_of_the_other_mode_stays_in_the_queue(
    paid: dict[str, Any], api: Api, deliver: Deliver
) -> None:
    live = wrapped(about_intent(paid, livemode=True))
    assert deliver(live, event_reference(paid)) == ["message-0"]


def test_events_that_come_during_a_check_share_one_further_check(
    paid: dict[str, Any],
    deliver: Deliver,
    crash: Crash,
    stripe_simulator: StripeSimulator,
    queue: str,
) -> None:
    """Rule 14: they are only counted, and the check that runs goes on until all are covered."""
    others = [event_reference(paid, f"evt_{number}") for number in range(2, 11)]
    asked = fetches(stripe_simulator)
    crash.at, crash.meanwhile = "fetched", lambda _: deliver(*others)
    assert deliver(event_reference(paid)) == []
    assert fetches(stripe_simulator) == asked + 2
    counter = event_counter_items.get(paid["id"])
    assert counter
    assert (counter.received, counter.covered, counter.due_at) == (10, 10, None)
    assert all(remembered(f"evt_{number}") for number in range(1, 11))
    assert (delayed(queue), waiting(queue)) == (0, [])


def test_change_during_a_check_is_found_by_the_further_check(
    api: Api, paid: dict[str, Any], deliver: Deliver, crash: Crash, dashboard: Dashboard
) -> None:
    def refund(_: str) -> None:
        dashboard.refund(paid, 500)
        assert deliver(event_reference(paid, "evt_2", type="charge.refunded")) == []

    crash.at, crash.meanwhile = "fetched", refund
    assert deliver(event_reference(paid)) == []
    assert status(api, paid) == "partially_refunded"


def test_event_whose_check_fails_is_counted_and_left_to_the_sweep(
    environment: Environment,
    api: Api,
    deliver: Deliver,
    stripe_simulator: StripeSimulator,
    later: Later,
) -> None:
    first, second = api.payment(), api.payment()
    for each in (first, second):
        pay(stripe_simulator, each)
    path = f"/v1/payment_intents/{first['provider_payment_id']}"
    stripe_simulator.fault("", "500_before", times=2, path=path)
    assert deliver(event_reference(first, "evt_1"), event_reference(second, "evt_2")) == []
    assert (status(api, first), status(api, second)) == ("created", "succeeded")
    assert remembered("evt_1")
    later(60)
    environment.gateway.functions.invoke("JobsSweepPayments", {})
    assert status(api, first) == "succeeded"


def test_batch_that_fails_completely_raises_without_message_content(
    deliver: Deliver, tables: None
) -> None:
    with pytest.raises(Exception, match="All records failed") as raised:
        deliver("canary, no JSON", '{"event_reference": {"event_id": "canary"}}')
    assert "canary" not in str(raised.value)


def test_event_of_a_payment_at_rest_whose_check_fails_is_not_lost(
    environment: Environment,
    api: Api,
    paid: dict[str, Any],
    deliver: Deliver,
    stripe_simulator: StripeSimulator,
    dashboard: Dashboard,
    later: Later,
) -> None:
    """The payment is not due, so the counter is the only thing that leads to it."""
    deliver(event_reference(paid))
    later(2)
    dashboard.refund(paid, 2000)
    stripe_simulator.fault("fetch", "drop_before", times=2)
    refunded = event_reference(paid, "evt_2", type="charge.refunded", payment_id=None)
    assert deliver(refunded) == []
    payment = payment_items.get(paid["id"])
    assert payment
    assert (payment.due_at, status(api, paid)) == (None, "succeeded")
    later(60)
    environment.gateway.functions.invoke("JobsSweepPayments", {})
    assert status(api, paid) == "refunded"


CRASH_POINTS = ["event_received", "fetched", "committing", "committed"]


@pytest.mark.parametrize("crash_point", CRASH_POINTS)
@pytest.mark.parametrize("rescue", ["again", "sweep"])
def test_worker_killed_at_any_crash_point_loses_nothing(
    crash_point: str,
    rescue: str,
    environment: Environment,
    api: Api,
    paid: dict[str, Any],
    deliver: Deliver,
    crash: Crash,
    later: Later,
    stripe_simulator: StripeSimulator,
) -> None:
    """It has counted the event, so the counter is due, whether its message comes again or not."""
    crash.at = crash_point
    with pytest.raises(Killed):
        deliver(event_reference(paid))
    assert (remembered("evt_1") is not None) == (crash_point == "committed")
    if rescue == "again":
        assert deliver(event_reference(paid)) == []
        assert remembered("evt_1")
    later(360)
    environment.gateway.functions.invoke("JobsSweepPayments", {})
    assert status(api, paid) == "succeeded"
    seen = payment_operator.inspect_payment(paid["id"])
    assert seen.timeline_is_whole
    assert [entry.to_status for entry in seen.timeline] == ["created", "succeeded"]
    assert len(stripe_simulator.charges()) == 1


@pytest.mark.parametrize("crash_point", ["event_received", "fetched", "committing"])
def test_same_event_handled_meanwhile_changes_the_payment_once(
    crash_point: str, paid: dict[str, Any], deliver: Deliver, crash: Crash
) -> None:
    crash.at, crash.meanwhile = crash_point, lambda _: deliver(event_reference(paid))
    assert deliver(event_reference(paid)) == []
    seen = payment_operator.inspect_payment(paid["id"])
    assert [entry.to_status for entry in seen.timeline] == ["created", "succeeded"]
    assert seen.timeline_is_whole


@pytest.mark.parametrize("crash_point", ["event_received", "fetched", "committing"])
def test_event_after_version_conflict_is_handled_again(
    crash_point: str, api: Api, paid: dict[str, Any], deliver: Deliver, crash: Crash
) -> None:
    crash.at, crash.meanwhile = crash_point, lambda _: api.sync(paid)
    assert deliver(event_reference(paid)) == []
    assert remembered("evt_1")
    seen = payment_operator.inspect_payment(paid["id"])
    assert [entry.to_status for entry in seen.timeline] == ["created", "succeeded"]


def test_worker_reads_no_secret_after_version_conflict(
    api: Api, paid: dict[str, Any], deliver: Deliver, crash: Crash
) -> None:
    """Its role does not allow it. Source: docs/data-model.md, section 1."""
    read: list[str] = []

    def record(params: dict[str, Any], **_: object) -> None:
        read.append(params["body"].decode())

    def meanwhile(_: str) -> None:
        api.sync(paid)
        dynamodb.client().meta.events.register("before-call.dynamodb.BatchGetItem", record)

    crash.at, crash.meanwhile = "fetched", meanwhile
    try:
        assert deliver(event_reference(paid)) == []
    finally:
        dynamodb.client().meta.events.unregister("before-call.dynamodb.BatchGetItem", record)
    assert [body for body in read if "CS#" in body] == []
    assert remembered("evt_1")


def test_concurrent_deliveries_of_one_event_change_the_payment_once(
    paid: dict[str, Any], deliver: Deliver
) -> None:
    assert together(8, lambda _: deliver(event_reference(paid))) == [[]] * 8
    seen = payment_operator.inspect_payment(paid["id"])
    assert [entry.to_status for entry in seen.timeline] == ["created", "succeeded"]


def test_unknown_outcome_queues_status_checks_in_5_and_30_seconds(
    api: Api, stripe_simulator: StripeSimulator, queue: str
) -> None:
    made = api.payment()
    stripe_simulator.fault("confirm", "drop_after")
    assert api.confirm(made, VISA).status == 202
    assert (delayed(queue), waiting(queue)) == (2, [])
    sent = sqs_backends[ACCOUNT][REGION].queues["bridge-local-SyncQueue"]._messages
    waits = [(each.delayed_until - float(each.sent_timestamp or 0)) / 1000 for each in sent]
    assert waits == pytest.approx([5, 30], abs=1)
    assert [json.loads(message.body) for message in sent] == [status_check_of(made, 2)] * 2


def status_check_of(payment: dict[str, Any], attempt: int) -> Message:
    return {"status_check": {"payment_id": payment["id"], "attempt": attempt}}


def test_status_check_finds_the_outcome_of_a_lost_response(
    api: Api, stripe_simulator: StripeSimulator, deliver: Deliver, later: Later
) -> None:
    made = api.payment()
    stripe_simulator.fault("confirm", "drop_after")
    api.confirm(made, VISA)
    later(5)
    assert deliver(status_check_of(made, 2)) == []
    assert status(api, made) == "succeeded"
    assert payment_operator.inspect_payment(made["id"]).timeline[-1].cause == "sweep"
    asked = fetches(stripe_simulator)
    assert deliver(status_check_of(made, 2)) == [], "the second finds the attempt ended"
    assert fetches(stripe_simulator) == asked


@pytest.mark.parametrize("kind", ["drop_before", "500_before"])
def test_failed_status_check_is_done_and_the_payment_stays_due(
    kind: str, api: Api, stripe_simulator: StripeSimulator, deliver: Deliver, later: Later
) -> None:
    made = api.payment()
    stripe_simulator.fault("confirm", "drop_after")
    api.confirm(made, VISA)
    later(5)
    stripe_simulator.fault("fetch", kind, times=2)
    assert deliver(status_check_of(made, 2)) == []
    payment = payment_items.get(made["id"])
    assert payment
    assert payment.due_at
    assert status(api, made) == "processing"


def test_status_check_of_unknown_payment_is_done(deliver: Deliver, tables: None) -> None:
    assert deliver(status_check_of({"id": "pay_nobody"}, 1)) == []


@pytest.mark.parametrize("operation", ["create", "confirm"])
def test_failing_queue_fails_no_request(
    operation: str,
    api: Api,
    stripe_simulator: StripeSimulator,
    setting: Callable[[str, str], None],
    environment: Environment,
    later: Later,
) -> None:
    made = api.payment()
    setting("QUEUE_URL", environment.queues["SyncQueue"] + "-gone")
    if operation == "create":
        stripe_simulator.fault("create_payment", "drop_after", times=2)
        reply = api.post("/payments/intents", {"total_cents": 2000, "currency": "USD"})
    else:
        stripe_simulator.fault("confirm", "drop_after")
        reply = api.confirm(made, VISA)
    assert (reply.status, reply.body["status"]) == (202, "processing")
    later(120)
    environment.gateway.functions.invoke("JobsSweepPayments", {})
    expected = "succeeded" if operation == "confirm" else "created"
    assert api.get(f"/payments/{reply.body['id']}").body["status"] == expected


def method_event_reference(method: dict[str, Any], event_id: str = "evt_1") -> Message:
    return {
        "method_event_reference": {
            "provider_id": "stripe",
            "event_id": event_id,
            "type": "payment_method.automatically_updated",
            "token": method["provider_payment_method_id"],
        }
    }


def about_method(method: dict[str, Any], **more: object) -> Event:
    about = {"id": method["provider_payment_method_id"], "object": "payment_method"}
    return event("payment_method.detached", about | {"customer": None}, **more)


def listed(api: Api) -> list[str]:
    return [each["id"] for each in api.get("/payment-methods").body]


def test_event_of_a_saved_method_stores_the_renewed_card(
    api: Api, deliver: Deliver, stripe_simulator: StripeSimulator
) -> None:
    method = api.method()
    stripe_simulator.dashboard_method("renew", method["provider_payment_method_id"])
    assert deliver(method_event_reference(method)) == []
    assert remembered("evt_1")
    saved = api.get(f"/payment-methods/{method['id']}").body
    assert (saved["last4"], saved["exp_year"]) == ("4243", method["exp_year"] + 4)
    asked = fetches(stripe_simulator)
    assert deliver(method_event_reference(method)) == []
    assert fetches(stripe_simulator) == asked


def test_state_in_an_event_of_a_method_is_ignored(
    api: Api, deliver: Deliver, stripe_simulator: StripeSimulator
) -> None:
    """The event says detached; Stripe, when asked, does not. Also by the partner's bus."""
    method = api.method()
    message = method_event_reference(method)
    message["method_event_reference"]["type"] = "payment_method.detached"
    assert deliver(message, wrapped(about_method(method))) == []
    assert listed(api) == [method["id"]]
    stripe_simulator.dashboard_method("detach", method["provider_payment_method_id"])
    sent = wrapped(about_method(method))
    for _ in range(2):
        assert deliver(sent) == []
    assert listed(api) == []
    assert remembered(sent["detail"]["id"])


def test_event_of_a_method_stays_in_the_queue_if_the_provider_fails(
    api: Api, deliver: Deliver, stripe_simulator: StripeSimulator
) -> None:
    gone, other = api.method(), api.method()
    for each in (gone, other):
        stripe_simulator.dashboard_method("detach", each["provider_payment_method_id"])
    stripe_simulator.fault("fetch_method", "500_before", times=2)
    assert deliver(
        method_event_reference(gone, "evt_1"), method_event_reference(other, "evt_2")
    ) == ["message-0"]
    assert listed(api) == [gone["id"]]
    assert deliver(method_event_reference(gone, "evt_1")) == []
    assert listed(api) == []


def test_event_of_an_unknown_method_is_done_without_asking_the_provider(
    api: Api, deliver: Deliver, stripe_simulator: StripeSimulator
) -> None:
    asked = len(stripe_simulator.requests)
    assert deliver(method_event_reference({"provider_payment_method_id": "pm_theirs"})) == []
    assert len(stripe_simulator.requests) == asked
    assert remembered("evt_1") is None


def test_webhook_reaches_the_payment_through_gateway_and_queue(
    environment: Environment, api: Api, paid: dict[str, Any], stripe_simulator: StripeSimulator
) -> None:
    sent: Event = about_intent(paid)
    assert send_webhook(environment, sent) == 200
    environment.worker.drain()
    assert status(api, paid) == "succeeded"
    assert waiting(environment.queues["SyncQueue"]) == []
    assert waiting(environment.queues["SyncDeadLetters"]) == []


def send_webhook(environment: Environment, sent: Event) -> int:
    body = json.dumps(sent)
    return environment.gateway.call("POST", TARGET, {"Stripe-Signature": sign(body)}, body).status
