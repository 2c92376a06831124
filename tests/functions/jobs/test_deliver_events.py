"""jobs/deliver_events, rung by the ledger's stream. Source: design/data-model.md 7."""

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
    rung = [keys.entry(payment_id, sequence) for payment_id, sequence in entries]
    named = [{"pk": {"S": key.pk}, "sk": {"S": key.sk}} for key in rung]
    return {
        "Records": [record | {"dynamodb": record["dynamodb"] | {"Keys": each}} for each in named]
    }


def test_the_event_file_delivers_all_that_waits_of_its_payment(
    demo_data: StripeSimulator, subscriber: Subscriber, operate: Operate
) -> None:
    assert operate(handler, NAME) == {"events": 2, "deferred": 0, "retries_exhausted": 0, "left": 0}
    told = [(each["detail-type"], each["detail"]["seq"]) for each in subscriber()]
    assert told == [("payment.created", 1), ("payment.succeeded", 2)]
    assert operate(handler, NAME)["events"] == 0


def test_a_batch_out_of_order_and_twice_is_delivered_in_order_and_once(
    api: Api, subscriber: Subscriber, operate: Operate, event: Callable[[str], dict[str, Any]]
) -> None:
    made = [api.payment() for _ in range(3)]
    for each in made:
        api.confirm(each, VISA)
    rung = [(each["id"], number) for each in made for number in (2, 1, 2)]
    assert operate(handler, NAME, **records(event, *rung))["events"] == 6
    for each in made:
        told = [
            line["detail"] for line in subscriber() if line["detail"]["payment_id"] == each["id"]
        ]
        assert [(line["seq"], line["from"], line["to"]) for line in told] == [
            (1, "new", "created"),
            (2, "created", "succeeded"),
        ]


def test_no_personal_data_leaves_with_an_event(
    guest: Api, subscriber: Subscriber, operate: Operate, event: Callable[[str], dict[str, Any]]
) -> None:
    private = {"email": "donor@example.com", "name": "Private Person", "phone": "+1234567890"}
    asked = {"guest_data": private, "description": "private words", "metadata": {"n": "private"}}
    made = guest.payment(**asked)
    operate(handler, NAME, **records(event, (made["id"], 1)))
    (told,) = subscriber()
    assert told["detail"].keys() == {"payment_id", "seq", "from", "to", "at"}
    for hidden in ("private", "donor", "1234567890", "_secret_"):
        assert hidden not in str(told["detail"]).lower()


def test_it_raises_where_time_is_up_so_that_the_batch_comes_again(
    api: Api, environment: Environment, event: Callable[[str], dict[str, Any]]
) -> None:
    made = api.payment()

    class Ending(Context):
        def get_remaining_time_in_millis(self) -> int:
            return 3000

    context = Ending(environment.template.functions["JobsDeliverEvents"])
    with pytest.raises(TemporarilyUnavailable):
        handler(records(event, (made["id"], 1)), context)
