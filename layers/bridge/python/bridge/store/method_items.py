"""Saved payment methods; their provider tokens are apart, in `secrets`. Source: data-model.md 2."""

from datetime import datetime

from bridge.models.payment_method import PaymentMethod
from bridge.store import keys, pages, table


def get(method_id: str) -> PaymentMethod | None:
    """A method, found by its id alone, with its token unless it is deleted; two reads."""
    owner, token = keys.method_owner(method_id), keys.method_token(method_id)
    found = table.get_all([owner, token])
    pointer, secret = found[owner], found[token] or {}
    if pointer is None:
        return None
    item = table.get(keys.method(pointer["customer_id"], method_id))
    if item is None or item["id"] != method_id:  # keys drop the prefix
        return None
    return PaymentMethod.model_validate(item | {"token": secret.get("token")})


def get_token(method_id: str) -> str | None:
    """The provider's token alone."""
    item = table.get(keys.method_token(method_id))
    return str(item["token"]) if item else None


def walk_customer(
    customer_id: str, after: str | None, limit: int
) -> tuple[list[PaymentMethod], str]:
    """A page of a customer's methods without their tokens, and where the next begins: "" at the
    end. Deleted ones are among them."""
    items, last = pages.walk(keys.customer(customer_id).pk, "M#", after, limit)
    return [PaymentMethod.model_validate(item) for item in items], last


def delete(method: PaymentMethod, at: datetime) -> None:
    """Forget the token and keep the method as deleted, so that its id is nobody else's.

    Deleting it again is harmless. Raises Congested.
    """
    row = keys.method(method.customer_id, method.id)
    seen = method.model_dump(exclude_none=True)
    gone = method.model_copy(update={"state": "deleted", "updated_at": at})
    there = table.condition("attribute_exists(#pk)")
    table.transact(
        {
            "method": table.change(row, seen, gone.model_dump(exclude_none=True), there),
            "token": table.delete(keys.method_token(method.id)),
        }
    )


def insert(method: PaymentMethod) -> None:
    """Raises Lost when the id is taken or the customer is not active."""
    fresh = table.condition("attribute_not_exists(#pk)")
    active = table.condition("#state = :active", active="active")
    secret = {
        "token": method.token,
        "customer_id": method.customer_id,
        "provider_id": method.provider_id,
    }
    table.transact(
        {
            "customer": table.check(keys.customer(method.customer_id), active),
            "method": table.put(
                keys.method(method.customer_id, method.id),
                method.model_dump(exclude_none=True),
                fresh,
            ),
            "owner": table.put(
                keys.method_owner(method.id), {"customer_id": method.customer_id}, fresh
            ),
            "token": table.put(keys.method_token(method.id), secret, fresh),
        }
    )
