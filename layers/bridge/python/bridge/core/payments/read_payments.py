"""Read payments: one, lists, refunds, the timeline. Reading never asks the provider.

Source: docs/api/native.md, section 4.
"""

from bridge import clock, config
from bridge.core.rules import access, rate_limits
from bridge.errors import NotAuthenticated, NotFound
from bridge.models import identifier
from bridge.models.caller import Caller
from bridge.models.idempotency import IdempotencyRecord
from bridge.models.page import Page
from bridge.models.payment import Entry, Payment
from bridge.models.refund import Refund
from bridge.models.run_context import RunContext
from bridge.models.text import fold_email
from bridge.store.customers import customer_items
from bridge.store.payments import payment_items


def get_payment(caller: Caller, payment_id: str) -> Payment:
    """A payment by our id or by the provider's. Raises NotFound."""
    return find(caller, payment_id, None)[0]


def find(
    caller: Caller, payment_id: str, run: RunContext | None
) -> tuple[Payment, IdempotencyRecord | None]:
    """A payment that the caller may see, and the record of the client's key, in one read.

    Raises NotFound, also if the payment exists but the caller may not see it.
    """
    if not identifier.is_well_formed(payment_id):
        raise NotFound
    known: str | None = payment_id
    if not payment_id.startswith("pay_"):
        known = payment_items.id_at_provider(payment_id, caller.prefetched)
    if known is None:
        raise NotFound
    key = run.client_key.key if run and run.client_key else None
    payment, record = payment_items.read(known, key, clock.seconds(), caller.prefetched)
    return access.visible(payment, caller), record


def list_payments(caller: Caller, page: Page) -> list[Payment]:
    """Payments of the caller, of an organization or of a customer, newest first.

    Raises Forbidden, NotFound.
    """
    user_id = access.user_of(caller)
    if page.organization_id:
        access.check_member(caller, page.organization_id)
    if page.customer_id:
        known = identifier.is_well_formed(page.customer_id)
        access.visible(customer_items.get(page.customer_id) if known else None, caller)
        return payment_items.list_of_customer(page.customer_id, user_id, page)
    if page.organization_id:
        return payment_items.list_of_organization(page.organization_id, page)
    return payment_items.list_of_user(user_id, page)


def list_guest_payments(caller: Caller, email: str, page: Page, run: RunContext) -> list[Payment]:
    """Guest payments of an e-mail address, if the setting GUEST_LISTING allows it (B10).

    Raises NotFound if it is `off`, NotAuthenticated if it is `token` and the caller has no guest
    token of that address, RateLimited.
    """
    mode = config.setting("GUEST_LISTING", "public")
    if mode == "off":
        raise NotFound
    if mode == "token":
        _check_guest_address(caller, email)
    rate_limits.check_guest_listing(run)
    return payment_items.list_of_guest(email, page)


def _check_guest_address(caller: Caller, email: str) -> None:
    """Raises NotAuthenticated unless the caller's guest token is of this address."""
    known = _guest_address(caller.guest_of) if caller.guest_of else None
    if known is None or fold_email(known) != fold_email(email):
        raise NotAuthenticated("a guest token of this address is required")


def _guest_address(record_id: str) -> str | None:
    """The e-mail of the payment or customer that a guest token gives access to."""
    if record_id.startswith("pay_"):
        payment = payment_items.get(record_id)
        return payment.guest.email if payment and payment.guest else None
    customer = customer_items.get(record_id)
    return customer.email if customer and customer.state == "active" else None


def list_refunds(caller: Caller, payment_id: str) -> list[Refund]:
    """Refunds of a payment, oldest first; also those made at the provider. Raises NotFound."""
    payment, _ = find(caller, payment_id, None)
    access.user_of(caller)
    return payment_items.refunds(payment.id)


def timeline(caller: Caller, payment_id: str) -> list[Entry]:
    """The timeline of a payment, oldest entry first. Raises NotFound."""
    payment, _ = find(caller, payment_id, None)
    access.user_of(caller)
    return payment_items.timeline(payment.id)
