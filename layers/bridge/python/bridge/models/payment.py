"""Payments: the stored row, the lock, the timeline.

Source: docs/api/native.md, section 4; docs/data-model.md, section 2.
"""

from typing import Annotated, Any, Literal

from bridge.models.customer import Guest
from bridge.models.field_rules import (
    FIXED,
    MADE,
    OURS,
    OWN,
    TEXT,
    VISIBLE,
    FieldRule,
)
from bridge.models.model import PRIVATE, Model, Time, json_values_of
from bridge.models.provider import Dispute, Failure, NextAction, ProviderId, Status, Usage
from bridge.models.refund import Refund, RefundStatus
from bridge.models.run_context import Cause
from bridge.models.text import Metadata

Operation = Literal["create", "confirm", "update", "capture", "refund", "cancel"]
OutcomeKind = Literal["done", "refused", "not_sent"]
CaptureMethod = Literal["automatic", "manual"]
CancellationReason = Literal["requested_by_customer", "duplicate", "fraudulent", "abandoned"]
DisplayedStatus = Literal[
    "created",
    "requires_action",
    "processing",
    "requires_capture",
    "failed",
    "succeeded",
    "canceled",
    "disputed",
    "refunded",
    "partially_refunded",
]


class IdempotencyKeyReference(Model, frozen=True, kw_only=True):
    """Which idempotency record an attempt completes when it ends (B17).

    `record` is the record's key, `fingerprint` that of the request, `expires` in seconds.
    """

    record: str
    fingerprint: str
    expires: int


class ActiveAttempt(Model, frozen=True, kw_only=True):
    """The one money call in progress. Its presence on the payment row is the lock.

    `number` is never used twice on a payment. `key` is the idempotency key that the provider gets.
    `total_cents` is the amount, frozen when the lock was taken. `from_status` and `seen_charge_id`
    are from our row at that moment; status checks compare with them. `request_hash` tells whether
    another request is the same one.

    `at`: when the lock was taken. `until`: the end of the lease, after which nothing of the attempt
    can still take effect. Both in seconds. `pending_changes`: what the row will contain once the
    attempt is done, by the names of its fields.

    `before`: of an update, what the provider's object had before in the fields that it changes.
    `method`: of an update with another method, its `method_digest` (rule 18). `sent`: of a
    creation, the request as its adapter wrote it. A status check repeats it byte for byte, whatever
    the row says by then. `server_errors`: how often its key was answered 5xx (rule 17). `refund`:
    of a refund, the requested refund; its amount is reserved. `client_key`: the idempotency record
    to complete.

    Source: docs/payment-correctness.md, section 1.
    """

    number: int
    operation: Operation
    key: str
    total_cents: int
    from_status: Status
    seen_charge_id: str | None = None
    request_hash: str
    at: int
    until: int
    pending_changes: Annotated[dict[str, Any], PRIVATE] = {}
    before: Annotated[dict[str, Any], PRIVATE] = {}
    method: str | None = None
    client_key: IdempotencyKeyReference | None = None
    sent: Annotated[str | None, PRIVATE] = None
    server_errors: int = 0
    refund: Refund | None = None


# The rules of only a payment's fields. What we make and compute:
_INTERNAL = FieldRule(set_by="bridge", seen_by="nobody")
# What the provider's state says:
_FACT = FieldRule(set_by="provider", seen_by="caller", is_fact=True)
_INTERNAL_FACT = FieldRule(set_by="provider", seen_by="operator", is_fact=True)
_STATE = FieldRule(set_by="provider", seen_by="operator")
_PAYERS = FieldRule(set_by="provider", seen_by="caller", is_personal=True)
_SECRET = FieldRule(set_by="provider", seen_by="owner", is_secret=True)
# What the client sends: for ever, at any time, or until it is charged:
_GUEST = FieldRule(
    set_by="client", seen_by="operator", changes="never", body_name="guest_data", is_personal=True
)
_AMOUNT = FieldRule(set_by="client", seen_by="caller", changes="before_charge")
_CHARGED = FieldRule(
    set_by="client", seen_by="caller", changes="before_charge", at_provider=True, is_fact=True
)
_SENT = FieldRule(set_by="client", seen_by="caller", changes="before_charge", at_provider=True)
_PRINTED = FieldRule(
    set_by="client",
    seen_by="caller",
    changes="before_charge",
    at_provider=True,
    is_personal=True,
)
_ADDRESS = FieldRule(set_by="client", seen_by="operator", changes="before_charge", is_personal=True)


