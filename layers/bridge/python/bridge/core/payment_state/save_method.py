"""Save the payment method of a payment with `setup_future_usage`, once it has paid.

The provider keeps the method for the customer by itself. Our item is written in T2, in the same
transaction that first stores the payment as paid. So it is saved once, whichever worker that is.

Source: docs/api/native.md, sections 4 and 5; docs/payment-correctness.md, section 4.
"""

from bridge import clock
from bridge.models.identifier import new_id, suffix
from bridge.models.model import values_of
from bridge.models.payment import Payment
from bridge.models.payment_method import PaymentMethod
from bridge.models.provider import ProviderPayment
from bridge.store.customers import customer_items
from bridge.store.dynamodb import Actions
from bridge.store.wallet import method_items

PAID = ("succeeded", "requires_capture")


def writes(before: Payment, after: Payment, provider_state: ProviderPayment | None) -> Actions:
    """The writes that save the method, to be added to T2; none if there is nothing to save.

    There is something to save if this is the first time that the payment is known to be paid.
    That also holds if the authorization was canceled before we asked. Nothing is written if the
    method is already saved here or its customer is not active.
    """
    saved = provider_state.saved if provider_state else None
    if not (saved and before.status not in PAID and after.customer_id):
        return {}
    customer = customer_items.get(after.customer_id)
    if customer is None or customer.state != "active":
        return {}
    if method_items.find_saved(after.provider_id, saved.token):
        return {}
    now = clock.now()
    method_id = new_id("pm", now)
    method = PaymentMethod(
        id=method_id,
        uid=suffix(method_id),
        customer_id=customer.id,
        provider_id=after.provider_id,
        created_at=now,
        updated_at=now,
        **values_of(saved),
    )
    return method_items.creation(method, customer)
