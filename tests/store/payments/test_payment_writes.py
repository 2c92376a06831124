"""Writes of payments: the version, T1, T2.

Source: docs/payment-correctness.md, section 4; docs/data-model.md, section 2.
"""

from typing import Any

import pytest
from msgspec.structs import replace

from bridge import clock, config
from bridge.models.customer import Guest
from bridge.models.page import Page
from bridge.models.payment import Payment
from bridge.models.queue_message import WebhookEventReference
from bridge.models.refund import Refund
from bridge.store import dynamodb, keys
from bridge.store.customers import customer_items
from bridge.store.dedupe import idempotency_items, webhook_items
from bridge.store.dedupe.idempotency_items import KeyTaken
from bridge.store.dynamodb import VersionConflict
from bridge.store.keys import Key
from bridge.store.payments import payment_items, payment_writes
from bridge.store.payments.payment_writes import CustomerGone, CustomerTaken, ProviderIdTaken
from local import database
from tests.conftest import together
from tests.store.conftest import DAY, NOW, Wire, attempt, customer, payment
from tests.store.payments.conftest import (
    changed,
    commit,
    entry,
    inserted,
    read_with_secret,
    record,
    stored,
    with_secret,
)

pytestmark = pytest.mark.usefixtures("tables")


def test_insert_locked_writes_the_pointers_of_every_list() -> None:
    owner = customer(id="cust_1")
    customer_items.insert(owner, None)
    row = inserted(organization_id="org_1", customer_id="cust_1")
    guest = inserted(user_id=None, guest=Guest(email="A@example.com", name="A"))
    page = Page()
    assert payment_items.list_of_user("user_1", page) == [row]
    assert payment_items.list_of_organization("org_1", page) == [row]
    assert payment_items.list_of_customer("cust_1", "user_1", page) == [row]
    assert payment_items.list_of_guest("a@EXAMPLE.com", page) == [guest]


def test_insert_locked_for_a_deleted_customer_raises_customer_gone() -> None:
    owner = customer(id="cust_1")
    customer_items.insert(owner, None)
    gone = replace(owner, state="deleted")
    customer_items.delete(owner, gone, "job_1", 0)
    row = payment(customer_id="cust_1")
    with pytest.raises(CustomerGone):
        payment_writes.insert_locked(row, None, customer_items.lives("cust_1"))
    assert payment_items.get(row.id) is None


def test_concurrent_insert_locked_claims_the_own_customer_once() -> None:
    def create(_: int) -> str:
        made = customer()
        writes = customer_items.creation(made, as_own=True)
        payment_writes.insert_locked(payment(customer_id=made.id), None, writes)
        return made.id

    results = together(8, create)
    (winner,) = [each for each in results if isinstance(each, str)]
    assert sum(isinstance(each, CustomerTaken) for each in results) == 7
    own = customer_items.find_own("user_1", "stripe", None)
    assert own
    assert (own.customer_id, own.is_claimed) == (winner, True)
    assert len(payment_items.list_of_user("user_1", Page())) == 1


def test_insert_locked_with_a_taken_key_raises_its_record_and_writes_nothing() -> None:
    first, second = payment(), payment()
    taken = record(first.id)
    payment_writes.insert_locked(first, taken, {})
    with pytest.raises(KeyTaken) as raised:
        payment_writes.insert_locked(second, replace(taken, subject_id=second.id), {})
    assert raised.value.record == taken
    assert payment_items.get(second.id) is None
    assert payment_items.list_of_user("user_1", Page()) == [first]


def test_rule2_concurrent_locks_only_one_is_taken() -> None:
    row = inserted()

    def take(number: int) -> Payment:
        active = replace(attempt(), key=f"suffix.{number}")
        return payment_writes.lock(row, replace(row, active_attempt=active), None)

    results = together(8, take)
    (winner,) = [each for each in results if isinstance(each, Payment)]
    assert sum(isinstance(each, VersionConflict) for each in results) == 7
    assert stored(row.id) == winner
    assert winner.version == row.version + 1


@pytest.mark.parametrize("moved", [{"status": "processing"}, {"active_attempt": attempt()}, {}])
def test_lock_of_a_changed_row_raises_version_conflict(moved: dict[str, Any]) -> None:
    row = inserted()
    payment_writes.advance(row, replace(row, **moved))
    with pytest.raises(VersionConflict):
        payment_writes.lock(row, replace(row, active_attempt=attempt()), None)


def test_rule9_lock_opens_the_idempotency_record_in_one_transaction() -> None:
    row = inserted()
    locked = replace(row, active_attempt=attempt())
    kept = payment_writes.lock(row, locked, record(row.id))
    stored_row, opened = payment_items.read(row.id, "key-1", NOW)
    assert (stored_row, opened) == (kept, record(row.id))
    again = inserted()
    dynamodb.write(idempotency_items.close_action(record(again.id, state="done", snapshot="{}")))
    with pytest.raises(KeyTaken) as raised:
        payment_writes.lock(again, replace(again, active_attempt=attempt()), record(again.id))
    assert raised.value.record.state == "done"
    assert stored(again.id) == again


