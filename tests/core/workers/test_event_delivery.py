"""Every event of the timeline reaches the bus, in the order of its payment.

Source: docs/data-model.md, section 7; docs/payment-correctness.md, section 9.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from bridge import aws, clock
from bridge.bodies.payment import Confirmation, NewPayment
from bridge.core.payments import change_payment, create_payment
from bridge.core.rules import scheduling
from bridge.core.workers import event_delivery
from bridge.errors import TemporarilyUnavailable
from bridge.models.outbox import ChangedKey, Cursor
from bridge.models.payment import Payment
from bridge.models.run_context import RunContext
from bridge.store import dynamodb, keys
from bridge.store.payments import outbox_items, payment_items
from tests.conftest import USER, Crash, Killed, run_context, together
from tests.store.conftest import Wire
from tests.store.payments.test_outbox_items import DISPUTE, REFUND, put_entries, put_entry

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")
Subscriber = Callable[[], list[dict[str, Any]]]
Later = Callable[[float], None]
VISA = Confirmation(payment_method_id="pm_card_visa")
HOUR = 3600


@pytest.fixture
def bus_wire(subscriber: Subscriber) -> Iterator[Wire]:
    """The requests to the bus, just before they leave."""
    with ExitStack() as undo:
        yield Wire(undo, aws.client("events", 3))


def trigger_run(seconds: float = 60) -> RunContext:
    return RunContext(cause="sweep", ends_at=clock.now() + timedelta(seconds=seconds))


def deliver(*payment_ids: str) -> event_delivery.Delivered:
    return event_delivery.deliver(payment_ids, trigger_run())


def paid() -> Payment:
    """A payment with two entries: created, succeeded."""
    new = NewPayment(total_cents=2000, currency="USD")
    payment = create_payment.create_payment_intent(USER, new, run_context()).payment
    return change_payment.confirm(USER, payment.id, VISA, run_context()).payment


def delivered_events(subscriber: Subscriber) -> list[tuple[str, int]]:
    """Payment and sequence of each event on the bus, in its order."""
    return [(each["detail"]["payment_id"], each["detail"]["seq"]) for each in subscriber()]


def sequences(subscriber: Subscriber, payment_id: str = "pay_1") -> list[int]:
    return [number for each, number in delivered_events(subscriber) if each == payment_id]


def names(subscriber: Subscriber) -> list[tuple[int, str]]:
    """Sequence and name of each event on the bus, in its order."""
    return [(each["detail"]["seq"], each["detail-type"]) for each in subscriber()]


def cursor(payment_id: str = "pay_1") -> Cursor:
    return outbox_items.get_cursor(payment_id)


def refuse(wire: Wire, *refused: str) -> None:
    """Let the bus refuse events of these names, and take the others of the same call."""

    def refuse_some(request: AWSPreparedRequest) -> AWSResponse | None:
        entries = json.loads(request.body)["Entries"]
        sent = [each["DetailType"] for each in entries]
        if not set(sent) & set(refused):
            return None
        answers = [
            {"ErrorCode": "InternalFailure"} if name in refused else {"EventId": name}
            for name in sent
        ]
        body = {"FailedEntryCount": len(answers), "Entries": answers}
        wire.requests.append({"taken": [name for name in sent if name not in refused]})
        return wire.response(request, 200, body)

    wire.listen("PutEvents", refuse_some)


def test_each_event_is_sent_in_the_documented_form(subscriber: Subscriber) -> None:
    payment = paid()
    assert deliver(payment.id) == event_delivery.Delivered(
        events=2, deferred=0, retries_exhausted=0, left=0
    )
    first, second = subscriber()
    entries = payment_items.timeline(payment.id)
    assert {each["source"] for each in (first, second)} == {"bridge.payments"}
    assert [each["detail-type"] for each in (first, second)] == [
        "payment.created",
        "payment.succeeded",
    ]
    assert first["detail"] == {
        "payment_id": payment.id,
        "seq": 1,
        "from": "new",
        "to": "created",
        "at": f"{entries[0].at:%Y-%m-%dT%H:%M:%SZ}",
    }
    assert second["time"] == second["detail"]["at"]
    assert cursor(payment.id).sent == 2


@pytest.mark.parametrize(
    ("change", "name", "more"),
    [
        (
            {"refund": REFUND},
            "refund.pending",
            {"refund_id": "ref_1", "amount_cents": 500, "currency": "USD"},
        ),
        ({"dispute": DISPUTE}, "dispute.opened", {"dispute_id": "dp_1"}),
    ],
)
def test_event_of_a_refund_or_dispute_says_which_one(
    change: dict[str, Any], name: str, more: dict[str, Any], subscriber: Subscriber
) -> None:
    put_entry(1, **change)
    assert deliver("pay_1").events == 2
    status, event = subscriber()
    assert (status["detail-type"], event["detail-type"]) == ("payment.1", name)
    assert event["detail"] == status["detail"] | more


def test_both_events_of_an_entry_are_sent_in_order_with_its_sequence(
    subscriber: Subscriber,
) -> None:
    put_entry(1, refund=REFUND)
    put_entry(2, event=None, dispute=DISPUTE)
    put_entry(3)
    assert deliver("pay_1").events == 4
    assert names(subscriber) == [
        (1, "payment.1"),
        (1, "refund.pending"),
        (2, "dispute.opened"),
        (3, "payment.3"),
    ]
    assert cursor().sent == 3


def test_refused_second_event_of_an_entry_sends_both_again_with_the_same_sequence(
    subscriber: Subscriber, bus_wire: Wire
) -> None:
    """The cursor counts entries. Subscribers drop the repeat by sequence and name."""
    put_entries(1)
    put_entry(2, refund=REFUND)
    put_entries(3)
    refuse(bus_wire, "refund.pending")
    delivered = deliver("pay_1")
    assert (delivered.events, delivered.deferred) == (2, 1)
    assert cursor().sent == 1
    bus_wire.undo.close()
    assert deliver("pay_1").events == 3
    second = [(2, "payment.2"), (2, "refund.pending")]
    assert names(subscriber) == [(1, "payment.1"), (2, "payment.2"), *second, (3, "payment.3")]
    assert (cursor().sent, cursor().due_at) == (3, None)


def test_first_event_of_an_entry_that_is_sent_again_is_no_progress(
    later: Later, bus_wire: Wire
) -> None:
    """Else the tries for the second one would never become rarer, and never end."""
    put_entry(1, refund=REFUND)
    refuse(bus_wire, "refund.pending")
    deliver("pay_1")
    since = cursor().failing_since
    later(HOUR)
    deliver("pay_1")
    assert since
    assert (cursor().sent, cursor().failing_since) == (0, since)


def test_run_without_time_for_the_second_event_of_an_entry_leaves_the_entry_due(
    subscriber: Subscriber, bus_wire: Wire, later: Later
) -> None:
    for number in (1, 2, 3):
        put_entry(number, refund=REFUND)
    bus_wire.listen("PutEvents", lambda _: later(10))
    assert event_delivery.deliver(["pay_1"], trigger_run(60)).events == 5
    assert (cursor().sent, cursor().failing_since) == (2, None)
    assert (cursor().due_at or 0) <= clock.seconds()
    bus_wire.undo.close()
    deliver("pay_1")
    third = [(3, "payment.3"), (3, "refund.pending")]
    assert names(subscriber)[4:] == [third[0], *third]


def test_entries_without_events_are_passed_over(subscriber: Subscriber) -> None:
    for number, event in ((1, None), (2, "payment.2"), (3, None), (4, "payment.4"), (5, None)):
        put_entry(number, event=event)
    assert deliver("pay_1").events == 2
    assert sequences(subscriber) == [2, 4]
    assert (cursor().sent, cursor().due_at) == (5, None)


def test_cursor_moves_up_to_the_entry_whose_event_was_refused(bus_wire: Wire) -> None:
    put_entry(1, event=None)
    put_entry(2, event=None)
    put_entry(3)
    refuse(bus_wire, "payment.3")
    assert deliver("pay_1").deferred == 1
    assert cursor().sent == 2


def test_entries_without_events_alone_write_nothing(subscriber: Subscriber) -> None:
    """They are read again with the next event, which is cheaper than a write for each."""
    put_entry(1, event=None)
    assert deliver("pay_1") == event_delivery.Delivered(
        events=0, deferred=0, retries_exhausted=0, left=0
    )
    assert cursor().version == 0
    put_entries(2)
    deliver("pay_1")
    assert (sequences(subscriber), cursor().sent) == ([2], 2)


def test_cursor_moves_past_a_whole_page_of_entries_without_events(
    subscriber: Subscriber,
) -> None:
    for number in range(1, outbox_items.PAGE + 1):
        put_entry(number, event=None)
    put_entries(outbox_items.PAGE + 1)
    assert deliver("pay_1").events == 0
    assert cursor().sent == outbox_items.PAGE
    assert (cursor().due_at or 0) <= clock.seconds()
    assert deliver("pay_1").events == 1
    assert (cursor().sent, cursor().due_at) == (outbox_items.PAGE + 1, None)
    assert sequences(subscriber) == [outbox_items.PAGE + 1]


def test_due_cursor_without_events_to_send_is_due_no_more() -> None:
    put_entry(1, event=None)
    assert event_delivery.replay("pay_1", 1, trigger_run()).events == 0
    assert (cursor().sent, cursor().due_at) == (1, None)


def test_trigger_without_new_entries_sends_and_writes_nothing(subscriber: Subscriber) -> None:
    put_entries(1, 2)
    deliver("pay_1")
    before = cursor()
    assert deliver("pay_1", "pay_without_any").events == 0
    assert sequences(subscriber) == [1, 2]
    assert cursor() == before
    assert cursor("pay_without_any").version == 0


def test_events_of_several_payments_share_calls_and_keep_their_order(
    subscriber: Subscriber, bus_wire: Wire
) -> None:
    ids = [f"pay_{number}" for number in range(13)]
    for payment_id in ids:
        put_entries(1, 2, 3, payment_id=payment_id)
    bus_wire.watch("PutEvents")
    assert deliver(*ids).events == 39
    assert [sequences(subscriber, each) for each in ids] == [[1, 2, 3]] * 13
    assert [len(each["Entries"]) for each in bus_wire.requests] == [10, 10, 10, 3, 3, 3]


def test_payment_with_more_events_than_a_page_is_due_now_for_the_rest(
    subscriber: Subscriber,
) -> None:
    last = outbox_items.PAGE + 5
    put_entries(*range(1, last + 1))
    deliver("pay_1")
    assert cursor().sent == outbox_items.PAGE
    assert clock.seconds() - 1 <= (cursor().due_at or 0) <= clock.seconds()
    deliver("pay_1")
    assert (cursor().sent, cursor().due_at) == (last, None)
    assert sequences(subscriber) == list(range(1, last + 1))


def test_stream_batch_delivers_events_of_the_payments_in_its_keys(subscriber: Subscriber) -> None:
    put_entries(1, 2)
    put_entries(1, payment_id="pay_2")
    changed = [ChangedKey(*keys.entry(each, 1)[1:]) for each in ("pay_1", "pay_1", "pay_2")]
    assert event_delivery.handle_trigger(changed, trigger_run()).events == 3
    assert sorted(delivered_events(subscriber)) == [("pay_1", 1), ("pay_1", 2), ("pay_2", 1)]


def test_trigger_without_time_raises_and_the_next_one_delivers(subscriber: Subscriber) -> None:
    put_entries(1)
    changed = [ChangedKey(*keys.entry("pay_1", 1)[1:])]
    with pytest.raises(TemporarilyUnavailable):
        event_delivery.handle_trigger(changed, trigger_run(scheduling.SPARE_S - 1))
    assert (sequences(subscriber), cursor().version) == ([], 0)
    assert event_delivery.deliver(["pay_1"], trigger_run(scheduling.SPARE_S - 1)).left == 1
    event_delivery.handle_trigger(changed, trigger_run())
    assert sequences(subscriber) == [1]


def test_slow_bus_ends_the_run_in_time_and_leaves_the_rest_due(
    subscriber: Subscriber, bus_wire: Wire, later: Later
) -> None:
    put_entries(*range(1, 9))
    bus_wire.listen("PutEvents", lambda _: later(10))
    changed = [ChangedKey(*keys.entry("pay_1", 1)[1:])]
    assert event_delivery.handle_trigger(changed, trigger_run(60)).events == 5
    assert (cursor().sent, cursor().failing_since) == (5, None)
    assert (cursor().due_at or 0) <= clock.seconds()
    bus_wire.undo.close()
    deliver("pay_1")
    assert sequences(subscriber) == list(range(1, 9))
    assert cursor().due_at is None


def test_refused_event_defers_later_events_of_the_same_payment(
    subscriber: Subscriber, bus_wire: Wire
) -> None:
    put_entries(1, 2, 3)
    put_entries(1, payment_id="pay_2")
    refuse(bus_wire, "payment.2")
    assert deliver("pay_1", "pay_2") == event_delivery.Delivered(
        events=2, deferred=1, retries_exhausted=0, left=0
    )
    assert delivered_events(subscriber) == [("pay_1", 1), ("pay_2", 1)]
    assert (cursor().sent, cursor("pay_2").due_at) == (1, None)
    bus_wire.undo.close()
    deliver("pay_1")
    assert sequences(subscriber) == [1, 2, 3]


def test_refused_event_does_not_defer_other_payments_of_the_call(
    subscriber: Subscriber, bus_wire: Wire
) -> None:
    put_entries(1, 2)
    put_entry(1, "pay_2", event="payment.refused")
    refuse(bus_wire, "payment.refused")
    delivered = deliver("pay_1", "pay_2")
    assert (delivered.events, delivered.deferred) == (2, 1)
    assert bus_wire.requests[1:2] == [{"taken": ["payment.1"]}]
    assert (cursor().sent, cursor("pay_2").sent) == (2, 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (500, "InternalException"),
        (400, "ThrottlingException"),
        (400, "AccessDeniedException"),
        (400, "ResourceNotFoundException"),
    ],
)
def test_failing_bus_is_called_once_in_a_run_and_all_events_are_deferred(
    status: int, kind: str, subscriber: Subscriber, bus_wire: Wire
) -> None:
    ids = [f"pay_{number}" for number in range(25)]
    for payment_id in ids:
        put_entries(1, payment_id=payment_id)
    bus_wire.answer("PutEvents", status, {"__type": kind}, times=None)
    began = clock.seconds()
    assert deliver(*ids) == event_delivery.Delivered(
        events=0, deferred=25, retries_exhausted=0, left=0
    )
    assert len(bus_wire.requests) <= 3  # the SDK's own tries of one call
    # Each is due a minute after this run deferred it, however long the run took.
    due = [cursor(each).due_at or 0 for each in ids]
    assert began + 60 <= min(due) <= max(due) <= clock.seconds() + 60
    bus_wire.undo.close()
    assert deliver(*ids).events == 25
    assert {cursor(each).due_at for each in ids} == {None}


@pytest.mark.slow
def test_delivery_tries_become_rarer_and_end_after_three_days(
    later: Later, bus_wire: Wire, capsys: pytest.CaptureFixture[str], setting: Callable[..., None]
) -> None:
    put_entries(1, 2)
    refuse(bus_wire, "payment.1")
    setting("POWERTOOLS_METRICS_DISABLED", "false")
    capsys.readouterr()
    began, waits, retries_exhausted = clock.seconds(), [], 0
    while not retries_exhausted:
        retries_exhausted = deliver("pay_1").retries_exhausted
        if due_at := cursor().due_at:
            waits.append(due_at - clock.seconds())
            later(waits[-1] + 1)  # the clock's seconds are whole
    minutes = [round(each / 60) for each in waits]
    assert minutes[:6] == [1, 1, 3, 10, 60, 60]
    assert set(minutes[4:]) == {60}
    assert 0 <= clock.seconds() - began - event_delivery.GIVE_UP_AFTER_S <= HOUR
    assert (cursor().retries_exhausted, cursor().due_at) == (True, None)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert [
        line["events_retries_exhausted"] for line in lines if "events_retries_exhausted" in line
    ] == [[1]]
    late = [line["undelivered_events"] for line in lines if "undelivered_events" in line]
    assert len(late) == len(waits) - 3 + 1  # quiet for five minutes, then at every try
    assert late[0] == [2]


def test_events_with_exhausted_retries_are_sent_at_the_next_trigger(
    later: Later, subscriber: Subscriber, bus_wire: Wire
) -> None:
    put_entries(1)
    refuse(bus_wire, "payment.1")
    deliver("pay_1")
    later(event_delivery.GIVE_UP_AFTER_S)
    assert deliver("pay_1").retries_exhausted == 1
    bus_wire.undo.close()
    put_entries(2)
    deliver("pay_1")
    assert sequences(subscriber) == [1, 2]
    after = cursor()
    assert (after.retries_exhausted, after.due_at, after.failing_since) == (False, None, None)


@pytest.mark.slow
def test_failing_store_raises_so_that_the_batch_is_delivered_again(
    subscriber: Subscriber, bus_wire: Wire
) -> None:
    put_entries(1)
    changed = [ChangedKey(*keys.entry("pay_1", 1)[1:])]
    with ExitStack() as undo:
        wire = Wire(undo, dynamodb.client())
        kind = "com.amazonaws.dynamodb.v20120810#ThrottlingException"
        wire.answer("PutItem", 400, {"__type": kind}, times=None)
        with pytest.raises(TemporarilyUnavailable):
            event_delivery.handle_trigger(changed, trigger_run())
    event_delivery.handle_trigger(changed, trigger_run())
    assert sequences(subscriber) == [1, 1]  # at least once


def test_worker_killed_before_moving_the_cursor_delivers_again_in_order(
    subscriber: Subscriber, crash: Crash
) -> None:
    put_entries(1, 2)
    crash.at = "delivered"
    with pytest.raises(Killed):
        deliver("pay_1")
    assert cursor().sent == 0
    put_entries(3)
    deliver("pay_1")
    assert sequences(subscriber) == [1, 2, 1, 2, 3]
    assert cursor().sent == 3


def test_cursor_conflict_delivers_events_that_the_other_run_did_not_see(
    subscriber: Subscriber, crash: Crash
) -> None:
    put_entries(1)

    def another(payment_id: str) -> None:
        put_entries(2)
        deliver(payment_id)

    crash.at, crash.meanwhile = "delivered", another
    deliver("pay_1")
    assert sequences(subscriber) == [1, 1, 2]
    assert cursor().sent == 2


def test_cursor_conflict_keeps_the_due_entry_of_a_later_deferred_event(
    subscriber: Subscriber, bus_wire: Wire, crash: Crash
) -> None:
    put_entries(1)

    def another(payment_id: str) -> None:
        put_entries(2)
        refuse(bus_wire, "payment.2")
        assert deliver(payment_id).deferred == 1

    crash.at, crash.meanwhile = "delivered", another
    began = clock.seconds()
    deliver("pay_1")
    assert cursor().sent == 1
    assert began + 60 <= (cursor().due_at or 0) <= clock.seconds() + 60


@pytest.mark.race
@pytest.mark.usefixtures("dynamodb_local")
def test_concurrent_deliveries_lose_no_event_and_keep_the_order(subscriber: Subscriber) -> None:
    ids = [f"pay_{number}" for number in range(3)]

    def write_and_trigger(number: int) -> None:
        for sequence in range(1, 6):
            if number == 0:
                for payment_id in ids:
                    put_entries(sequence, payment_id=payment_id)
            try:
                deliver(*ids)
            except TemporarilyUnavailable:
                deliver(*ids)  # as Lambda does with a batch that failed

    results = together(8, write_and_trigger)
    assert [each for each in results if each is not None] == []
    for payment_id in ids:
        deliver(payment_id)
        seen = sequences(subscriber, payment_id)
        firsts = [number for place, number in enumerate(seen) if number not in seen[:place]]
        assert firsts == [1, 2, 3, 4, 5]
        assert cursor(payment_id).sent == 5
