"""Saved payment methods; their provider tokens are apart, in `secrets`. Source: data-model.md 2."""

from bridge.models.payment_method import PaymentMethod
from bridge.store import keys, table


def get(method_id: str) -> PaymentMethod | None:
    """A method with its token, found by its id alone; two reads."""
    owner, token = keys.method_owner(method_id), keys.method_token(method_id)
    found = table.get_all([owner, token])
    pointer, secret = found[owner], found[token]
    if pointer is None or secret is None:
        return None
    item = table.get(keys.method(pointer["customer_id"], method_id))
    if item is None or item["id"] != method_id:  # keys drop the prefix
        return None
    return PaymentMethod.model_validate(item | {"token": secret["token"]})


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
