"""Write payments. T1 takes the lock, T2 writes what changed and releases the lock.

How money stays right:

- The lock is the attribute `active_attempt` of the row. It is taken in `lock` (T1), or in
  `insert_locked` for a new payment. No money call is sent without it.
- It is released in `commit_transition` (T2), and nowhere else. If the attempt ended, the row that
  T2 writes has no active attempt.
- Every write has the version that was read as its condition, and raises it by one. So a write that
  is based on an older read fails with VersionConflict (rules 5 and 6).
- The client's idempotency record is in the same transaction as its effect (rule 9).

Source: docs/payment-correctness.md, sections 3 and 4; docs/data-model.md, section 2.
"""

import uuid
from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from bridge import clock
from bridge.models.idempotency import IdempotencyRecord
from bridge.models.model import values_of
from bridge.models.payment import Entry, Payment
from bridge.models.provider import FINAL
from bridge.models.queue_message import WebhookEventReference
from bridge.models.refund import Refund
from bridge.store import dynamodb, keys
from bridge.store.dedupe import idempotency_items, webhook_items
from bridge.store.dynamodb import Actions
from bridge.store.keys import Key
from bridge.store.payments.payment_items import item_of

CLIENT_SECRET_LIFE_S = 24 * 3600


class CustomerGone(Exception):
    """The customer was deleted before the payment was written."""


class CustomerTaken(Exception):
    """Another request made or linked the caller's own customer first: find it again."""


class SavedMeanwhile(Exception):
    """The customer's saved methods changed since they were read: read them again."""


class ProviderIdTaken(Exception):
    """The provider's payment id belongs to another payment of ours."""


def _pointers(payment: Payment) -> Actions:
    """The items by which the payment is listed: of user, guest, organization and customer."""
    partitions = {
        "of_user": keys.user(payment.user_id) if payment.user_id else None,
        "of_guest": keys.guest(payment.guest.email) if payment.guest else None,
        "of_organization": keys.organization_payments(payment.organization_id, payment.shard)
        if payment.organization_id
        else None,
        "of_customer": keys.customer_payments(payment.customer_id) if payment.customer_id else None,
    }
    item = {"id": payment.id, "provider_id": payment.provider_id}
    owner = {"user_id": payment.user_id, "organization_id": payment.organization_id}
    items = {"of_customer": item | owner}  # whose payment it is, where the customer is shared
    return {
        name: dynamodb.put(keys.payment_pointer(partition, payment.uid), items.get(name, item))
        for name, partition in partitions.items()
        if partition
    }


def insert_locked(payment: Payment, record: IdempotencyRecord | None, customer: Actions) -> Payment:
    """T1 of a creation: write the row with its lock, its pointers, and the idempotency record.

    `customer` comes from customer_items: a check that the customer is active, or the writes that
    make or link it. Raises KeyTaken, CustomerGone, CustomerTaken, Throttled.
    Source: docs/payment-correctness.md, section 4.
    """
    fresh = dynamodb.condition("attribute_not_exists(#pk)")
    actions = {"payment": dynamodb.put(keys.payment(payment.id), item_of(payment), fresh)}
    actions |= _pointers(payment) | customer
    if record:
        actions["record"] = idempotency_items.open_action(
            record, payment.active_attempt.at if payment.active_attempt else 0
        )
    try:
        dynamodb.transact(actions)
    except dynamodb.ConditionFailed as failed:
        if "record" in failed.items:
            raise idempotency_items.taken(failed.items["record"]) from failed
        if "customer_lives" in failed.items:
            raise CustomerGone from failed
        if failed.items.keys() & {"automatic", "customer_linked"}:
            raise CustomerTaken from failed
        raise
    return payment


def _version_guard(seen: Payment) -> dict[str, Any]:
    """The condition of every write: the row still has the version that was read (rule 5)."""
    return dynamodb.condition("#version = :seen", seen=seen.version)


def _next_version(seen: Payment, after: Payment) -> Payment:
    """Raise the version, and mark the write as ours with a random token (rule 6)."""
    return replace(after, version=seen.version + 1, writer=uuid.uuid4().hex)


def lock(seen: Payment, locked: Payment, record: IdempotencyRecord | None) -> Payment:
    """T1: take the lock. Also writes the idempotency record and the requested refund.

    `locked` is `seen` with the active attempt (`attempts.lock_for`). The condition: version and
    status are as they were read, and no attempt is active. So of several workers only one gets the
    lock, and the decision that was made before the lock still holds.

    Raises KeyTaken if the client's key has a record already, VersionConflict, Throttled.
    Source: docs/payment-correctness.md, section 4.
    """
    locked = _next_version(seen, locked)
    guard = dynamodb.condition(
        "#version = :seen AND attribute_not_exists(#active_attempt) AND #status = :status",
        seen=seen.version,
        status=seen.status,
    )
    row = keys.payment(seen.id)
    actions = {"payment": dynamodb.change(row, item_of(seen), item_of(locked), guard)}
    attempt = locked.locked_attempt
    if attempt.refund:
        fresh = dynamodb.condition("attribute_not_exists(#pk)")
        place = keys.refund(seen.id, attempt.refund.id)
        actions["refund"] = dynamodb.put(place, values_of(attempt.refund), fresh)
    if record:
        actions["record"] = idempotency_items.open_action(record, attempt.at)
    try:
        dynamodb.transact(actions)
    except dynamodb.ConditionFailed as failed:
        if "record" in failed.items:
            raise idempotency_items.taken(failed.items["record"]) from failed
        raise dynamodb.VersionConflict(seen.id) from failed
    return locked


