"""Writes of payments: T1 takes the lock, T2 commits what changed, and both move the fence.

Source: design/data-model.md 2, design/convergence.md 4.
"""

import uuid
from collections.abc import Iterable
from typing import Any

from bridge import clock
from bridge.models.idempotency import IdempotencyRecord
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
    """Another request made the caller's own customer, or its provider's, first: read it again."""


class SavedMeanwhile(Exception):
    """What is saved for the payment's customer changed since it was read."""


class ProviderIdTaken(Exception):
    """The provider's payment id belongs to another payment of ours."""


def _pointers(payment: Payment) -> Actions:
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
    """T1 of a creation: the row with its lock, its pointers, the record, and its customer's part.

    `customer` comes from customer_items: a check that it lives, or the writes that make it.
    Raises KeyTaken, CustomerGone, CustomerTaken, Congested.
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
    return dynamodb.condition("#version = :seen", seen=seen.version)


def _next_version(seen: Payment, after: Payment) -> Payment:
    """Every write moves the fence and signs itself (rules 5 and 6)."""
    return after.model_copy(update={"version": seen.version + 1, "writer": uuid.uuid4().hex})


def lock(seen: Payment, locked: Payment, record: IdempotencyRecord | None) -> Payment:
    """T1: take the lock on a payment that is as we saw it, together with the client's key and the
    refund that is asked for, whose amount the locked row reserves.

    Raises KeyTaken, Outrun, Congested.
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
        actions["refund"] = dynamodb.put(place, attempt.refund.model_dump(), fresh)
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
    entry: Entry,
    record: IdempotencyRecord | None,
    refunds: Iterable[Refund] = (),
    saved: Actions | None = None,
    *,
    event: WebhookEventReference | None = None,
    link: bool = True,
) -> Payment:
    """T2: a change of facts, its timeline entry, and all that hangs on it, or nothing.

    `record` is the client's key of an attempt that ended: stored when it bears an answer, deleted
    when it bears none, so that the key is free again. `refunds`: those that change. `saved`: the
    writes of method_items that keep its method. `event`: what brought us here, seen with this.
    `link`: let the provider's id lead to this payment.
    Raises Outrun, EventSeen, ProviderIdTaken, SavedMeanwhile, Congested.
    """
    merged = _next_version(seen, merged)
    fresh = dynamodb.condition("attribute_not_exists(#pk)")
    row = dynamodb.change(
        keys.payment(seen.id), item_of(seen), item_of(merged), _version_guard(seen)
    )
    line = dynamodb.put(keys.entry(seen.id, entry.sequence), entry.model_dump(), fresh)
    actions = {"payment": row, "entry": line} | (saved or {})
    if record:
        actions["record"] = idempotency_items.close_action(record)
    for refund in refunds:
        place = keys.refund(seen.id, refund.id)
        actions[refund.id] = dynamodb.put(place, refund.model_dump())
    if event:
        actions["event"] = webhook_items.seen_action(event, clock.seconds())
    known = merged.provider_payment_id
    if link and known and known != seen.provider_payment_id:
        actions["provider_payment"] = dynamodb.put(
            keys.provider_payment(merged.provider_id, known),
            {"payment_id": merged.id},
            dynamodb.condition("attribute_not_exists(#pk) OR #payment_id = :id", id=merged.id),
        )
    if merged.status in FINAL:
        if seen.status not in FINAL:
            actions["secret"] = dynamodb.delete(keys.client_secret(merged.id))
    elif merged.client_secret and known != seen.provider_payment_id:
        expires = int(merged.created_at.timestamp()) + CLIENT_SECRET_LIFE_S
        actions["secret"] = dynamodb.put(
            keys.client_secret(merged.id), {"secret": merged.client_secret, "exp": expires}
        )
    try:
        dynamodb.transact(actions)
    except dynamodb.ConditionFailed as failed:
        if "event" in failed.items:
            raise webhook_items.EventSeen(seen.id) from failed
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
    """Write what is no fact (our own fields, when to look next) and move the fence.

    Raises Outrun, Congested; with an event also EventSeen.
    Source: convergence.md 4, "Nothing changed".
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
        if failed.items["it"].get("writer") != after.writer:
            raise dynamodb.VersionConflict(
                seen.id
            ) from failed  # otherwise it is ours: the SDK had repeated it
    return after


def _transact_seen(action: dict[str, Any], seen: Payment, event: WebhookEventReference) -> None:
    actions = {"payment": action, "event": webhook_items.seen_action(event, clock.seconds())}
    try:
        dynamodb.transact(actions)
    except dynamodb.ConditionFailed as failed:
        if "event" in failed.items:
            raise webhook_items.EventSeen(seen.id) from failed
        raise dynamodb.VersionConflict(seen.id) from failed


def hide(seen: Payment, hidden: Payment) -> int:
    """Write the row that is left, and delete its pointers; returns how many items were written.

    Timeline, refunds and the provider's id stay, so money is traced and webhooks still find it.
    Raises Outrun, Congested. Source: data-model.md 6, step 3.
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