class Payment(Model, frozen=True, kw_only=True):
    """A payment as it is stored: the row.

    `version` is raised by every write to the row; a write that is based on an older version is
    rejected. `writer` is the random token of the last write. `sequence` and `last_hash` are those
    of the last timeline entry. `attempts` is the number of the last attempt. `active_attempt` is
    the lock.

    Amounts are integers in the currency's minor unit. `refundable_cents` is captured less refunded
    less reserved. `refunds_pending` counts the refunds that can still fail.

    `due_at`: when the next status check is due, in seconds; None if nothing can change any more.
    `changed_at`: when a fact last changed. `is_contradicted`: at the last status check the provider
    contradicted our row or itself, so it is asked again soon (rule 13). `announced`: the status in
    the last `payment.<status>` event. `provider_method`: the `method_digest` of the method that the
    provider's object has. `is_open`: the payer can still pay the provider's object. `may_redirect`:
    the object was created with a return address. `is_hidden`: the personal data was removed with
    the customer. `shard`: the partition of the organization's list. `client_secret` is an item of
    its own.

    Source: docs/data-model.md, section 2.
    """

    id: Annotated[str, MADE]
    uid: Annotated[str, OURS]
    version: Annotated[int, OURS] = 1
    sequence: Annotated[int, OURS] = 0
    last_hash: Annotated[str, _INTERNAL] = ""
    attempts: Annotated[int, OURS] = 0
    active_attempt: Annotated[ActiveAttempt | None, OURS] = None
    writer: Annotated[str, _INTERNAL] = ""
    status: Annotated[Status, _FACT] = "new"
    subtotal_cents: Annotated[int, _AMOUNT]
    tax_cents: Annotated[int, _AMOUNT]
    discount_cents: Annotated[int, _AMOUNT]
    total_cents: Annotated[int, _CHARGED]
    captured_cents: Annotated[int, _FACT] = 0
    refunded_cents: Annotated[int, _FACT] = 0
    refundable_cents: Annotated[int, OURS] = 0
    refunds_pending: Annotated[int, OURS] = 0
    currency: Annotated[str, _CHARGED]
    provider_id: Annotated[ProviderId, FIXED]
    provider_payment_id: Annotated[str | None, _FACT] = None
    charge_id: Annotated[str | None, _INTERNAL_FACT] = None
    provider_method: Annotated[str | None, _INTERNAL] = None
    is_open: Annotated[bool, _STATE] = False
    dispute: Annotated[Dispute | None, _INTERNAL_FACT] = None
    next_action: Annotated[NextAction | None, _PAYERS] = None
    failure: Annotated[Failure | None, _STATE] = None
    user_id: Annotated[str | None, VISIBLE] = None
    organization_id: Annotated[str | None, FIXED] = None
    customer_id: Annotated[str | None, FIXED] = None
    provider_customer_id: Annotated[str | None, OURS] = None
    guest: Annotated[Guest | None, _GUEST] = None
    payment_method_id: Annotated[str | None, _SENT] = None
    project_id: Annotated[str | None, OWN] = None
    description: Annotated[str | None, TEXT] = None
    concept: Annotated[str | None, TEXT] = None
    reference_code: Annotated[str | None, TEXT] = None
    category: Annotated[str | None, TEXT] = None
    tags: Annotated[str | None, TEXT] = None
    statement_descriptor: Annotated[str | None, _PRINTED] = None
    setup_future_usage: Annotated[Usage | None, _SENT] = None
    capture_method: Annotated[CaptureMethod, FIXED] = "automatic"
    return_url: Annotated[str | None, _ADDRESS] = None
    cancel_url: Annotated[str | None, _ADDRESS] = None
    may_redirect: Annotated[bool, OURS] = False
    metadata: Annotated[Metadata, TEXT] = {}
    due_at: Annotated[int | None, OURS] = None
    is_contradicted: Annotated[bool, OURS] = False
    announced: Annotated[DisplayedStatus | None, OURS] = None
    is_hidden: Annotated[bool, OURS] = False
    shard: Annotated[int, OURS] = 0
    completed_at: Annotated[Time | None, VISIBLE] = None
    changed_at: Annotated[Time, OURS]
    created_at: Annotated[Time, VISIBLE]
    updated_at: Annotated[Time, VISIBLE]
    client_secret: Annotated[str | None, _SECRET] = None

    @property
    def locked_attempt(self) -> ActiveAttempt:
        """The active attempt of a payment that is surely locked.

        Raises RuntimeError if it is not: that is a mistake of ours.
        """
        if self.active_attempt is None:
            raise RuntimeError("this payment is not locked")
        return self.active_attempt

    @property
    def displayed_status(self) -> DisplayedStatus:
        """The status that a caller sees (B13).

        While a create or confirm is active, that is `processing`, unless a status check has found
        another state than the one from T1 (B20). Refunded and disputed are computed here.
        Source: docs/payment-correctness.md, section 2.
        """
        attempt = self.active_attempt
        if (
            attempt
            and attempt.operation in ("create", "confirm")
            and self.status == attempt.from_status
        ):
            return "processing"
        if self.status == "succeeded":
            if self.dispute and self.dispute.state != "won":
                return "disputed"
            if self.refunded_cents >= self.captured_cents > 0:
                return "refunded"
            if self.refunded_cents:
                return "partially_refunded"
        return "processing" if self.status == "new" else self.status