def commit_transition(
    seen: Payment,
    merged: Payment,
    entries: Iterable[Entry],
    record: IdempotencyRecord | None,
    refunds: Iterable[Refund] = (),
    saved: Actions | None = None,
    *,
    event: WebhookEventReference | None = None,
    link: bool = True,
) -> Payment:
    """T2: write a change of facts with its timeline entries and everything that belongs to it.

    All of it or nothing. This is the only place where the lock is released: `merged` has no active
    attempt if the attempt ended.

    `record`: the idempotency record of the ended attempt; state `done` is stored with its response,
    state `free` deletes the record, so that the client can use the key again. `refunds`: those
    that changed. `saved`: the writes of method_items that save the payment's method. `event`: the
    provider's event that this run handles; it is marked as seen. `link`: write the pointer from
    the provider's id to this payment.

    Raises VersionConflict, ProviderIdTaken, SavedMeanwhile, Throttled.
    Source: docs/payment-correctness.md, section 4.
    """
    merged = _next_version(seen, merged)
    fresh = dynamodb.condition("attribute_not_exists(#pk)")
    row = dynamodb.change(
        keys.payment(seen.id), item_of(seen), item_of(merged), _version_guard(seen)
    )
    actions = {"payment": row} | (saved or {})
    for entry in entries:
        place = keys.entry(seen.id, entry.sequence)
        actions[f"entry {entry.sequence}"] = dynamodb.put(place, values_of(entry), fresh)
    if record:
        actions["record"] = idempotency_items.close_action(record)
    for refund in refunds:
        place = keys.refund(seen.id, refund.id)
        actions[refund.id] = dynamodb.put(place, values_of(refund))
    if event:
        actions["event"] = webhook_items.seen_action(event, clock.seconds())
    provider_payment_id = merged.provider_payment_id
    is_new = provider_payment_id != seen.provider_payment_id
    if link and provider_payment_id and is_new:
        actions["provider_payment"] = dynamodb.put(
            keys.provider_payment(merged.provider_id, provider_payment_id),
            {"payment_id": merged.id},
            dynamodb.condition("attribute_not_exists(#pk) OR #payment_id = :id", id=merged.id),
        )
    if merged.status in FINAL:
        if seen.status not in FINAL:  # B15: nobody may pay it any more
            actions["secret"] = dynamodb.delete(keys.client_secret(merged.id))
    elif merged.client_secret and is_new:
        expires = int(merged.created_at.timestamp()) + CLIENT_SECRET_LIFE_S
        actions["secret"] = dynamodb.put(
            keys.client_secret(merged.id), {"secret": merged.client_secret, "exp": expires}
        )
    try:
        dynamodb.transact(actions)
    except dynamodb.ConditionFailed as failed:
        if "payment" in failed.items:
            raise dynamodb.VersionConflict(seen.id) from failed
        if "provider_payment" in failed.items:
            raise ProviderIdTaken(seen.id) from failed
        if saved and failed.items.keys() & saved.keys():
            raise SavedMeanwhile(seen.id) from failed
        raise
    return merged


def advance(
    seen: Payment, after: Payment, *, event: WebhookEventReference | None = None
) -> Payment:
    """Raise the version and write what is not a fact: our own fields, the next `due_at`.

    Also called if nothing changed at all: the raised version stops a slower worker that fetched
    before us from writing its older answer (rule 6).

    Raises VersionConflict, Throttled.
    Source: docs/payment-correctness.md, section 4.
    """
    after = _next_version(seen, after)
    action = dynamodb.change(
        keys.payment(seen.id), item_of(seen), item_of(after), _version_guard(seen)
    )
    if event:
        _transact_seen(action, seen, event)
        return after
    try:
        dynamodb.write(action)
    except dynamodb.ConditionFailed as failed:
        # Our own token is stored: this write was done, and the SDK has repeated it.
        if failed.items["it"].get("writer") != after.writer:
            raise dynamodb.VersionConflict(seen.id) from failed
    return after


def _transact_seen(action: dict[str, Any], seen: Payment, event: WebhookEventReference) -> None:
    """Write the row and mark the event as seen, in one transaction."""
    actions = {"payment": action, "event": webhook_items.seen_action(event, clock.seconds())}
    try:
        dynamodb.transact(actions)
    except dynamodb.ConditionFailed as failed:
        raise dynamodb.VersionConflict(seen.id) from failed


def hide(seen: Payment, hidden: Payment) -> int:
    """Write the row without personal data and delete its pointers. Returns the number of writes.

    Timeline, refunds and the pointer from the provider's id stay: money can be traced, and
    webhooks still find the payment. Raises VersionConflict, Throttled.
    Source: docs/data-model.md, section 6.
    """
    hidden = _next_version(seen, hidden)
    row = dynamodb.change(
        keys.payment(seen.id), item_of(seen), item_of(hidden), _version_guard(seen)
    )
    actions = {"payment": row}
    for name, pointer in _pointers(seen).items():
        item = pointer["Put"]["Item"]
        actions[name] = dynamodb.delete(Key("ledger", item["pk"]["S"], item["sk"]["S"]))
    try:
        dynamodb.transact(actions)
    except dynamodb.ConditionFailed as failed:
        raise dynamodb.VersionConflict(seen.id) from failed
    return len(actions)
