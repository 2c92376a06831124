"""What operators do with one payment. Source: docs/data-model.md, section 2 (timeline)."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from bridge.bodies.payment import Confirmation, NewPayment
from bridge.core.operations import payment_operator
from bridge.core.payment_state import timeline
from bridge.core.payments import change_payment, create_payment
from bridge.errors import NotFound
from bridge.models.caller import Caller
from bridge.models.model import json_of, values_of
from bridge.models.payment import Entry, Payment
from bridge.store import dynamodb, keys
from bridge.store.payments import payment_items
from local.stripe.simulator import StripeSimulator
from tests.conftest import USER, run_context

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")
USD_20 = {"total_cents": 2000, "currency": "USD"}


def paid() -> Payment:
    payment = create_payment.create_payment_intent(
        USER, NewPayment(**USD_20), run_context()
    ).payment
    visa = Confirmation(payment_method_id="pm_card_visa")
    change_payment.confirm(USER, payment.id, visa, run_context())
    found = payment_items.get(payment.id)
    assert found
    return found


def rehashed(entry: Entry, **changes: object) -> Entry:
    changed = replace(entry, **changes)
    return replace(changed, hash=timeline.hash_of(changed))


def put(place: int, entry: Entry, payment: Payment, **changes: object) -> None:
    dynamodb.write(dynamodb.put(keys.entry(payment.id, place), values_of(entry) | changes))


def test_inspect_reports_where_a_tampered_timeline_breaks() -> None:
    payment = paid()
    first, second = payment_items.timeline(payment.id)
    third = rehashed(second, sequence=3, previous_hash=second.hash)
    seen = payment_operator.inspect_payment(payment.id)
    assert (seen.timeline_is_whole, seen.broken_at, len(seen.timeline)) == (True, None, 2)

    def restore() -> None:
        put(1, first, payment)
        put(2, second, payment)
        dynamodb.write(dynamodb.delete(keys.entry(payment.id, 3)))
        dynamodb.write(dynamodb.put(keys.payment(payment.id), payment_items.item_of(payment)))

    def change(place: int, entry: Entry, **changes: object) -> Callable[[], None]:
        return lambda: put(place, entry, payment, **changes)

    def swap() -> None:
        put(1, second, payment)
        put(2, first, payment)

    def set_row(**changes: object) -> Callable[[], object]:
        item = payment_items.item_of(payment) | changes
        return lambda: dynamodb.write(dynamodb.put(keys.payment(payment.id), item))

    for tamper, place in (
        (change(1, first, to_status="failed"), 1),
        (change(2, second, at=second.at - timedelta(seconds=1)), 2),
        (change(2, second, request_hash="another"), 2),
        (change(2, second, event=None), 2),
        (change(2, second, dispute={"id": "dp_1", "change": "won"}), 2),
        (change(2, second, to_status="no word of ours"), 2),
        (change(2, rehashed(second, to_status="failed")), 3),  # only the row knows better
        (lambda: dynamodb.write(dynamodb.delete(keys.entry(payment.id, 1))), 1),
        (lambda: dynamodb.write(dynamodb.delete(keys.entry(payment.id, 2))), 2),
        (swap, 1),
        (change(3, third), 3),
        (set_row(last_hash=third.hash), 3),
        (set_row(last_hash=first.hash, sequence=1), 2),
        (set_row(sequence=3), 3),
    ):
        tamper()
        seen = payment_operator.inspect_payment(payment.id)
        assert (seen.timeline_is_whole, seen.broken_at) == (False, place)
        restore()
    assert payment_operator.inspect_payment(payment.id).timeline_is_whole


def test_find_break_finds_every_forgery() -> None:
    payment = paid()
    first, second = entries = payment_items.timeline(payment.id)
    assert timeline.find_break(entries, payment) is None
    earlier = rehashed(first, at=first.at - timedelta(days=1))
    third = rehashed(second, sequence=3, previous_hash=second.hash)
    forgeries: list[tuple[list[Entry | None], int]] = [
        ([], 1),
        ([first], 2),
        ([second], 1),
        ([second, first], 1),
        ([first, first, second], 2),
        ([earlier, second], 2),
        ([first, None], 2),
        ([first, rehashed(second, to_status="failed")], 3),
        ([earlier, rehashed(second, previous_hash=earlier.hash)], 3),
        ([first, second, third], 3),
        ([first, rehashed(second, sequence=3)], 2),
    ]
    for forged, place in forgeries:
        assert timeline.find_break(forged, payment) == place
    row = replace(payment, last_hash=third.hash)
    assert timeline.find_break([first, second, third], row) == 3


def test_inspect_shows_no_personal_data(stripe_simulator: StripeSimulator) -> None:
    private = {"email": "donor@example.com", "name": "Private Person", "phone": "+1234567890"}
    texts = {"description": "private words", "metadata": {"private key": "private value"}}
    new = NewPayment.model_validate(USD_20 | texts | {"guest_data": private})
    stripe_simulator.fault("create_payment", "500_after", times=None)
    payment = create_payment.create_payment_intent(Caller(), new, run_context()).payment
    seen = payment_operator.inspect_payment(payment.id)
    assert seen.is_locked
    assert seen.payment["total_cents"] == 2000
    attempt = seen.payment["active_attempt"]
    assert isinstance(attempt, dict)
    assert None not in attempt.values()
    text = json_of(seen).lower()
    for hidden in ("donor", "private", "1234567890", "_secret_", "sk_test"):
        assert hidden not in text


@pytest.mark.parametrize("payment_id", ["pay_404", "", "pay 1", "P#1", "x" * 129])
def test_unknown_or_malformed_payment_id_raises_not_found(payment_id: str) -> None:
    with pytest.raises(NotFound):
        payment_operator.inspect_payment(payment_id)
    with pytest.raises(NotFound):
        payment_operator.synchronize_payment(payment_id, run_context())


def test_synchronize_shows_the_new_state(stripe_simulator: StripeSimulator) -> None:
    payment = create_payment.create_payment_intent(
        USER, NewPayment(**USD_20), run_context()
    ).payment
    stripe_simulator.browser_confirm(
        str(payment.provider_payment_id), str(payment.client_secret), "pm_card_visa"
    )
    seen = payment_operator.synchronize_payment(payment.id, run_context())
    assert (seen.displayed_status, seen.timeline_is_whole) == ("succeeded", True)
    assert len(seen.timeline) == 2
