"""Payments: what a caller sends, the stored row, the lock, the timeline.

Source: docs/api/native.md, section 4; docs/data-model.md, section 2.
"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, Field, ValidationInfo, field_validator

from bridge.models.currency import Cents, Currency
from bridge.models.customer import STRICT, Guest, GuestData
from bridge.models.provider import Dispute, Failure, NextAction, ProviderId, Status
from bridge.models.refund import Refund
from bridge.models.run_context import Cause
from bridge.models.text import (
    CheckedMetadata,
    Description,
    Metadata,
    Name,
    Reference,
    Short,
    Tags,
    Url,
)

Operation = Literal["create", "confirm", "update", "capture", "refund", "cancel"]
OutcomeKind = Literal["done", "refused", "not_sent"]
Usage = Literal["on_session", "off_session"]
CaptureMethod = Literal["automatic", "manual"]


class NewPayment(BaseModel):
    """The body of a creation. Amounts are integers in the currency's minor unit (B14)."""

    model_config = STRICT
    subtotal_cents: Cents | None = None
    tax_cents: Cents | None = None
    discount_cents: Cents | None = None
    total_cents: Annotated[Cents, Field(ge=1)] | None = Field(default=None, validate_default=True)
    currency: Currency
    provider_id: ProviderId = "stripe"
    description: Description | None = None
    concept: Name | None = None
    reference_code: Short | None = None
    category: Short | None = None
    tags: Tags | None = None
    setup_future_usage: Usage | None = None
    capture_method: CaptureMethod = "automatic"
    payment_method_id: Reference | None = None
    customer_id: Reference | None = None
    organization_id: Reference | None = None
    project_id: Reference | None = None
    metadata: CheckedMetadata = {}
    return_url: Url | None = None
    cancel_url: Url | None = None
    guest_data: GuestData | None = None

    @field_validator("total_cents")
    @classmethod
    def _or_subtotal(cls, total: int | None, fields: ValidationInfo) -> int | None:
        """Require total or subtotal. An invalid subtotal is not in `fields`, but it was sent."""
        if total is None and fields.data.get("subtotal_cents", 0) is None:
            raise ValueError("is required, or subtotal_cents")
        return total


class PaymentChange(BaseModel):
    """The body of an update. Only fields that were sent are in `model_fields_set`.

    The last five fields and `customer_id` are immutable: another value than the stored one is 400
    `immutable_field`.
    """

    model_config = STRICT
    subtotal_cents: Cents | None = None
    tax_cents: Cents | None = None
    discount_cents: Cents | None = None
    total_cents: Annotated[Cents, Field(ge=1)] | None = None
    currency: Currency | None = None
    setup_future_usage: Usage | None = None
    payment_method_id: Reference | None = None
    customer_id: Reference | None = None
    return_url: Url | None = None
    cancel_url: Url | None = None
    description: Description | None = None
    concept: Name | None = None
    reference_code: Short | None = None
    category: Short | None = None
    tags: Tags | None = None
    project_id: Reference | None = None
    metadata: CheckedMetadata | None = None
    id: str | None = None
    provider_id: str | None = None
    organization_id: str | None = None
    capture_method: str | None = None
    guest_data: object = None


class Confirmation(BaseModel):
    """The body of a confirm."""

    model_config = STRICT
    payment_method_id: Reference | None = None
    return_url: Url | None = None
    cancel_url: Url | None = None


class Capture(BaseModel):
    """The body of a capture. Without an amount all of the authorization; the rest is released."""

    model_config = STRICT
    amount_cents: Annotated[Cents, Field(ge=1)] | None = None


class Cancellation(BaseModel):
    """The body of a cancel. The reason `abandoned` is our own: nobody has paid for days."""

    model_config = STRICT
    reason: Literal["requested_by_customer", "duplicate", "fraudulent", "abandoned"] = (
        "requested_by_customer"
    )


class IdempotencyKeyReference(BaseModel, frozen=True):
    """Which idempotency record an attempt completes when it ends (B17).

    `record` is the record's key, `fingerprint` that of the request, `expires` in seconds.
    """

    record: str
    fingerprint: str
    expires: int


class PendingChanges(BaseModel, frozen=True):
    """What the row will contain once its attempt is done. A field that is None stays as it is."""

    subtotal_cents: int | None = None
    tax_cents: int | None = None
    discount_cents: int | None = None
    total_cents: int | None = None
    currency: str | None = None
    setup_future_usage: Usage | None = None
    payment_method_id: str | None = None
    customer_id: str | None = None
    provider_customer_id: str | None = None
    return_url: str | None = None
    cancel_url: str | None = None
    description: str | None = None
    concept: str | None = None
    reference_code: str | None = None
    category: str | None = None
    tags: str | None = None
    metadata: Metadata | None = None


