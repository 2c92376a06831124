"""Contacts: the people at a customer. Source: docs/api/alternative.md, section 6."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from bridge import clock
from bridge.core.customers import organization_customers
from bridge.errors import Conflict
from bridge.models.caller import Caller
from bridge.models.customer import CustomerUser
from bridge.models.identifier import new_id
from bridge.models.page import Between, CursorPage
from bridge.store.customers import contact_items

if TYPE_CHECKING:
    from bridge.bodies.contact import NewCustomerUser


def add(caller: Caller, customer_id: str, read: "Callable[[], NewCustomerUser]") -> CustomerUser:
    """Add a contact to a customer.

    `read` checks the request's limits. It is called after the customer is found, because a 404
    comes before errors of the body.
    Raises NotFound, what `read` raises, Conflict `customer_deleted`.
    """
    customer = organization_customers.get(caller, customer_id)
    fields = read().model_dump()
    organization_customers.check_active(customer)
    now = clock.now()
    contact = CustomerUser(id=new_id("usr", now), customer_id=customer.id, created_at=now, **fields)
    try:
        contact_items.insert(contact)
    except contact_items.CustomerDeleted as deleted:
        raise Conflict("the customer is deleted", code="customer_deleted") from deleted
    return contact


def by_cursor(caller: Caller, customer_id: str, page: CursorPage) -> Between[CustomerUser]:
    """List a customer's contacts, newest first, also those of a deleted customer.

    Raises NotFound.
    """
    customer = organization_customers.get(caller, customer_id)
    return contact_items.list_by_cursor(customer.id, page)
