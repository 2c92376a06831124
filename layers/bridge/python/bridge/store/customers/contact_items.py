"""The people at a customer's. Source: design/data-model.md 2."""

from bridge.models.customer import CustomerUser
from bridge.models.page import Between, CursorPage
from bridge.store import dynamodb, keys, pagination
from bridge.store.customers import customer_items


class CustomerGone(Exception):
    """The customer was deleted since it was read."""


def insert(user: CustomerUser) -> None:
    """Raises CustomerGone, Congested."""
    fresh = dynamodb.condition("attribute_not_exists(#pk)")
    item = user.model_dump(exclude_none=True)
    place = keys.customer_user(user.customer_id, user.id)
    actions = {"user": dynamodb.put(place, item, fresh)} | customer_items.lives(user.customer_id)
    try:
        dynamodb.transact(actions)
    except dynamodb.ConditionFailed as failed:
        raise CustomerGone(user.customer_id) from failed


def list_by_cursor(customer_id: str, page: CursorPage) -> Between[CustomerUser]:
    """Newest first."""
    found = pagination.around(
        [keys.customer(customer_id).pk],
        pagination.everything("U#"),
        pagination.ALL,
        limit=page.limit,
        after=f"U#{page.after}" if page.after else None,
        before=f"U#{page.before}" if page.before else None,
    )
    users = [CustomerUser.model_validate(item) for item in found.items]
    return Between(users, has_next=found.has_older, has_previous=found.has_newer)
