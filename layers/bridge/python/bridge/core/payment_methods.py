"""Whose method is it: ours by id, or a token that the provider judges (B18)."""

from dataclasses import dataclass

from bridge.core import ownership
from bridge.errors import Detail, InvalidRequest, NotFound
from bridge.models import identifier
from bridge.models.caller import Caller
from bridge.models.customer import Customer
from bridge.models.provider import ProviderId
from bridge.store import customer_items, method_items


@dataclass(frozen=True)
class Resolved:
    """A token for the provider. `customer` owns the method where it is a saved one of ours."""

    token: str
    customer: Customer | None = None


def resolve(caller: Caller, method_id: str, provider_id: ProviderId) -> Resolved:
    """Raises NotFound for somebody else's method, Forbidden for one that the caller's role only
    reads, InvalidRequest for another provider's."""
    method = method_items.get(method_id) if identifier.is_well_formed(method_id) else None
    if method is None:
        return Resolved(token=method_id)
    customer = ownership.visible(customer_items.get(method.customer_id), caller)
    if not caller.is_user:  # a guest may only use the provider's own tokens
        raise NotFound
    ownership.check_writable(customer, caller)
    if customer.state != "active" or method.state != "active":
        raise NotFound
    if method.provider_id != provider_id:
        raise InvalidRequest(
            "payment_method_id belongs to another provider",
            details=[Detail("payment_method_id", f"is a method at {method.provider_id}")],
        )
    return Resolved(token=method.token or "", customer=customer)
