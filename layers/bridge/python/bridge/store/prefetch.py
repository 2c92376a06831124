"""What a request names is read together with its credential: one batch, one round trip.

Source: design/data-model.md 8.
"""

from bridge.models.caller import Named
from bridge.models.identifier import suffix
from bridge.store import keys
from bridge.store.keys import Key


def keys_ahead(named: Named) -> list[Key]:
    """The items that the use case behind the request will read first."""
    wanted = _of_payment(named.payment_id, named.client_key) if named.payment_id else []
    if named.customer_id:
        wanted.append(keys.customer(named.customer_id))
    if named.method_id:
        wanted += [keys.method_owner(named.method_id), keys.method_token(named.method_id)]
    if named.address_id:
        wanted.append(keys.address_owner(named.address_id))
    return wanted


def _of_payment(payment_id: str, client_key: str | None) -> list[Key]:
    if not payment_id.startswith("pay_"):
        return keys.provider_payments(payment_id)
    wanted = [keys.payment(payment_id), keys.client_secret(payment_id)]
    if client_key:
        wanted.append(keys.record(suffix(payment_id), client_key))
    return wanted
