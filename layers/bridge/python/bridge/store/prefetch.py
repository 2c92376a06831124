"""Read the credential and the records that the request names in one batch.

That saves a round trip to DynamoDB. Source: docs/data-model.md, section 8.
"""

from bridge.models.caller import PrefetchIds
from bridge.models.identifier import suffix
from bridge.store import keys
from bridge.store.keys import Key


def keys_to_prefetch(prefetch_ids: PrefetchIds) -> list[Key]:
    """The keys of the items that the use case of the request will read first."""
    needed: list[Key] = []
    if prefetch_ids.payment_id:
        needed += _payment_keys(prefetch_ids.payment_id, prefetch_ids.client_key)
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


def _payment_keys(payment_id: str, client_key: str | None) -> list[Key]:
    if not payment_id.startswith("pay_"):
        return keys.provider_payments(payment_id)  # the provider's id: the pointer comes first
    needed = [keys.payment(payment_id), keys.client_secret(payment_id)]
    if client_key:
        needed.append(keys.record(suffix(payment_id), client_key))
    return needed
