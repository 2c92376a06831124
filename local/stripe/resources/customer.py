"""A Customer. Shape: schema.json, customer and deleted_customer."""

from dataclasses import dataclass, field

from local.stripe.forms import Value
from local.stripe.resources.json import Json


@dataclass
class Customer:
    """A customer. A deleted one stays, with only its id to see."""

    id: str
    created: int
    email: str | None = None
    name: str | None = None
    phone: str | None = None
    description: str | None = None
    address: Value | None = None
    shipping: Value | None = None
    preferred_locales: list[str] = field(default_factory=list)
    default_payment_method: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    deleted: bool = False

    def render(self) -> Json:
        """As the API returns it."""
        if self.deleted:
            return {"id": self.id, "object": "customer", "deleted": True}
        return {
            "id": self.id,
            "object": "customer",
            "address": self.address,
            "balance": 0,
            "created": self.created,
            "currency": None,
            "customer_account": None,
            "default_source": None,
            "delinquent": False,
            "description": self.description,
            "discount": None,
            "email": self.email,
            "invoice_prefix": self.id[-8:].upper(),
            "invoice_settings": {
                "custom_fields": None,
                "default_payment_method": self.default_payment_method,
                "footer": None,
                "rendering_options": None,
            },
            "livemode": False,
            "metadata": dict(self.metadata),
            "name": self.name,
            "next_invoice_sequence": 1,
            "phone": self.phone,
            "preferred_locales": list(self.preferred_locales),
            "shipping": self.shipping,
            "tax_exempt": "none",
            "test_clock": None,
        }
