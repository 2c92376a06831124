"""Payments. Source: native API, "Payments API"; contracts/bridge.md section 4."""

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
    """What a caller asks for. Amounts: integers in the currency's minor unit (B14)."""

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
        """One of the two is given; a subtotal at fault, which `fields` lacks, counts as given."""
        if total is None and fields.data.get("subtotal_cents", 0) is None:
            raise ValueError("is required, or subtotal_cents")
        return total


class PaymentChange(BaseModel):
    """A partial update: only fields that were sent are in `model_fields_set`.

    The last five and the customer may only repeat what is stored (else 400 `immutable_field`).
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
    """What a confirm may bring."""

    model_config = STRICT
    payment_method_id: Reference | None = None
    return_url: Url | None = None
    cancel_url: Url | None = None


class Capture(BaseModel):
    """How much of an authorization is taken: without an amount, all of it; the rest is released."""

    model_config = STRICT
    amount_cents: Annotated[Cents, Field(ge=1)] | None = None


class Cancellation(BaseModel):
    """Why: `abandoned` is ours, of a payment that nobody has paid for days."""

    model_config = STRICT
    reason: Literal["requested_by_customer", "duplicate", "fraudulent", "abandoned"] = (
        "requested_by_customer"
    )


class IdempotencyKeyReference(BaseModel, frozen=True):
    """The idempotency record that an attempt completes: its key, request and end (B17)."""

    record: str
    fingerprint: str
    expires: int


class PendingChanges(BaseModel, frozen=True):
    """What the row will hold once its attempt is done; a field that is None stays as it is."""

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
    """The one money call in progress; its presence on the payment is the lock.

    `until`: the lease's end in seconds, after which nothing of the attempt can still land. `was`,
    `from_status` and `seen_charge_id` are our row at the time of the lock, `total_cents` the
    frozen amount. `key` is the provider's idempotency key, `sent` a creation's request as its
    adapter wrote it: a look repeats it to the byte, whatever the row says by then. `refund`: the
    one that is asked for, whose amount is reserved.
    Source: design/convergence.md 1.
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
    """A payment we accepted: the row, whose `fence` counts every write to it.

    `refundable_cents` = captured - refunded - reserved; `refunds_pending` counts refunds that can
    still fail. `due_at`: seconds, when it is looked at next; None where nothing can move any more.
    `changed_at`: when a fact last changed. `heard_at`: seconds, when an event last made somebody
    look. `is_open`: the provider's object can still be paid. `is_hidden`: it went with its
    customer, and only its amounts, states and ids are left. `shard`: which of its organization's
    partitions lists it. `client_secret` is an item of its own; dumps and logs omit it. Source:
    design/data-model.md 2.
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
        """The attempt of a payment that its worker has just locked."""
        if self.active_attempt is None:
            raise RuntimeError("this payment is not locked")
        return self.active_attempt

    @property
    def displayed_status(self) -> str:
        """The word a caller sees (B13); a running create or confirm shows as processing (B20)."""
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
    """One line of a payment's timeline, and the event it makes. Holds no personal data.

    `hash` is the SHA-256 over RFC 8785 JSON of the entry without it, by the names that callers
    see; `previous_hash` chains them.
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
    """How an attempt ended: a fact, whatever the state in the answer (convergence.md rule 11)."""

    attempt: int
    kind: OutcomeKind
    failure: Failure | None = None


class PaymentResult(BaseModel, frozen=True):
    """What a money call answers: the payment, and whether it is told again or still under way.

    `retry_after`: seconds until the attempt's lease is over; given where the outcome is unknown.
    `refund`: of a call that asked for one.
    """

    payment: Payment
    refund: Refund | None = None
    replayed: bool = False
    retry_after: int | None = None

    @property
    def requested_refund(self) -> Refund:
        """The refund that a call asked for."""
        if self.refund is None:
            raise RuntimeError("this call asked for no refund")
        return self.refund
