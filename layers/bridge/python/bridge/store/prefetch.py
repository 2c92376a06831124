"""What a request names is read together with its credential: one batch, one round trip.

Source: design/data-model.md 8.
"""

from bridge.models.caller import PrefetchIds
from bridge.models.identifier import suffix
from bridge.store import keys
from bridge.store.keys import Key


def keys_to_prefetch(prefetch_ids: PrefetchIds) -> list[Key]:
    """The items that the use case behind the request will read first."""
    needed = (
        _of_payment(prefetch_ids.payment_id, prefetch_ids.client_key)
        if prefetch_ids.payment_id
        else []
    )
    if prefetch_ids.customer_id:
        needed.append(keys.customer(prefetch_ids.customer_id))
    if prefetch_ids.method_id:
        needed += [
            keys.method_owner(prefetch_ids.method_id),
            keys.method_token(prefetch_ids.method_id),
        ]
    if prefetch_ids.address_id:
        needed.append(keys.address_owner(prefetch_ids.address_id))
    return needed


def _of_payment(payment_id: str, client_key: str | None) -> list[Key]:
    if not payment_id.startswith("pay_"):
        return keys.provider_payments(payment_id)
    needed = [keys.payment(payment_id), keys.client_secret(payment_id)]
    if client_key:
        needed.append(keys.record(suffix(payment_id), client_key))
    return needed
