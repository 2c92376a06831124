"""What a payment with `setup_future_usage` leaves behind: the method that paid, saved, once.

The provider keeps the method for the payment's customer by itself. Ours is written with the state
that shows it, in one transaction, by whoever finds out first. Source: bridge.md 4 and 5.
"""

from bridge import clock
from bridge.models.identifier import new_id, suffix
from bridge.models.payment import Payment
from bridge.models.payment_method import PaymentMethod
from bridge.models.provider import ProviderPayment
from bridge.store.customers import customer_items
from bridge.store.dynamodb import Actions
from bridge.store.wallet import method_items

PAID = ("succeeded", "requires_capture")


def writes(before: Payment, after: Payment, provider_state: ProviderPayment | None) -> Actions:
    """What belongs into the transaction that first sees a payment paid, be it given up since;
    nothing where the method is one of ours already, or its customer is gone."""
    saved = provider_state.saved if provider_state else None
    if not (saved and before.status not in PAID and after.customer_id):
        return {}
    customer = customer_items.get(after.customer_id)
    if customer is None or customer.state != "active":
        return {}
    if method_items.find_saved(after.provider_id, saved.token):
        return {}
    now = clock.now()
    made = new_id("pm", now)
    method = PaymentMethod(
        id=made,
        uid=suffix(made),
        customer_id=customer.id,
        provider_id=after.provider_id,
        created_at=now,
        updated_at=now,
        **saved.model_dump(),
    )
    return method_items.creation(method, customer)
