"""PUT and PATCH …/customers/{id}. Source: docs/api/payments-ai.md, section 2.4."""

from collections.abc import Callable

import pytest

from functions.payments_ai.update_customer.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import Reply
from tests.functions.payments_ai.conftest import (
    FORBIDDEN,
    NOT_FOUND,
    UNKNOWN,
    Shop,
    details,
    values_of,
)

NADIA = {
    "firstName": "Nadia",
    "lastName": "Okoro",
    "email": "nadia@shop.test",
    "address": {"country": "GB", "city": "Leith"},
    "metadata": {"tier": "gold", "old": 1},
}


def test_the_event_file_returns_200_with_two_changed_fields(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "payments_ai/update_customer")
    fields = values_of(reply.body, "email", "phoneNumber", "firstName")
    assert (reply.status, fields) == (200, ["jane.roe@example.com", "+1-555-0199", "Nadia"])


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_p19_and_p20_put_and_patch_replace_only_the_fields_sent(
    shop: Shop, method: str, later: Callable[[float], None]
) -> None:
    made = shop.customer(**NADIA)
    later(60)
    change = {"email": None, "address": {"zip": "EH6"}, "metadata": {"new": 2}}
    reply = shop.ask(method, f"/customers/{made['id']}", change)
    changed = change | {"revision": 2, "updatedTime": reply.body["updatedTime"]}
    assert (reply.status, reply.body) == (200, made | changed)
    assert reply.body["updatedTime"] > made["updatedTime"]
    assert shop.ask("GET", f"/customers/{made['id']}").body == reply.body


def test_p19_null_clears_a_field(shop: Shop) -> None:
    made = shop.customer(**NADIA, language="en", phoneNumber="1", primaryAddress={"note": "x"})
    clear = dict.fromkeys([*NADIA, "language", "phoneNumber", "primaryAddress", "customFields"])
    body = shop.ask("PUT", f"/customers/{made['id']}", clear).body
    assert {name: body[name] for name in clear} == clear | {"metadata": {}, "customFields": {}}


def test_an_update_with_the_stored_values_changes_nothing(
    shop: Shop, later: Callable[[float], None]
) -> None:
    made = shop.customer(**NADIA)
    later(60)
    for body in (made, {}, {"id": made["id"]}, {"metadata": made["metadata"]}):
        reply = shop.ask("PUT", f"/customers/{made['id']}", body)
        assert (reply.status, reply.body) == (200, made)


@pytest.mark.parametrize(("before", "after"), [(1, True), (0, False), (1, 1.0), ({}, [])])
def test_an_equal_value_of_another_type_is_a_change(
    shop: Shop, before: object, after: object
) -> None:
    made = shop.customer(metadata={"a": before})
    body = shop.ask("PUT", f"/customers/{made['id']}", {"metadata": {"a": after}}).body
    assert (repr(body["metadata"]["a"]), body["revision"]) == (repr(after), 2)


@pytest.mark.parametrize("given", ["cus_x", UNKNOWN, 7, None])
def test_another_id_in_the_body_returns_400(shop: Shop, given: object) -> None:
    target = f"/customers/{shop.customer()['id']}"
    assert details(shop.ask("PUT", target, {"id": given})) == "id: cannot be changed"
    both = details(shop.ask("PUT", target, {"id": given, "email": 1}))
    assert both == "id: cannot be changed; email: must be a string"


def test_an_invalid_update_returns_400_and_changes_nothing(shop: Shop) -> None:
    made = shop.customer(**NADIA)
    target = f"/customers/{made['id']}"
    assert details(shop.ask("PUT", target, b"[]")) == "body: must be an object"
    assert details(shop.ask("PUT", target, b"")) == "body: must be valid JSON"
    wrong = {"firstName": "Z", "language": "english"}
    assert details(shop.ask("PUT", target, wrong)).startswith("language: ")
    error = details(shop.ask("PUT", target, {"defaultPaymentInstrumentId": "pm_1"}))
    assert error == "defaultPaymentInstrumentId: does not belong to this customer"
    assert shop.ask("GET", target).body == made


def test_p11_primary_address_changes_the_flat_fields_that_are_not_sent(shop: Shop) -> None:
    made = shop.customer(**NADIA)
    later = {"firstName": "N.", "emails": [{"value": "n@shop.test"}]}
    body = {"primaryAddress": later, "email": "own@shop.test"}
    updated = shop.ask("PUT", f"/customers/{made['id']}", body).body
    assert values_of(updated, "firstName", "email", "address") == [
        "N.",
        "own@shop.test",
        made["address"],
    ]


def test_p21_an_unknown_id_returns_404_before_the_body_is_checked(
    shop: Shop, other_shop: Shop
) -> None:
    for each in (UNKNOWN, other_shop.customer()["id"], "cus_x"):
        for body in ({"firstName": "A"}, {"email": 1}, b"{"):
            reply = shop.ask("PUT", f"/customers/{each}", body)
            assert (reply.status, reply.body) == (404, NOT_FOUND)
    assert shop.listed() == []
    reply = Shop(shop.api, "org_2").ask("PUT", f"/customers/{UNKNOWN}", b"{")
    assert (reply.status, reply.body) == (403, FORBIDDEN)


def test_both_addresses_over_8_kib_in_two_requests_return_400(shop: Shop) -> None:
    made = shop.customer(address={"note": "x" * 4085})
    target = f"/customers/{made['id']}"
    fits, too_much = ({"primaryAddress": {"note": "x" * size}} for size in (4085, 4086))
    fault = "address: must be at most 8192 bytes as JSON, both forms together"
    assert details(shop.ask("PUT", target, too_much)) == fault
    assert shop.ask("PUT", target, fits).status == 200


def test_a_search_finds_the_new_name_and_not_the_old_one(shop: Shop) -> None:
    made = shop.customer(firstName="Nadia")
    shop.ask("PUT", f"/customers/{made['id']}", {"firstName": "Nina"})
    assert shop.listed("search=nadia") == []
    assert [each["id"] for each in shop.listed("search=nina")] == [made["id"]]
