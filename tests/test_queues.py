"""What we send to SQS and EventBridge.

Source: docs/payment-correctness.md, sections 6 and 7; docs/api/native.md, section 4.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest

from bridge import aws, queues
from bridge.errors import TemporarilyUnavailable
from bridge.models.outbox import Event
from bridge.models.queue_message import MethodEventReference, StatusCheck, WebhookEventReference
from tests.conftest import Environment
from tests.store.conftest import Wire
from tests.stripe_events import delayed, waiting

pytestmark = pytest.mark.usefixtures("tables")
Setting = Callable[[str, str], None]
Subscriber = Callable[[], list[dict[str, Any]]]
PAYMENT_EVENT = WebhookEventReference(
    provider_id="stripe", event_id="evt_1", type="charge.refunded", provider_payment_id="pi_1"
)
METHOD_EVENT = MethodEventReference(
    provider_id="stripe", event_id="evt_2", type="payment_method.updated", token="pm_1"
)
CHECK = StatusCheck(payment_id="pay_1", attempt=2)
EVENT = Event(
    payment_id="pay_1",
    sequence=2,
    name="payment.succeeded",
    from_status="created",
    to_status="succeeded",
    at=datetime(2026, 1, 15, 10, 30, tzinfo=UTC),
)


@pytest.fixture
def queue(environment: Environment) -> str:
    return environment.queues["SyncQueue"]


@pytest.fixture
def bus_wire(subscriber: Subscriber) -> Iterator[Wire]:
    """The requests to the bus, just before they leave."""
    with ExitStack() as undo:
        yield Wire(undo, aws.client("events", 3))


def test_event_references_are_queued_under_the_name_of_their_kind(queue: str) -> None:
    queues.send_event_reference(PAYMENT_EVENT)
    queues.send_event_reference(METHOD_EVENT)
    first, second = sorted(waiting(queue), key=lambda message: sorted(message))
    assert first == {
        "event_reference": {
            "provider_id": "stripe",
            "event_id": "evt_1",
            "type": "charge.refunded",
            "provider_payment_id": "pi_1",
        }
    }
    assert second == {
        "method_event_reference": {
            "provider_id": "stripe",
            "event_id": "evt_2",
            "type": "payment_method.updated",
            "token": "pm_1",
        }
    }


def test_status_checks_are_queued_once_for_each_delay(queue: str) -> None:
    queues.send_status_checks(CHECK, 0)
    queues.send_status_checks(CHECK, 300, 600)
    assert waiting(queue) == [{"status_check": {"payment_id": "pay_1", "attempt": 2}}]
    assert delayed(queue) == 2


@pytest.mark.parametrize(
    "send",
    [
        lambda: queues.send_event_reference(PAYMENT_EVENT),
        lambda: queues.send_status_checks(CHECK, 5),
    ],
)
def test_missing_queue_raises_temporarily_unavailable(
    send: Callable[[], None], queue: str, setting: Setting
) -> None:
    setting("QUEUE_URL", f"{queue}-gone")
    with pytest.raises(TemporarilyUnavailable) as raised:
        send()
    assert raised.value.retry_after


def test_status_checks_that_are_taken_in_part_raise_temporarily_unavailable(queue: str) -> None:
    failed = {"Id": "30", "SenderFault": False, "Code": "InternalError"}
    with ExitStack() as undo:
        wire = Wire(undo, aws.client("sqs", 1))
        wire.answer("SendMessageBatch", 200, {"Successful": [], "Failed": [failed]})
        with pytest.raises(TemporarilyUnavailable):
            queues.send_status_checks(CHECK, 5, 30)


def test_event_is_put_on_the_bus_in_the_documented_form(subscriber: Subscriber) -> None:
    assert queues.put_events([EVENT]) == [True]
    (received,) = subscriber()
    assert (received["source"], received["detail-type"]) == (queues.SOURCE, "payment.succeeded")
    assert received["detail"] == {
        "payment_id": "pay_1",
        "seq": 2,
        "from": "created",
        "to": "succeeded",
        "at": "2026-01-15T10:30:00Z",
    }


def test_put_events_returns_for_each_event_whether_the_bus_took_it(bus_wire: Wire) -> None:
    entries = [{"EventId": "1"}, {"ErrorCode": "ThrottlingException"}, {"EventId": "3"}]
    bus_wire.answer("PutEvents", 200, {"FailedEntryCount": 1, "Entries": entries})
    assert queues.put_events([EVENT] * 3) == [True, False, True]


def test_put_events_raises_bus_unavailable_with_the_reason(bus_wire: Wire) -> None:
    bus_wire.answer("PutEvents", 400, {"__type": "AccessDeniedException"}, times=None)
    with pytest.raises(queues.BusUnavailable, match="AccessDeniedException"):
        queues.put_events([EVENT])
