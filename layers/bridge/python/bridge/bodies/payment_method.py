"""Bodies of requests about payment methods. Source: docs/api/native.md, section 5."""

from pydantic import BaseModel, Field, ValidationInfo, field_validator

from bridge.bodies.fields import STRICT, CheckedMetadata, Reference, Short
from bridge.models.provider import ProviderId

TOKEN_NAMES = ("provider_payment_method_id", "provider_payment_method_token", "token")


class NewMethod(BaseModel):
    """The request to save a provider's token. The token has one of three names; the first counts.

    `type` is accepted because clients send it. The provider's type is stored.
    """

    model_config = STRICT
    token: Reference | None = None
    provider_payment_method_token: Reference | None = None
    provider_payment_method_id: Reference | None = Field(default=None, validate_default=True)
    provider_id: ProviderId = "stripe"
    customer_id: Reference | None = None
    organization_id: Reference | None = None
    type: Short | None = None
    alias: Short | None = None
    billing_address_id: Reference | None = None
    is_default: bool = False
    metadata: CheckedMetadata = {}

    @field_validator("provider_payment_method_id")
    @classmethod
    def _or_another_name(cls, given: str | None, fields: ValidationInfo) -> str | None:
        """Require one of the three names. An invalid one counts: it has an error of its own.

        `fields` does not contain invalid fields.
        """
        if given is None and all(fields.data.get(name, 0) is None for name in TOKEN_NAMES[1:]):
            raise ValueError("is required")
        return given

    @property
    def token_name(self) -> str:
        """The name that the request used for the token."""
        return next(name for name in TOKEN_NAMES if getattr(self, name) is not None)

    @property
    def provider_token(self) -> str:
        """The provider's token, whichever name it was sent under."""
        return str(getattr(self, self.token_name))


class MethodChange(BaseModel):
    """The request to change a payment method: only the fields that were sent.

    The last five fields cannot change. They may repeat the stored value; another value is a 400
    `immutable_field`.
    """

    model_config = STRICT
    alias: Short | None = None
    billing_address_id: Reference | None = None
    is_default: bool | None = None
    metadata: CheckedMetadata | None = None
    id: str | None = None
    customer_id: str | None = None
    provider_id: str | None = None
    provider_payment_method_id: str | None = None
    type: str | None = None
