"""Contacts of a customer. Source: docs/data-model.md, section 2.1."""

import msgspec

from bridge.models.customer import CustomerUser
from bridge.models.model import present_values_of
from bridge.models.page import Between, CursorPage
from bridge.store import dynamodb, keys, pagination
from bridge.store.customers import customer_items


class CustomerDeleted(Exception):
    """The customer was deleted since it was read."""


def insert(contact: CustomerUser) -> None:
    """Write a new contact, if its customer is active. Raises CustomerDeleted, Throttled."""
    is_new = dynamodb.condition("attribute_not_exists(#pk)")
    item = present_values_of(contact)
    key = keys.customer_user(contact.customer_id, contact.id)
    actions = {"contact": dynamodb.put(key, item, is_new)}
    try:
        dynamodb.transact(actions | customer_items.lives(contact.customer_id))
    except dynamodb.ConditionFailed as failed:
        raise CustomerDeleted(contact.customer_id) from failed


def list_by_cursor(customer_id: str, page: CursorPage) -> Between[CustomerUser]:
    """Return a page of a customer's contacts, newest first."""
    found = pagination.around(
        [keys.customer(customer_id).pk],
        pagination.everything("U#"),
        pagination.ALL,
        limit=page.limit,
        after=f"U#{page.after}" if page.after else None,
        before=f"U#{page.before}" if page.before else None,
    )
    contacts = [msgspec.convert(item, CustomerUser) for item in found.items]
    return Between(contacts, has_next=found.has_older, has_previous=found.has_newer)
