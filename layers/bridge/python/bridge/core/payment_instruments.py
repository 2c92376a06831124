"""Payment methods as an organization's own keys see them: below the customer that has them.

Source: contracts/payments-ai.md section 3.
"""

from collections.abc import Callable

from bridge import clock
from bridge.core import organization_customers, payment_methods
from bridge.errors import Detail, InvalidRequest, NotFound
from bridge.models.call import Call
from bridge.models.caller import Caller
from bridge.models.page import Counted, OffsetPage
from bridge.models.payment_method import Instrument, NewMethod, PaymentMethod
from bridge.store import method_items


def attach(
    caller: Caller, customer_id: str, read_token: Callable[[], str], call: Call
) -> Instrument:
    """Save what a token stands for, at the customer's provider too; the token is read once the
    customer is known to be the caller's.

    Raises NotFound, Conflict `customer_deleted`, InvalidRequest for a token that the provider does
    not take, and what payment_methods.create_method raises.
    """
    customer = organization_customers.get(caller, customer_id)
    token = read_token()
    organization_customers.check_active(customer)
    new = NewMethod(
        token=token, customer_id=customer.id, provider_id=customer.provider_id or "stripe"
    )
    try:
        return _shown(payment_methods.create_method(caller, new, call).method)
    except InvalidRequest as refusal:
        if [each.field for each in refusal.details] != ["token"]:
            raise
        details = [Detail("token", "is invalid or already used")]
        raise InvalidRequest(str(refusal), details=details) from refusal


def _shown(method: PaymentMethod) -> Instrument:
    return Instrument(
        method=method, status="expired" if method.is_expired(clock.now()) else "active"
    )


def list_page(caller: Caller, customer_id: str, page: OffsetPage) -> Counted[Instrument]:
    """Newest first; none of a deleted customer, whose methods nobody can use. Raises NotFound."""
    customer = organization_customers.get(caller, customer_id)
    methods = method_items.list_shown(customer) if customer.state == "active" else []
    wanted = methods[page.offset : page.offset + page.limit]
    return Counted([_shown(each) for each in wanted], len(methods))


def get(caller: Caller, customer_id: str, method_id: str) -> Instrument:
    """Raises NotFound, also for one of a deleted customer."""
    customer = organization_customers.get(caller, customer_id)
    is_there = customer.state == "active"
    method = method_items.get_of_customer(customer, method_id) if is_there else None
    if method is None:
        raise NotFound
    return _shown(method)


def delete(caller: Caller, customer_id: str, method_id: str) -> None:
    """A job then takes it from the provider. Raises NotFound."""
    found = get(caller, customer_id, method_id)
    payment_methods.delete_method(caller, found.method.id)
