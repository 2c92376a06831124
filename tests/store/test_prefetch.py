"""Which items are read together with the credential. Source: docs/data-model.md, section 8."""

import pytest

from bridge.models.caller import PrefetchIds
from bridge.store import keys, prefetch
from bridge.store.keys import Key


def test_payment_is_prefetched_by_our_id_or_by_provider_id() -> None:
    at_providers = prefetch.keys_to_prefetch(PrefetchIds(payment_id="pi_1"))
    assert keys.provider_payment("stripe", "pi_1") in at_providers
    assert prefetch.keys_to_prefetch(PrefetchIds()) == []
    ours = prefetch.keys_to_prefetch(PrefetchIds(payment_id="pay_1"))
    assert ours == [keys.payment("pay_1"), keys.client_secret("pay_1")]


def test_idempotency_record_is_prefetched_with_the_payment_only() -> None:
    with_key = prefetch.keys_to_prefetch(PrefetchIds(payment_id="pay_1", client_key="key-1"))
    assert with_key[2:] == [keys.record("1", "key-1")]
    assert prefetch.keys_to_prefetch(PrefetchIds(client_key="key-1")) == []
    by_provider_id = PrefetchIds(payment_id="pi_1", client_key="key-1")
    assert prefetch.keys_to_prefetch(by_provider_id) == keys.provider_payments("pi_1")


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (PrefetchIds(customer_id="cust_1"), [keys.customer("cust_1")]),
        (PrefetchIds(method_id="pm_1"), [keys.method_owner("pm_1"), keys.method_token("pm_1")]),
        (PrefetchIds(address_id="addr_1"), [keys.address_owner("addr_1")]),
        (
            PrefetchIds(customer_id="cust_1", address_id="addr_1"),
            [keys.customer("cust_1"), keys.address_owner("addr_1")],
        ),
    ],
)
def test_customer_method_and_address_are_prefetched_by_their_ids(
    ids: PrefetchIds, expected: list[Key]
) -> None:
    assert prefetch.keys_to_prefetch(ids) == expected