class ActiveAttempt(BaseModel, frozen=True):
    """The one money call in progress. Its presence on the payment row is the lock.

    `number` is never used twice on a payment. `key` is the idempotency key that the provider gets.
    `total_cents` is the amount, frozen when the lock was taken. `was_cents`, `from_status` and
    `seen_charge_id` are from our row at that moment; status checks compare with them.
    `request_hash` tells whether another request is the same one.

    `at`: when the lock was taken. `until`: the end of the lease, after which nothing of the attempt
    can still take effect. Both in seconds.

    `sent`: of a creation, the request as its adapter wrote it. A status check repeats it byte for
    byte, whatever the row says by then. `refund`: of a refund, the requested refund; its amount is
    reserved. `client_key`: the idempotency record to complete.

    Source: docs/payment-correctness.md, section 1.
    """

    number: int
    operation: Operation
    key: str
    total_cents: int
    was_cents: int
    from_status: Status
    seen_charge_id: str | None = None
    request_hash: str
    at: int
    until: int
    pending_changes: PendingChanges = PendingChanges()
    client_key: IdempotencyKeyReference | None = None
    sent: str | None = None
    refund: Refund | None = None


class Payment(BaseModel, frozen=True):
    """A payment as it is stored: the row.

    `version` is raised by every write to the row; a write that is based on an older version is
    rejected. `writer` is the random token of the last write. `sequence` and `last_hash` are those
    of the last timeline entry. `attempts` is the number of the last attempt. `active_attempt` is
    the lock.

    Amounts are integers in the currency's minor unit. `refundable_cents` is captured less refunded
    less reserved. `refunds_pending` counts the refunds that can still fail.

    `due_at`: when the next status check is due, in seconds; None if nothing can change any more.
    `changed_at`: when a fact last changed. `last_event_at`: when an event last caused a status
    check, in seconds. `is_open`: the payer can still pay the provider's object. `may_redirect`:
    the object was created with a return address. `is_hidden`: the personal data was removed with
    the customer. `shard`: the partition of the organization's list. `client_secret` is an item of
    its own; dumps and logs omit it.

    Source: docs/data-model.md, section 2.
    """

    id: str
    uid: str
    version: int = 1
    sequence: int = 0
    last_hash: str = ""
    attempts: int = 0
    active_attempt: ActiveAttempt | None = None
    writer: str = ""
    status: Status = "new"
    subtotal_cents: int
    tax_cents: int
    discount_cents: int
    total_cents: int
    captured_cents: int = 0
    refunded_cents: int = 0
    refundable_cents: int = 0
    refunds_pending: int = 0
    currency: str
    provider_id: ProviderId
    provider_payment_id: str | None = None
    charge_id: str | None = None
    is_open: bool = False
    dispute: Dispute | None = None
    next_action: NextAction | None = None
    failure: Failure | None = None
    user_id: str | None = None
    organization_id: str | None = None
    customer_id: str | None = None
    provider_customer_id: str | None = None
    guest: Guest | None = Field(default=None, repr=False)
    payment_method_id: str | None = None
    project_id: str | None = None
    description: str | None = Field(default=None, repr=False)
    concept: str | None = None
    reference_code: str | None = None
    category: str | None = None
    tags: str | None = None
    setup_future_usage: Usage | None = None
    capture_method: CaptureMethod = "automatic"
    return_url: str | None = None
    cancel_url: str | None = None
    may_redirect: bool = False
    metadata: Metadata = Field(default={}, repr=False)
    due_at: int | None = None
    last_event_at: int | None = None
    is_hidden: bool = False
    shard: int = 0
    completed_at: AwareDatetime | None = None
    changed_at: AwareDatetime
    created_at: AwareDatetime
    updated_at: AwareDatetime
    client_secret: str | None = Field(default=None, exclude=True, repr=False)

    @property
    def locked_attempt(self) -> ActiveAttempt:
        """The active attempt of a payment that is surely locked.

        Raises RuntimeError if it is not: that is a mistake of ours.
        """
        if self.active_attempt is None:
            raise RuntimeError("this payment is not locked")
        return self.active_attempt

    @property
    def displayed_status(self) -> str:
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


class Entry(BaseModel, frozen=True):
    """One entry of a payment's timeline, which is also the event. It has no personal data.

    `hash` is SHA-256 over RFC 8785 JSON of the entry without `hash`, by the names that callers
    see. `previous_hash` is the hash of the entry before. `operation`, `attempt`, `request_hash`
    and `outcome` are set if an attempt ended.
    """

    sequence: int = Field(serialization_alias="seq")
    at: AwareDatetime
    from_status: Status = Field(serialization_alias="from")
    to_status: Status = Field(serialization_alias="to")
    cause: Cause
    operation: Operation | None = None
    attempt: int | None = None
    request_hash: str | None = None
    outcome: OutcomeKind | None = None
    event: str
    previous_hash: str
    hash: str = ""


class AttemptOutcome(BaseModel, frozen=True):
    """How an attempt ended (rule 11).

    `done`: the provider answered, or a status check proved it. `refused`: the provider surely did
    not do it. `not_sent`: it never arrived. Source: docs/payment-correctness.md, section 5.
    """

    attempt: int
    kind: OutcomeKind
    failure: Failure | None = None


class PaymentResult(BaseModel, frozen=True):
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
