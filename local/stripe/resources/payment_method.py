"""A PaymentMethod: a test card or bank account. Shape: schema.json, payment_method."""

from dataclasses import dataclass, field

from local.stripe.cards import Card
from local.stripe.resources.json import Json

NO_ADDRESS = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
NO_CHECKS = {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": None}


@dataclass
class PaymentMethod:
    """A saved card or bank account, or one for a single payment.

    `spent`: used without a customer, or detached, so Stripe never takes it again.
    `used_by`: the id of the intent that has started to use it.
    `savable`: spent with setup_future_usage but without a customer, so it can still be attached.
    `set_up`: a payment with setup_future_usage succeeded with it.
    """

    id: str
    created: int
    card: Card
    exp_month: int
    exp_year: int
    customer: str | None = None
    billing_details: Json = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    used_by: str | None = None
    spent: bool = False
    savable: bool = False
    set_up: bool = False

    def render(self) -> Json:
        """As the API returns it."""
        return {
            "id": self.id,
            "object": "payment_method",
            "allow_redisplay": "unspecified",
            "billing_details": self.render_billing_details(),
            "created": self.created,
            "customer": self.customer,
            "customer_account": None,
            "livemode": False,
            "metadata": dict(self.metadata),
            "type": self.card.kind,
            self.card.kind: self._card() if self.card.kind == "card" else self._bank_account(),
        }

    def _card(self) -> Json:
        return {
            "brand": self.card.brand,
            "checks": NO_CHECKS,
            "country": self.card.country,
            "display_brand": self.card.brand,
            "exp_month": self.exp_month,
            "exp_year": self.exp_year,
            "fingerprint": self.card.fingerprint,
            "funding": "credit",
            "generated_from": None,
            "last4": self.card.last4,
            "networks": {"available": [self.card.brand], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        }

    def _bank_account(self) -> Json:
        return self.render_account() | {
            "financial_connections_account": None,
            "networks": {"preferred": "ach", "supported": ["ach"]},
            "status_details": {},
        }

    def render_account(self) -> Json:
        """The bank account, as the method and its charges have it."""
        return {
            "account_holder_type": "individual",
            "account_type": "checking",
            "bank_name": "STRIPE TEST BANK",
            "fingerprint": self.card.fingerprint,
            "last4": self.card.last4,
            "routing_number": "110000000",
        }

    def render_billing_details(self) -> Json:
        """All billing fields; those without a value are None."""
        blank = {"address": NO_ADDRESS, "email": None, "name": None, "phone": None, "tax_id": None}
        return blank | self.billing_details
