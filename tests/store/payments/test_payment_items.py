"""The row, its fence, T1 and T2. Source: design/data-model.md 2, design/convergence.md 4."""

from typing import Any

import pytest

from bridge import config
from bridge.models.customer import Guest
from bridge.models.idempotency import IdempotencyRecord
from bridge.models.page import Page
from bridge.models.payment import Entry, IdempotencyKeyReference, Payment, PendingChanges
from bridge.models.provider import Failure, NextAction
from bridge.store import dynamodb, keys
from bridge.store.customers import customer_items
from bridge.store.dedupe import idempotency_items
from bridge.store.dedupe.idempotency_items import KeyTaken
from bridge.store.dynamodb import VersionConflict
from bridge.store.keys import Key
from bridge.store.payments import payment_items, payment_writes
from bridge.store.payments.payment_writes import CustomerGone, CustomerTaken, ProviderIdTaken
from local import database
from tests.conftest import together
from tests.store.conftest import DAY, NOW, Wire, attempt, customer, payment

pytestmark = pytest.mark.usefixtures("tables")


def record(payment_id: str, **more: object) -> IdempotencyRecord:
    known = {
        "key": idempotency_items.of_payment(payment_id, "key-1"),
        "fingerprint": "f",
        "subject_id": payment_id,
        "expires": NOW + DAY,
    }
    return IdempotencyRecord.model_validate(known | more)


def inserted(**more: object) -> Payment:
    return payment_writes.insert_locked(payment(**more), None, {})


def changed(seen: Payment, **more: object) -> Payment:
    return seen.model_copy(update={"sequence": seen.sequence + 1} | more)


def entry(after: Payment) -> Entry:
    return Entry(
        sequence=after.sequence,
        at=after.changed_at,
        from_status="created",
        to_status=after.status,
        cause="api",
        event="payment.x",
        previous_hash="",
        hash="h",
    )


def merge(seen: Payment, record: IdempotencyRecord | None = None, **more: object) -> Payment:
    after = changed(seen, **more)
    return payment_writes.commit_transition(seen, after, entry(after), record)


def stored(payment_id: str) -> Payment:
    found = payment_items.get(payment_id)
    assert found
    return found


def read_with_secret(payment_id: str, now: int) -> str | None:
    found, _ = payment_items.read(payment_id, None, now)
    assert found
    return found.client_secret


# --- the row ------------------------------------------------------------------------------------


