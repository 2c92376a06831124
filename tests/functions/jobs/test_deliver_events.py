"""jobs/deliver_events, triggered by a stream. Source: docs/data-model.md, section 7."""

from collections.abc import Callable
from typing import Any

import pytest

from bridge.errors import TemporarilyUnavailable
from bridge.store import keys
from functions.jobs.deliver_events.handler import handler
from local.functions import Context
from local.stripe.simulator import StripeSimulator
from tests.conftest import Environment
from tests.functions.conftest import VISA, Api

Operate = Callable[..., dict[str, Any]]
Subscriber = Callable[[], list[dict[str, Any]]]
NAME = "jobs/deliver_events"


def records(event: Callable[[str], dict[str, Any]], *entries: tuple[str, int]) -> dict[str, Any]:
    """The event file's batch, with these new entries in it."""
    (record,) = event(NAME)["Records"]
    changed = [keys.entry(payment_id, sequence) for payment_id, sequence in entries]
    streamed = [{"pk": {"S": key.pk}, "sk": {"S": key.sk}} for key in changed]
    return {
        "Records": [record | {"dynamodb": record["dynamodb"] | {"Keys": each}} for each in streamed]
    }


def test_event_file_delivers_all_waiting_events_of_its_payment(
    demo_data: StripeSimulator, subscriber: Subscriber, operate: Operate
) -> None:
    assert operate(handler, NAME) == {"events": 2, "deferred": 0, "retries_exhausted": 0, "left": 0}
    delivered = [(each["detail-type"], each["detail"]["seq"]) for each in subscriber()]
    assert delivered == [("payment.created", 1), ("payment.succeeded", 2)]
    assert operate(handler, NAME)["events"] == 0


def test_batch_with_repeats_out_of_order_is_delivered_once_in_order(
    api: Api, subscriber: Subscriber, operate: Operate, event: Callable[[str], dict[str, Any]]
) -> None:
    made = [api.payment() for _ in range(3)]
    for each in made:
        api.confirm(each, VISA)
    entries = [(each["id"], number) for each in made for number in (2, 1, 2)]
    assert operate(handler, NAME, **records(event, *entries))["events"] == 6
    for each in made:
        details = [
            line["detail"] for line in subscriber() if line["detail"]["payment_id"] == each["id"]
        ]
        assert [(line["seq"], line["from"], line["to"]) for line in details] == [
            (1, "new", "created"),
            (2, "created", "succeeded"),
        ]


def test_event_contains_no_personal_data(
    guest: Api, subscriber: Subscriber, operate: Operate, event: Callable[[str], dict[str, Any]]
) -> None:
    private = {"email": "donor@example.com", "name": "Private Person", "phone": "+1234567890"}
    asked = {"guest_data": private, "description": "private words", "metadata": {"n": "private"}}
    made = guest.payment(**asked)
    operate(handler, NAME, **records(event, (made["id"], 1)))
    (sent,) = subscriber()
    assert sent["detail"].keys() == {"payment_id", "seq", "from", "to", "at"}
    for hidden in ("private", "donor", "1234567890", "_secret_"):
        assert hidden not in str(sent["detail"]).lower()


def test_handler_raises_without_time_so_that_the_batch_comes_again(
    api: Api, environment: Environment, event: Callable[[str], dict[str, Any]]
) -> None:
    made = api.payment()

    class AlmostOver(Context):
        def get_remaining_time_in_millis(self) -> int:
            return 3000

    context = AlmostOver(environment.template.functions["JobsDeliverEvents"])
    with pytest.raises(TemporarilyUnavailable):
        handler(records(event, (made["id"], 1)), context)
