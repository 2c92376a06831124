"""Reads of payments: the row, lists, timeline.

Source: docs/data-model.md, sections 2 and 3.
"""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from bridge import clock
from bridge.models.customer import Guest
from bridge.models.model import values_of
from bridge.models.page import Page
from bridge.models.payment import IdempotencyKeyReference
from bridge.models.provider import Failure, NextAction
from bridge.models.queue_message import WebhookEventReference
from bridge.models.refund import Refund
from bridge.store import dynamodb, keys
from bridge.store.dedupe import webhook_items
from bridge.store.payments import payment_items, payment_writes
from tests.store.conftest import DAY, NOW, Wire, attempt, payment
from tests.store.payments.conftest import (
    commit,
    entry,
    inserted,
    read_with_secret,
    stored,
    with_secret,
)

pytestmark = pytest.mark.usefixtures("tables")
EVENT = WebhookEventReference(provider_id="stripe", event_id="evt_1", type="charge.refunded")


def test_row_is_read_as_it_was_written() -> None:
    whole = payment(
        active_attempt=replace(
            attempt(IdempotencyKeyReference(record="I#1", fingerprint="f", expires=NOW)),
            pending_changes={"total_cents": 5, "metadata": {"a": 1.5}},
            sent='{"a":1}',
        ),
        guest=Guest(email="a@example.com", name="A"),
        failure=Failure(code="c", message="m", decline_code="d"),
        next_action=NextAction(type="redirect", url="https://shop.test/"),
        metadata={"n": 1, "f": 2.5, "b": True, "t": "text"},
        due_at=NOW,
        is_open=True,
        description="line\nnext",
    )
    payment_writes.insert_locked(whole, None, {})
    assert stored(whole.id) == whole


def test_client_secret_is_not_in_the_row() -> None:
    row = inserted(client_secret="pi_1_secret_x")
    assert "secret_x" not in str(payment_items.item_of(row))
    assert "secret_x" not in repr(row)
    assert stored(row.id).client_secret is None


def test_list_leaves_out_a_payment_that_is_gone() -> None:
    rows = [inserted() for _ in range(3)]
    dynamodb.write(dynamodb.delete(keys.payment(rows[1].id)))
    assert payment_items.list_of_user("user_1", Page()) == [rows[2], rows[0]]


def test_id_at_provider_finds_the_payment() -> None:
    row = commit(inserted(), provider_payment_id="pi_1")
    assert payment_items.id_at_provider("pi_1") == row.id
    assert payment_items.id_at_provider("pi_2") is None


def test_b15_read_leaves_out_an_expired_client_secret() -> None:
    """TTL deletes items days too late."""
    row = with_secret()
    ends = int(row.created_at.timestamp()) + DAY
    assert read_with_secret(row.id, ends - 1) == "pi_1_secret_x"
    assert read_with_secret(row.id, ends) is None
    item = dynamodb.get(keys.client_secret(row.id))
    assert item
    assert item["exp"] == ends


def test_timeline_is_read_in_order() -> None:
    row = inserted()
    for number in range(1, 13):
        row = commit(row, status="processing" if number % 2 else "created")
    assert [each.sequence for each in payment_items.timeline(row.id)] == list(range(1, 13))


def test_walk_customer_is_oldest_first_while_payments_are_hidden() -> None:
    rows = [inserted(customer_id="cust_1") for _ in range(5)]
    inserted(customer_id="cust_2")
    walked, after, sizes = [], "", []
    while True:
        page, after = payment_items.walk_customer("cust_1", after or None, 2)
        walked += [each.id for each in page]
        sizes.append(len(page))
        payment_writes.hide(page[-1], replace(page[-1], is_hidden=True))
        if not after:
            break
    assert (walked, sizes) == ([row.id for row in rows], [2, 2, 1])


def test_get_returns_none_for_an_unknown_id() -> None:
    assert payment_items.get("pay_nowhere") is None
    assert payment_items.read("pay_nowhere", "key-1", NOW) == (None, None)


def test_find_at_provider_gives_our_id_of_the_providers_object() -> None:
    row = commit(inserted(), provider_payment_id="pi_1")
    assert payment_items.find_at_provider("stripe", "pi_1") == row.id
    assert payment_items.find_at_provider("paypal", "pi_1") is None
    assert payment_items.find_at_provider("stripe", "pi_2") is None


def test_read_for_event_gives_the_row_and_whether_the_event_was_handled(wire: Wire) -> None:
    row = inserted()
    wire.watch("BatchGetItem")
    assert payment_items.read_for_event(row.id, EVENT, NOW) == (row, False)
    assert len(wire.requests) == 1
    webhook_items.put_seen(EVENT, NOW)
    assert payment_items.read_for_event(row.id, EVENT, NOW) == (row, True)
    assert payment_items.read_for_event("pay_nowhere", EVENT, NOW) == (None, True)
    assert payment_items.read_for_event(row.id, EVENT, NOW + 30 * DAY) == (row, False)


def test_find_for_event_gives_our_id_and_whether_the_event_was_handled(wire: Wire) -> None:
    row = commit(inserted(), provider_payment_id="pi_1")
    by_id = replace(EVENT, provider_payment_id="pi_1")
    wire.watch("BatchGetItem")
    assert payment_items.find_for_event(by_id, NOW) == (row.id, False)
    assert payment_items.find_for_event(EVENT, NOW) == (None, False)
    webhook_items.put_seen(EVENT, NOW)
    assert payment_items.find_for_event(by_id, NOW) == (row.id, True)
    assert len(wire.requests) == 3


def test_list_at_provider_leaves_out_what_is_not_ours() -> None:
    rows = {each: commit(inserted(), provider_payment_id=each) for each in ("pi_1", "pi_2")}
    assert payment_items.list_at_provider("stripe", ["pi_2", "pi_other", "pi_1"]) == rows
    assert payment_items.list_at_provider("stripe", []) == {}


def test_list_by_id_keeps_the_given_order() -> None:
    rows = [inserted() for _ in range(3)]
    ids = [rows[2].id, "pay_nowhere", rows[0].id]
    assert payment_items.list_by_id(ids) == [rows[2], rows[0]]


def test_timeline_as_found_has_none_for_an_entry_that_cannot_be_read() -> None:
    row = commit(commit(inserted(), status="processing"), status="succeeded")
    dynamodb.write(dynamodb.put(keys.entry(row.id, 1), {"sequence": "no number"}))
    found = payment_items.timeline_as_found(row.id)
    assert found[0] is None
    assert found[1:] == [replace(entry(row), from_status="created")]


def test_refunds_are_oldest_first() -> None:
    row = inserted()
    for number in (2, 1, 3):
        at = clock.now() + timedelta(seconds=number)
        refund = Refund(
            id=f"ref_{9 - number}",
            payment_id=row.id,
            amount_cents=number,
            currency="USD",
            created_at=at,
            updated_at=at,
        )
        dynamodb.write(dynamodb.put(keys.refund(row.id, refund.id), values_of(refund)))
    assert [each.amount_cents for each in payment_items.refunds(row.id)] == [1, 2, 3]
