"""Payment methods of one customer, for callers with the organization's credential.

Source: docs/api/payments-ai.md, section 3.
"""

from collections.abc import Callable

from bridge import clock
from bridge.core.customers import organization_customers
from bridge.core.wallet import payment_methods
from bridge.errors import Detail, InvalidRequest, NotFound
from bridge.models.caller import Caller
from bridge.models.customer import Customer
from bridge.models.page import OffsetPage
from bridge.models.payment_method import Instrument, InstrumentsPage, PaymentMethod
from bridge.models.run_context import RunContext
from bridge.store.wallet import address_items, method_items


def attach(
    caller: Caller,
    customer_id: str,
    read_token: Callable[[], str],
    read_run: Callable[[], RunContext],
) -> Instrument:
    """Attach a provider's token to a customer, here and at the customer's provider.

    The request is read after the customer is found, because a 404 comes before errors of the body.
    Raises NotFound, Conflict `customer_deleted`, InvalidRequest for a token that the provider does
    not accept, and what payment_methods.create_method raises.
    """
    from bridge.bodies.payment_method import NewMethod  # functions that only read do not load it

    customer = organization_customers.get(caller, customer_id)
    run, token = read_run(), read_token()
    organization_customers.check_active(customer)
    new = NewMethod(
        token=token, customer_id=customer.id, provider_id=customer.provider_id or "stripe"
    )
    try:
        method = payment_methods.create_method(caller, new, run).method
        return _instruments_of(customer, [method])[0]
    except InvalidRequest as refusal:
        if [each.field for each in refusal.details] != ["token"]:
            raise
        details = [Detail("token", "is invalid or already used")]
        raise InvalidRequest(str(refusal), details=details) from refusal


def list_page(
    caller: Caller, customer_id: str, read_page: Callable[[], OffsetPage]
) -> InstrumentsPage:
    """List a customer's methods, newest first. A deleted customer has none that can be used.

    Raises NotFound, then what `read_page` raises.
    """
    customer = organization_customers.get(caller, customer_id)
    page = read_page()
    methods = method_items.list_active(customer) if customer.state == "active" else []
    page_methods = methods[page.offset : page.offset + page.limit]
    return InstrumentsPage(
        instruments=_instruments_of(customer, page_methods), total=len(methods), asked=page
    )


def get(caller: Caller, customer_id: str, method_id: str) -> Instrument:
    """Return one method. Raises NotFound, also if its customer is deleted."""
    customer = organization_customers.get(caller, customer_id)
    return _instruments_of(customer, [_find(customer, method_id)])[0]


def delete(caller: Caller, customer_id: str, method_id: str) -> None:
    """Delete a method here; a job then detaches it at the provider. Raises NotFound."""
    customer = organization_customers.get(caller, customer_id)
    payment_methods.delete_method(caller, _find(customer, method_id).id)


def _find(customer: Customer, method_id: str) -> PaymentMethod:
    """Raises NotFound."""
    is_active = customer.state == "active"
    method = method_items.get_of_customer(customer, method_id) if is_active else None
    if method is None:
        raise NotFound
    return method


def _instruments_of(customer: Customer, methods: list[PaymentMethod]) -> list[Instrument]:
    """Add to each method its status now, and its billing address."""
    address_ids = [each.billing_address_id for each in methods if each.billing_address_id]
    addresses = address_items.get_of_customer(customer, address_ids)
    now = clock.now()
    return [
        Instrument(
            method=each,
            status="expired" if each.is_expired(now) else "active",
            billing_address=addresses.get(each.billing_address_id or ""),
        )
        for each in methods
    ]
