"""Bodies of requests about payments. Source: docs/api/native.md, section 4."""

from pydantic import BaseModel, Field, ValidationInfo, field_validator

from bridge.bodies.customer import GuestData
from bridge.bodies.fields import (
    STRICT,
    Cents,
    CheckedMetadata,
    Currency,
    Description,
    Name,
    PositiveCents,
    Reference,
    Short,
    StatementDescriptor,
    Tags,
    Url,
)
from bridge.models.payment import CancellationReason, CaptureMethod
from bridge.models.provider import ProviderId, Usage


class NewPayment(BaseModel):
    """The body of a creation. Amounts are integers in the currency's minor unit (B14)."""

    model_config = STRICT
    subtotal_cents: Cents | None = None
    tax_cents: Cents | None = None
    discount_cents: Cents | None = None
    total_cents: PositiveCents | None = Field(default=None, validate_default=True)
    currency: Currency
    provider_id: ProviderId = "stripe"
    description: Description | None = None
    concept: Name | None = None
    reference_code: Short | None = None
    category: Short | None = None
    tags: Tags | None = None
    statement_descriptor: StatementDescriptor | None = None
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
    total_cents: PositiveCents | None = None
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
    statement_descriptor: StatementDescriptor | None = None
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
    amount_cents: PositiveCents | None = None


class Cancellation(BaseModel):
    """The body of a cancel. The reason `abandoned` is our own: nobody has paid for days."""

    model_config = STRICT
    reason: CancellationReason = "requested_by_customer"


class NewRefund(BaseModel):
    """The body of a refund. Without an amount: all that is left."""

    model_config = STRICT
    amount_cents: PositiveCents | None = None
    reason: Description | None = None
