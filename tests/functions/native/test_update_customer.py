"""PUT /bridge-payment/customers/{id}. Source: contracts/bridge.md, section 3."""

import json
from collections.abc import Callable

import pytest

from functions.native.update_customer.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import CUSTOMER_FIELDS, Api, Reply


def test_the_event_file_is_answered_with_the_changed_customer(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/update_customer")
    assert reply.status == 200
    assert reply.body.keys() == CUSTOMER_FIELDS
    assert reply.body["phone"] == "+1987654321"
    assert reply.body["metadata"] == {"preferred_contact": "email"}
    assert reply.body["name"] == "John Doe"
    assert reply.body["updated_at"] > reply.body["created_at"]


def test_only_what_is_sent_changes_here_and_at_the_provider(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    made = api.customer(name="Jane", phone="12345", metadata={"a": "1", "b": "2"})
    reply = api.put(f"/customers/{made['id']}", {"phone": "54321", "name": None})
    assert reply.body | {"updated_at": ""} == made | {"phone": "54321", "updated_at": ""}
    assert stripe_simulator.requests[-1].form == {"phone": "54321"}
    assert api.get(f"/customers/{made['id']}").body == reply.body


def test_metadata_is_replaced_whole_here_and_at_the_provider(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    made = api.customer(metadata={"stays": "1", "changes": "2", "goes": "3"})
    wanted = {"stays": "1", "changes": 4, "comes": True}
    reply = api.put(f"/customers/{made['id']}", {"metadata": wanted})
    assert reply.body["metadata"] == wanted
    held = stripe_simulator.customers()[0]["metadata"]
    ours = {"customer_id": made["id"]}
    assert held == ours | {"stays": "1", "changes": "4", "comes": "true"}
    assert api.put(f"/customers/{made['id']}", {"metadata": {}}).body["metadata"] == {}
    assert stripe_simulator.customers()[0]["metadata"] == ours


@pytest.mark.parametrize(
    ("before", "after"), [(1, True), (True, 1), (0, False), ("1", 1), (1, 2.5)]
)
def test_b4_metadata_that_only_changes_its_type_is_changed(
    api: Api, stripe_simulator: StripeSimulator, before: object, after: object
) -> None:
    made = api.customer(metadata={"a": before})
    reply = api.put(f"/customers/{made['id']}", {"metadata": {"a": after}})
    assert reply.text.count(f'"a":{json.dumps(after)}') == 1
    assert api.get(f"/customers/{made['id']}").text == reply.text
    held = stripe_simulator.customers()[0]["metadata"]
    assert isinstance(held, dict)
    assert held["a"] == str(after).lower()


def test_a_change_that_changes_nothing_calls_nobody(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    made = api.customer(phone="12345")
    before = len(stripe_simulator.requests)
    for body in ({}, {"phone": "12345"}, {"unknown": 1}):
        assert api.put(f"/customers/{made['id']}", body).body == made
    assert len(stripe_simulator.requests) == before


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("429", 503, "provider_unavailable"),
        ("401", 502, "provider_error"),
        ("drop_before", 504, "provider_timeout"),
        ("500_before", 504, "provider_timeout"),
    ],
)
def test_with_the_provider_in_trouble_nothing_has_changed(
    api: Api, stripe_simulator: StripeSimulator, kind: str, status: int, code: str
) -> None:
    made = api.customer()
    stripe_simulator.fault("update_customer", kind, times=2)
    reply = api.put(f"/customers/{made['id']}", {"phone": "54321"})
    assert (reply.status, reply.code) == (status, code)
    assert api.get(f"/customers/{made['id']}").body == made


def test_what_the_provider_refuses_names_the_field(api: Api) -> None:
    made = api.customer()
    reply = api.put(f"/customers/{made['id']}", {"email": "jane@bücher.example"})
    assert (reply.status, reply.fields) == (400, {"email"})
    assert api.get(f"/customers/{made['id']}").body == made


def test_fixed_fields_may_be_repeated_but_not_changed(api: Api) -> None:
    made = api.customer(organization_id="org_456")
    fixed = {name: made[name] for name in ("id", "provider_id", "user_id", "organization_id")}
    assert api.put(f"/customers/{made['id']}", fixed).body == made
    for name in fixed:
        reply = api.put(f"/customers/{made['id']}", {name: "org_789", "phone": "54321"})
        assert (reply.status, reply.code, reply.fields) == (400, "immutable_field", {name})
    every = api.put(f"/customers/{made['id']}", dict.fromkeys(fixed, "other"))
    assert every.fields == set(fixed)
    assert api.get(f"/customers/{made['id']}").body == made


@pytest.mark.parametrize(
    ("before", "change", "name"),
    [
        ({"first_name": "Jane", "last_name": "Doe"}, {"last_name": "Roe"}, "Jane Roe"),
        ({"name": "J.", "first_name": "Jane"}, {"last_name": "Roe"}, "J."),
        ({"first_name": "Jane"}, {"name": "Chosen", "last_name": "Roe"}, "Chosen"),
        ({}, {"first_name": "Jane"}, "User 456"),
    ],
)
def test_b11_a_name_made_of_first_and_last_follows_them(
    api: Api, before: dict[str, str], change: dict[str, str], name: str
) -> None:
    made = api.customer(**before)
    assert api.put(f"/customers/{made['id']}", change).body["name"] == name


def test_b4_bad_fields_are_refused_by_name(api: Api) -> None:
    made = api.customer()
    wrong = {"email": "nobody", "phone": "1", "name": 5, "metadata": {"a": []}}
    reply = api.put(f"/customers/{made['id']}", wrong)
    assert (reply.status, reply.fields) == (400, {"email", "phone", "name", "metadata.a"})


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 200), ("admin", 200), ("billing", 200), ("member", 403)]
)
def test_b9_an_organizations_customer_is_changed_by_its_writing_roles(
    api: Api, signed_in: Callable[..., Api], role: str, status: int
) -> None:
    made = api.customer(organization_id="org_456")
    reply = signed_in("user_1", org_456=role).put(f"/customers/{made['id']}", {"phone": "54321"})
    assert reply.status == status


def test_somebody_elses_customer_is_not_found(api: Api, stranger: Api) -> None:
    made = api.customer()
    for identifier in (made["id"], "cust_404"):
        assert stranger.put(f"/customers/{identifier}", {"phone": "54321"}).status == 404