class RefundChange(Model, frozen=True, kw_only=True):
    """A refund that is new or has another status: the event `refund.<status>`."""

    id: str
    amount_cents: int
    currency: str
    status: RefundStatus


class DisputeChange(Model, frozen=True, kw_only=True):
    """A dispute that is new or has another state: the event `dispute.<change>`."""

    id: str
    change: Literal["opened", "updated", "won", "lost"]


DISPLAYED_NAMES = {"sequence": "seq", "from_status": "from", "to_status": "to"}


class Entry(Model, frozen=True, kw_only=True):
    """One entry of a payment's timeline. It has no personal data. Its events go to the bus.

    `event`: `payment.<status>`, if the displayed status changed. `refund`, `dispute`: what changed
    there; an entry tells of one change at most. `hash` is SHA-256 over RFC 8785 JSON of the entry
    without `hash`, by the names that callers see. `previous_hash` is the hash of the entry before.
    `operation`, `attempt`, `request_hash` and `outcome` are set if an attempt ended.
    """

    sequence: int
    at: Time
    from_status: Status
    to_status: Status
    cause: Cause
    operation: Operation | None = None
    attempt: int | None = None
    request_hash: str | None = None
    outcome: OutcomeKind | None = None
    event: str | None = None
    refund: RefundChange | None = None
    dispute: DisputeChange | None = None
    previous_hash: str
    hash: str = ""

    @property
    def displayed(self) -> dict[str, Any]:
        """The entry as JSON, by the names that callers see. Without `hash` it is what is hashed."""
        values = json_values_of(self)
        return {DISPLAYED_NAMES.get(name, name): value for name, value in values.items()}


class AttemptOutcome(Model, frozen=True, kw_only=True):
    """How an attempt ended (rule 11).

    `done`: the provider answered, or a status check proved it. `refused`: the provider surely did
    not do it. `not_sent`: it never arrived. `failure`: why no money moved; of an attempt that is
    done, that it was declined. `next_attempt`: of a creation that was not sent, the attempt that
    takes its place (rule 17). Source: docs/payment-correctness.md, section 5.
    """

    attempt: int
    kind: OutcomeKind
    failure: Failure | None = None
    next_attempt: ActiveAttempt | None = None


class PaymentResult(Model, frozen=True, kw_only=True):
    """The result of a money call.

    `replayed`: this is the stored response of an earlier request with the same key. `retry_after`:
    the outcome is not known yet (202); the lease is over in so many seconds. `refund`: the
    requested refund, if the call was one.
    """

    payment: Payment
    refund: Refund | None = None
    replayed: bool = False
    retry_after: int | None = None

    @property
    def requested_refund(self) -> Refund:
        """The refund of a call that was a refund. Raises RuntimeError for any other call."""
        if self.refund is None:
            raise RuntimeError("this call asked for no refund")
        return self.refund