def test_a_row_comes_back_as_it_was() -> None:
    whole = payment(
        live=attempt(
            IdempotencyKeyReference(record="I#1", fingerprint="f", expires=NOW)
        ).model_copy(
            update={
                "pending_changes": PendingChanges(total_cents=5, metadata={"a": 1.5}),
                "sent": '{"a":1}',
            }
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


def test_the_client_secret_is_no_part_of_the_row() -> None:
    row = inserted(client_secret="pi_1_secret_x")
    assert "secret_x" not in str(payment_items.item_of(row))
    assert "secret_x" not in repr(row)
    assert stored(row.id).client_secret is None


# --- T1 of a creation ---------------------------------------------------------------------------


def test_a_creation_writes_its_pointers() -> None:
    owner = customer(id="cust_1")
    customer_items.insert(owner, None)
    row = inserted(organization_id="org_1", customer_id="cust_1")
    guest = inserted(user_id=None, guest=Guest(email="A@example.com", name="A"))
    page = Page()
    assert payment_items.list_of_user("user_1", page) == [row]
    assert payment_items.list_of_organization("org_1", page) == [row]
    assert payment_items.list_of_customer("cust_1", "user_1", page) == [row]
    assert payment_items.list_of_guest("a@EXAMPLE.com", page) == [guest]


def test_a_payment_that_is_gone_is_left_out_of_a_list() -> None:
    rows = [inserted() for _ in range(3)]
    dynamodb.write(dynamodb.delete(keys.payment(rows[1].id)))
    assert payment_items.list_of_user("user_1", Page()) == [rows[2], rows[0]]


def test_a_creation_for_a_deleted_customer_is_not_made() -> None:
    owner = customer(id="cust_1")
    customer_items.insert(owner, None)
    gone = owner.model_copy(update={"state": "deleted"})
    customer_items.delete(owner, gone, "job_1", 0)
    row = payment(customer_id="cust_1")
    with pytest.raises(CustomerGone):
        payment_writes.insert_locked(row, None, customer_items.lives("cust_1"))
    assert payment_items.get(row.id) is None


def test_the_callers_own_customer_is_claimed_once() -> None:
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


def test_a_key_that_is_taken_tells_its_record_and_writes_nothing() -> None:
    first, second = payment(), payment()
    taken = record(first.id)
    payment_writes.insert_locked(first, taken, {})
    with pytest.raises(KeyTaken) as raised:
        payment_writes.insert_locked(second, taken.model_copy(update={"subject_id": second.id}), {})
    assert raised.value.record == taken
    assert payment_items.get(second.id) is None
    assert payment_items.list_of_user("user_1", Page()) == [first]


# --- T1 of the others ---------------------------------------------------------------------------


def test_a_lock_is_taken_by_one_of_many() -> None:
    row = inserted()

    def take(number: int) -> Payment:
        live = attempt().model_copy(update={"key": f"suffix.{number}"})
        return payment_writes.lock(row, row.model_copy(update={"active_attempt": live}), None)

    results = together(8, take)
    (winner,) = [each for each in results if isinstance(each, Payment)]
    assert sum(isinstance(each, VersionConflict) for each in results) == 7
    assert stored(row.id) == winner
    assert winner.version == row.version + 1


@pytest.mark.parametrize("moved", [{"status": "processing"}, {"active_attempt": attempt()}, {}])
def test_a_lock_is_taken_only_on_what_was_seen(moved: dict[str, Any]) -> None:
    row = inserted()
    payment_writes.advance(row, row.model_copy(update=moved))
    with pytest.raises(VersionConflict):
        payment_writes.lock(row, row.model_copy(update={"active_attempt": attempt()}), None)


def test_a_lock_and_the_clients_key_are_one() -> None:
    row = inserted()
    locked = row.model_copy(update={"active_attempt": attempt()})
    kept = payment_writes.lock(row, locked, record(row.id))
    found, shown = payment_items.read(row.id, "key-1", NOW)
    assert (found, shown) == (kept, record(row.id))
    again = inserted()
    dynamodb.write(idempotency_items.close_action(record(again.id, state="done", snapshot="{}")))
    with pytest.raises(KeyTaken) as raised:
        payment_writes.lock(
            again, again.model_copy(update={"active_attempt": attempt()}), record(again.id)
        )
    assert raised.value.record.state == "done"
    assert stored(again.id) == again


def test_an_expired_record_is_hidden_and_its_key_free() -> None:
    row = inserted()
    dynamodb.write(idempotency_items.close_action(record(row.id, state="done", snapshot="{}")))
    assert payment_items.read(row.id, "key-1", NOW + DAY)[1] is None
    locked = row.model_copy(update={"active_attempt": attempt(at=NOW + DAY)})
    payment_writes.lock(row, locked, record(row.id, expires=NOW + 2 * DAY))
    found = payment_items.read(row.id, "key-1", NOW + DAY)[1]
    assert found
    assert found.state == "open"


# --- T2 -----------------------------------------------------------------------------------------


def test_a_late_answer_does_not_undo_a_newer_one() -> None:
    seen = inserted()
    newer = merge(seen, status="succeeded")
    with pytest.raises(VersionConflict):
        merge(seen, status="canceled")
    assert stored(seen.id) == newer
    assert [each.to_status for each in payment_items.timeline(seen.id)] == ["succeeded"]


def test_every_write_moves_the_fence_also_one_that_changes_nothing() -> None:
    row = inserted()
    bumped = payment_writes.advance(row, row)
    merged = merge(bumped, status="processing")
    assert [row.version, bumped.version, merged.version] == [1, 2, 3]
    assert len({row.writer, bumped.writer, merged.writer}) == 3


def test_only_one_of_many_writers_moves_a_row() -> None:
    row = inserted()
    results = together(8, lambda _: merge(row, status="processing"))
    assert sum(isinstance(each, Payment) for each in results) == 1
    assert sum(isinstance(each, VersionConflict) for each in results) == 7
    assert len(payment_items.timeline(row.id)) == 1


def test_a_repeat_of_our_own_write_by_the_sdk_is_ours(wire: Wire) -> None:
    row = inserted()
    wire.lose_answer("UpdateItem")
    after = payment_writes.advance(row, row.model_copy(update={"due_at": 5}))
    assert len(wire.requests) == 2
    assert stored(row.id) == after


@pytest.mark.race  # moto forgets the token of a transaction, DynamoDB Local knows it
def test_a_transaction_whose_answer_was_lost_is_taken_once(
    dynamodb_local: None, wire: Wire
) -> None:
    row = inserted()
    wire.lose_answer("TransactWriteItems")
    after = merge(row, status="succeeded")
    assert len({request["ClientRequestToken"] for request in wire.requests}) == 1
    assert stored(row.id) == after


def test_the_providers_id_leads_to_the_payment() -> None:
    row = merge(inserted(), provider_payment_id="pi_1")
    assert payment_items.id_at_provider("pi_1") == row.id
    assert payment_items.id_at_provider("pi_2") is None


def test_an_id_that_is_anothers_is_told_and_both_rows_may_stay() -> None:
    first = merge(inserted(), provider_payment_id="pi_1")
    seen = inserted()
    after = changed(seen, provider_payment_id="pi_1")
    with pytest.raises(ProviderIdTaken):
        payment_writes.commit_transition(seen, after, entry(after), None)
    assert stored(seen.id) == seen
    payment_writes.commit_transition(seen, after, entry(after), None, link=False)
    assert stored(seen.id).provider_payment_id == "pi_1"
    assert payment_items.id_at_provider("pi_1") == first.id


@pytest.mark.parametrize("state", ["done", "free"])
def test_the_end_of_an_attempt_and_the_clients_key_are_one(state: str) -> None:
    row = inserted()
    locked = payment_writes.lock(
        row, row.model_copy(update={"active_attempt": attempt()}), record(row.id)
    )
    merge(locked, record(row.id, state=state, snapshot="{}"), active_attempt=None)
    shown = payment_items.read(row.id, "key-1", NOW)[1]
    assert (shown and shown.state) == (state if state == "done" else None)
    with pytest.raises(VersionConflict):
        merge(locked, record(row.id, state="done", snapshot='"late"'), active_attempt=None)
    assert payment_items.read(row.id, "key-1", NOW)[1] == shown


# --- the client secret --------------------------------------------------------------------------


def with_secret() -> Payment:
    return merge(inserted(), provider_payment_id="pi_1", client_secret="pi_1_secret_x")


def test_b15_an_expired_client_secret_is_not_shown_though_it_is_still_stored() -> None:
    """The table's own sweep is late by days."""
    row = with_secret()
    ends = int(row.created_at.timestamp()) + DAY
    assert read_with_secret(row.id, ends - 1) == "pi_1_secret_x"
    assert read_with_secret(row.id, ends) is None
    item = dynamodb.get(keys.client_secret(row.id))
    assert item
    assert item["exp"] == ends


@pytest.mark.parametrize("status", ["succeeded", "canceled"])
def test_b15_it_is_erased_with_the_payments_end(status: str) -> None:
    row = with_secret()
    merge(row, status=status, client_secret=None)
    assert dynamodb.get(keys.client_secret(row.id)) is None


@pytest.mark.parametrize("status", ["failed", "processing", "requires_action"])
def test_b15_it_outlives_what_is_no_end(status: str) -> None:
    row = with_secret()
    merge(row, status=status)
    assert read_with_secret(row.id, NOW - 10 * 365 * DAY) == "pi_1_secret_x"


def test_b15_a_late_merge_does_not_make_it_live_longer() -> None:
    row = with_secret()
    before = dynamodb.get(keys.client_secret(row.id))
    merge(row, status="failed", client_secret="pi_1_secret_x")
    assert dynamodb.get(keys.client_secret(row.id)) == before


# --- what is due --------------------------------------------------------------------------------


def test_what_is_no_longer_due_leaves_the_index() -> None:
    row = inserted(due_at=NOW)
    payment_writes.advance(row, row.model_copy(update={"due_at": None}))
    items = database.client().scan(TableName=config.table_name("ledger"), IndexName="due")["Items"]
    assert items == []
    assert (dynamodb.get(keys.payment(row.id)) or {}).keys().isdisjoint({"due_pk", "due_at"})


# --- the timeline -------------------------------------------------------------------------------


def test_a_timeline_is_read_in_its_order_over_all_pages() -> None:
    row = inserted()
    for number in range(1, 13):
        row = merge(row, status="processing" if number % 2 else "created")
    assert [each.sequence for each in payment_items.timeline(row.id)] == list(range(1, 13))


def test_an_entry_is_never_written_twice() -> None:
    row = inserted()
    merge(row, status="processing")
    again = stored(row.id).model_copy(update={"sequence": 0})
    with pytest.raises(dynamodb.ConditionFailed) as lost:
        merge(again, status="failed")
    assert lost.value.items.keys() == {"entry"}
    assert stored(row.id).status == "processing"


def test_an_attribute_of_a_newer_release_survives_every_write() -> None:
    row = inserted()
    where = dynamodb.key_of(keys.payment(row.id))
    dynamodb.client().update_item(
        TableName=config.table_name("ledger"),
        Key=where,
        UpdateExpression="SET newer = :it",
        ExpressionAttributeValues={":it": {"S": "kept"}},
    )
    row = payment_writes.lock(row, row.model_copy(update={"active_attempt": attempt()}), None)
    row = merge(row, active_attempt=None, status="processing")
    payment_writes.advance(row, row.model_copy(update={"due_at": NOW}))
    assert (dynamodb.get(Key("ledger", where["pk"]["S"], "P")) or {})["newer"] == "kept"


# --- what goes with its customer ----------------------------------------------------------------


def test_a_hidden_payment_loses_its_pointers_and_nothing_else() -> None:
    guest = {"email": "donor@example.com", "name": "John"}
    owned = {"organization_id": "org_1", "customer_id": "cust_1", "guest": guest}
    row, other = inserted(**owned), inserted(**owned)
    hidden = row.model_copy(update={"guest": None, "is_hidden": True})
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


def test_a_payment_that_has_changed_is_not_hidden() -> None:
    row = inserted()
    payment_writes.advance(row, row)
    with pytest.raises(VersionConflict):
        payment_writes.hide(row, row.model_copy(update={"is_hidden": True}))
    assert [each.id for each in payment_items.list_of_user("user_1", Page())] == [row.id]


def test_a_customers_payments_are_walked_oldest_first_though_pages_vanish() -> None:
    rows = [inserted(customer_id="cust_1") for _ in range(5)]
    inserted(customer_id="cust_2")
    walked, after, sizes = [], "", []
    while True:
        page, after = payment_items.walk_customer("cust_1", after or None, 2)
        walked += [each.id for each in page]
        sizes.append(len(page))
        payment_writes.hide(page[-1], page[-1].model_copy(update={"is_hidden": True}))
        if not after:
            break
    assert (walked, sizes) == ([row.id for row in rows], [2, 2, 1])