def test_lock_replaces_an_expired_idempotency_record() -> None:
    row = inserted()
    dynamodb.write(idempotency_items.close_action(record(row.id, state="done", snapshot="{}")))
    assert payment_items.read(row.id, "key-1", NOW + DAY)[1] is None
    locked = replace(row, active_attempt=attempt(at=NOW + DAY))
    payment_writes.lock(row, locked, record(row.id, expires=NOW + 2 * DAY))
    found = payment_items.read(row.id, "key-1", NOW + DAY)[1]
    assert found
    assert found.state == "open"


def test_rule5_commit_from_an_older_version_raises_version_conflict() -> None:
    seen = inserted()
    newer = commit(seen, status="succeeded")
    with pytest.raises(VersionConflict):
        commit(seen, status="canceled")
    assert stored(seen.id) == newer
    assert [each.to_status for each in payment_items.timeline(seen.id)] == ["succeeded"]


def test_rule6_every_write_raises_the_version() -> None:
    row = inserted()
    advanced = payment_writes.advance(row, row)
    merged = commit(advanced, status="processing")
    assert [row.version, advanced.version, merged.version] == [1, 2, 3]
    assert len({row.writer, advanced.writer, merged.writer}) == 3


def test_concurrent_commits_only_one_is_written() -> None:
    row = inserted()
    results = together(8, lambda _: commit(row, status="processing"))
    assert sum(isinstance(each, Payment) for each in results) == 1
    assert sum(isinstance(each, VersionConflict) for each in results) == 7
    assert len(payment_items.timeline(row.id)) == 1


def test_advance_repeated_by_the_sdk_is_recognized_as_ours(wire: Wire) -> None:
    row = inserted()
    wire.lose_answer("UpdateItem")
    after = payment_writes.advance(row, replace(row, due_at=5))
    assert len(wire.requests) == 2
    assert stored(row.id) == after


@pytest.mark.race  # moto forgets the token of a transaction, DynamoDB Local knows it
def test_commit_with_lost_answer_is_written_once(dynamodb_local: None, wire: Wire) -> None:
    row = inserted()
    wire.lose_answer("TransactWriteItems")
    after = commit(row, status="succeeded")
    assert len({request["ClientRequestToken"] for request in wire.requests}) == 1
    assert stored(row.id) == after


def test_commit_with_a_taken_provider_id_raises_and_works_without_link() -> None:
    first = commit(inserted(), provider_payment_id="pi_1")
    seen = inserted()
    after = changed(seen, provider_payment_id="pi_1")
    with pytest.raises(ProviderIdTaken):
        payment_writes.commit_transition(seen, after, [entry(after)], None)
    assert stored(seen.id) == seen
    payment_writes.commit_transition(seen, after, [entry(after)], None, link=False)
    assert stored(seen.id).provider_payment_id == "pi_1"
    assert payment_items.id_at_provider("pi_1") == first.id


@pytest.mark.parametrize("state", ["done", "free"])
def test_rule9_commit_closes_the_idempotency_record_in_one_transaction(state: str) -> None:
    row = inserted()
    locked = payment_writes.lock(row, replace(row, active_attempt=attempt()), record(row.id))
    commit(locked, record(row.id, state=state, snapshot="{}"), active_attempt=None)
    found = payment_items.read(row.id, "key-1", NOW)[1]
    assert (found and found.state) == (state if state == "done" else None)
    with pytest.raises(VersionConflict):
        commit(locked, record(row.id, state="done", snapshot='"late"'), active_attempt=None)
    assert payment_items.read(row.id, "key-1", NOW)[1] == found


@pytest.mark.parametrize("status", ["succeeded", "canceled"])
def test_b15_commit_of_a_final_state_deletes_the_client_secret(status: str) -> None:
    row = with_secret()
    commit(row, status=status, client_secret=None)
    assert dynamodb.get(keys.client_secret(row.id)) is None


@pytest.mark.parametrize("status", ["failed", "processing", "requires_action"])
def test_b15_commit_of_another_state_keeps_the_client_secret(status: str) -> None:
    row = with_secret()
    commit(row, status=status)
    assert read_with_secret(row.id, NOW - 10 * 365 * DAY) == "pi_1_secret_x"


def test_b15_later_commit_does_not_extend_the_client_secret() -> None:
    row = with_secret()
    before = dynamodb.get(keys.client_secret(row.id))
    commit(row, status="failed", client_secret="pi_1_secret_x")
    assert dynamodb.get(keys.client_secret(row.id)) == before


