"""The people at a customer's. Source: contracts/alternative.md 6."""

from collections.abc import Callable

from bridge import clock
from bridge.core.customers import organization_customers
from bridge.errors import Conflict
from bridge.models.caller import Caller
from bridge.models.customer import CustomerUser, NewCustomerUser
from bridge.models.identifier import new_id
from bridge.models.page import Between, CursorPage
from bridge.store.customers import contact_items


def add(caller: Caller, customer_id: str, new: Callable[[], NewCustomerUser]) -> CustomerUser:
    """Add whom `new` tells, once the customer is found.

    Raises NotFound, what `new` raises, Conflict `customer_deleted`.
    """
    customer = organization_customers.get(caller, customer_id)
    fields = new().model_dump()
    organization_customers.check_active(customer)
    now = clock.now()
    user = CustomerUser(id=new_id("usr", now), customer_id=customer.id, created_at=now, **fields)
    try:
        contact_items.insert(user)
    except contact_items.CustomerGone as gone:
        raise Conflict("the customer is deleted", code="customer_deleted") from gone
    return user


def by_cursor(caller: Caller, customer_id: str, page: CursorPage) -> Between[CustomerUser]:
    """Newest first; those of a deleted customer, too. Raises NotFound."""
    customer = organization_customers.get(caller, customer_id)
    return contact_items.list_by_cursor(customer.id, page)
