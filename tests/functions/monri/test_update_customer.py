"""POST /v2/customers/{uuid}. Source: docs/api/monri.md, section 5.4."""

from collections.abc import Callable

import pytest

from bridge.core.customers import organization_customers
from bridge.models.caller import Caller
from bridge.models.customer import CustomerFields
from functions.monri.update_customer.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.conftest import run_context, together
from tests.functions.conftest import Reply
from tests.functions.monri.conftest import DEMO, Merchant
from tests.functions.monri.test_create_customer import FULL

OWNER = Caller(key_of="org_1")


@pytest.mark.usefixtures("at_any_time")
def test_update_customer_event_file_returns_the_whole_customer(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "monri/update_customer")
    assert (reply.status, reply.body["uuid"]) == (200, DEMO)
    changed = {"phone": "+38733555010", "metadata": {"tier": "gold"}, "name": "Lejla Kovač"}
    assert changed.items() <= reply.body.items()


@pytest.mark.parametrize("field", [name for name in FULL if name != "metadata"])
def test_update_changes_only_sent_keys_and_null_clears(merchant: Merchant, field: str) -> None:
    made = merchant.made(**FULL)
    for value in ("new", None) if field != "country" else ("HR", None):
        updated = merchant.update(made["uuid"], {field: value}).body
        expected = made | {field: value, "updated_at": updated["updated_at"]}
        assert updated == expected == merchant.get(made["uuid"]).body


def test_updated_at_changes_on_every_update_even_an_empty_one(
    merchant: Merchant, later: Callable[[float], None]
) -> None:
    made = merchant.made(**FULL)
    for body in ({}, {"unknown": 1}, {"name": FULL["name"]}):
        before = merchant.get(made["uuid"]).body
        later(60)
        updated = merchant.update(made["uuid"], body).body
        assert updated == before | {"updated_at": updated["updated_at"]}
        assert updated["updated_at"] > before["updated_at"]


def test_m11_metadata_is_merged_one_level_deep(merchant: Merchant) -> None:
    made = merchant.made(metadata={"a": 1, "b": {"x": 1}, "c": 3})
    uuid = made["uuid"]
    changes: list[tuple[object, dict[str, object]]] = [
        ({"c": None, "d": 4}, {"a": 1, "b": {"x": 1}, "d": 4}),
        ({"b": {"y": None}, "nowhere": None}, {"a": 1, "b": {"y": None}, "d": 4}),
        ({}, {"a": 1, "b": {"y": None}, "d": 4}),
        (None, {}),
    ]
    for change, expected in changes:
        assert merchant.update(uuid, {"metadata": change}).body["metadata"] == expected
        assert merchant.get(uuid).body["metadata"] == expected


def test_m11_concurrent_changes_are_all_kept(merchant: Merchant) -> None:
    uuid = merchant.made(metadata={"kept": True})["uuid"]
    replies = together(3, lambda n: merchant.update(uuid, {"metadata": {f"{n}": n}}))
    assert [reply.status for reply in replies] == [200] * 3
    assert merchant.get(uuid).body["metadata"] == {"kept": True, "0": 0, "1": 1, "2": 2}


def test_m8_size_limit_counts_merged_metadata_and_key_limit_sent_keys(
    merchant: Merchant,
) -> None:
    made = merchant.made(metadata={"a": "x" * 5000})
    path = f"/v2/customers/{made['uuid']}"
    too_large = ["Metadata is too large (maximum is 8192 bytes)"]
    assert merchant.refused("POST", path, {"metadata": {"b": "x" * 5000}}) == too_large
    both = {"metadata": {"a": None, "b": "x" * 5000}}
    assert merchant.update(made["uuid"], both).body["metadata"] == {"b": "x" * 5000}
    for part in range(2):
        more = {f"{part}-{number}": 1 for number in range(50)}
        updated = merchant.update(made["uuid"], {"metadata": more}).body
    assert len(updated["metadata"]) == 101


def test_update_frees_the_old_merchant_id_and_claims_the_new_one(merchant: Merchant) -> None:
    first, second = (merchant.made(merchant_customer_id=each)["uuid"] for each in ("a", "b"))
    taken = ["Merchant customer has already been taken"]
    body = {"merchant_customer_id": "b"}
    assert merchant.refused("POST", f"/v2/customers/{first}", body) == taken
    assert merchant.update(first, {"merchant_customer_id": "a"}).status == 200
    assert merchant.update(first, {"merchant_customer_id": "c"}).status == 200
    assert merchant.update(second, {"merchant_customer_id": "a"}).status == 200
    assert merchant.update(second, {"merchant_customer_id": None}).status == 200
    assert merchant.made(merchant_customer_id="a")["uuid"] not in (first, second)


def test_update_keeps_fields_that_monri_does_not_know(merchant: Merchant) -> None:
    fields = CustomerFields(
        first_name="Lejla",
        last_name="Kovač",
        language="bs",
        address={"address1": "Ferhadija 1", "address2": "II", "region": "KS", "phone": None},
        custom_fields={"vip": True},
    )
    made = organization_customers.create(OWNER, fields, "if_free", run_context()).customer
    listed = merchant.ask("GET", "/v2/customers").body["data"][0]
    assert (listed["name"], listed["address"]) == ("Lejla Kovač", "Ferhadija 1")
    reply = merchant.update(listed["uuid"], {"name": "Firma", "address": None, "city": "Mostar"})
    assert (reply.body["name"], reply.body["address"], reply.body["city"]) == (
        "Firma",
        None,
        "Mostar",
    )
    after = organization_customers.get(OWNER, made.id)
    assert (after.first_name, after.last_name, after.language) == ("Lejla", "Kovač", "bs")
    assert after.address == {"address2": "II", "region": "KS", "phone": None, "city": "Mostar"}
    assert after.custom_fields == {"vip": True}


def test_m10_update_of_a_deleted_customer_is_refused(merchant: Merchant) -> None:
    made = merchant.made()
    merchant.delete(made["uuid"])
    for body in ({}, {"name": "Lejla"}):
        refused = merchant.refused("POST", f"/v2/customers/{made['uuid']}", body)
        assert refused == ["Customer is deleted"]


def test_checks_come_in_the_order_syntax_existence_fields_uniqueness(merchant: Merchant) -> None:
    merchant.made(merchant_customer_id="taken")
    made = merchant.made()["uuid"]
    bad = {"city": "x", "merchant_customer_id": "taken"}
    assert merchant.update(DEMO, b"{").status == merchant.update("none", b"").status == 400
    assert merchant.update(DEMO, bad).status == merchant.update("none", bad).status == 404
    refused = merchant.refused("POST", f"/v2/customers/{made}", bad)
    assert refused == ["City is too short (minimum is 3 characters)"]
    refused = merchant.refused("POST", f"/v2/customers/{made}", bad | {"city": None})
    assert refused == ["Merchant customer has already been taken"]


def test_update_of_another_merchants_customer_returns_404(
    merchant: Merchant, enrolled: Callable[..., Merchant]
) -> None:
    made = merchant.made(name="Lejla")
    reply = enrolled("org_2").update(made["uuid"], {"name": "Mallory"})
    assert (reply.status, reply.body["message"]) == (404, "Customer not found")
    assert merchant.get(made["uuid"]).body == made