def test_row_without_due_at_leaves_the_due_index() -> None:
    row = inserted(due_at=NOW)
    payment_writes.advance(row, replace(row, due_at=None))
    items = database.client().scan(TableName=config.table_name("ledger"), IndexName="due")["Items"]
    assert items == []
    assert (dynamodb.get(keys.payment(row.id)) or {}).keys().isdisjoint({"due_pk", "due_at"})


def test_commit_never_overwrites_a_timeline_entry() -> None:
    row = inserted()
    commit(row, status="processing")
    again = replace(stored(row.id), sequence=0)
    with pytest.raises(dynamodb.ConditionFailed) as lost:
        commit(again, status="failed")
    assert lost.value.items.keys() == {"entry 1"}
    assert stored(row.id).status == "processing"


def test_unknown_attribute_survives_every_write() -> None:
    row = inserted()
    where = dynamodb.key_of(keys.payment(row.id))
    dynamodb.client().update_item(
        TableName=config.table_name("ledger"),
        Key=where,
        UpdateExpression="SET newer = :it",
        ExpressionAttributeValues={":it": {"S": "kept"}},
    )
    row = payment_writes.lock(row, replace(row, active_attempt=attempt()), None)
    row = commit(row, active_attempt=None, status="processing")
    payment_writes.advance(row, replace(row, due_at=NOW))
    assert (dynamodb.get(Key("ledger", where["pk"]["S"], "P")) or {})["newer"] == "kept"


def test_hide_deletes_the_pointers_and_nothing_else() -> None:
    guest = {"email": "donor@example.com", "name": "John"}
    owned = {"organization_id": "org_1", "customer_id": "cust_1", "guest": guest}
    row, other = inserted(**owned), inserted(**owned)
    hidden = replace(row, guest=None, is_hidden=True)
    assert payment_writes.hide(row, hidden) == 5
    left = payment_items.get(row.id)
    assert left
    assert (left.guest, left.is_hidden, left.version) == (None, True, row.version + 1)
    for listed in (
        payment_items.list_of_user("user_1", Page()),
        payment_items.list_of_organization("org_1", Page()),
        payment_items.list_of_guest("donor@example.com", Page()),
        payment_items.walk_customer("cust_1", None, 10)[0],
    ):
        assert [each.id for each in listed] == [other.id]


def test_hide_of_a_changed_row_raises_version_conflict() -> None:
    row = inserted()
    payment_writes.advance(row, row)
    with pytest.raises(VersionConflict):
        payment_writes.hide(row, replace(row, is_hidden=True))
    assert [each.id for each in payment_items.list_of_user("user_1", Page())] == [row.id]


def test_commit_writes_refunds_and_the_event_with_the_row() -> None:
    event = WebhookEventReference(provider_id="stripe", event_id="evt_1", type="charge.refunded")
    seen = inserted()
    refund = Refund(
        id="ref_1",
        payment_id=seen.id,
        amount_cents=500,
        currency="USD",
        created_at=seen.created_at,
        updated_at=seen.created_at,
    )
    after = changed(seen, status="succeeded")
    payment_writes.commit_transition(seen, after, [entry(after)], None, [refund], event=event)
    assert payment_items.refunds(seen.id) == [refund]
    assert webhook_items.is_seen(dynamodb.get(webhook_items.place(event)), clock.seconds())


def test_commit_writes_all_entries_or_none_of_them() -> None:
    seen = inserted()
    after = changed(seen, status="succeeded", sequence=3)
    entries = [replace(entry(after), sequence=number) for number in (1, 2, 3)]
    written = payment_writes.commit_transition(seen, after, entries, None)
    assert payment_items.timeline(seen.id) == entries
    late = [replace(each, sequence=each.sequence + 2) for each in entries]
    with pytest.raises(dynamodb.ConditionFailed) as lost:
        payment_writes.commit_transition(written, replace(written, sequence=5), late, None)
    assert lost.value.items.keys() == {"entry 3"}
    assert stored(seen.id) == written
    assert payment_items.timeline(seen.id) == entries


def test_commit_from_an_older_version_raises_version_conflict_also_for_a_seen_event() -> None:
    """The conflict must not hide behind the event: the worker has to fetch and write again."""
    event = WebhookEventReference(provider_id="stripe", event_id="evt_1", type="charge.refunded")
    seen = inserted()
    payment_writes.advance(seen, seen, event=event)
    after = changed(seen, status="succeeded")
    with pytest.raises(VersionConflict):
        payment_writes.commit_transition(seen, after, [entry(after)], None, event=event)


def test_lock_of_a_refund_writes_the_pending_refund() -> None:
    row = inserted(status="succeeded")
    refund = Refund(
        id="ref_1",
        payment_id=row.id,
        amount_cents=500,
        currency="USD",
        created_at=row.created_at,
        updated_at=row.created_at,
    )
    active = replace(attempt(), operation="refund", refund=refund)
    payment_writes.lock(row, replace(row, active_attempt=active), None)
    assert payment_items.refunds(row.id) == [refund]
