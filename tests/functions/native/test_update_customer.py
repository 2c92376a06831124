"""PUT /bridge-payment/customers/{id}. Source: docs/api/native.md, section 3."""

import json
from collections.abc import Callable

import pytest

from functions.native.update_customer.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import (
    Api,
    Reply,
)
from tests.response_fields import (
    CUSTOMER_FIELDS,
)


def test_update_customer_with_event_file_returns_changed_customer(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/update_customer")
    assert reply.status == 200
    assert reply.body.keys() == CUSTOMER_FIELDS
    assert reply.body["phone"] == "+1987654321"
    assert reply.body["metadata"] == {"preferred_contact": "email"}
    assert reply.body["name"] == "John Doe"
    assert reply.body["updated_at"] > reply.body["created_at"]


def test_update_customer_changes_only_sent_fields_here_and_at_provider(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    customer = api.customer(name="Jane", phone="12345", metadata={"a": "1", "b": "2"})
    reply = api.put(f"/customers/{customer['id']}", {"phone": "54321", "name": None})
    assert reply.body | {"updated_at": ""} == customer | {"phone": "54321", "updated_at": ""}
    assert stripe_simulator.requests[-1].form == {"phone": "54321"}
    assert api.get(f"/customers/{customer['id']}").body == reply.body


def test_update_customer_replaces_metadata_here_and_at_provider(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    customer = api.customer(metadata={"stays": "1", "changes": "2", "goes": "3"})
    metadata = {"stays": "1", "changes": 4, "comes": True}
    reply = api.put(f"/customers/{customer['id']}", {"metadata": metadata})
    assert reply.body["metadata"] == metadata
    stripe_metadata = stripe_simulator.customers()[0]["metadata"]
    ours = {"customer_id": customer["id"]}
    assert stripe_metadata == ours | {"stays": "1", "changes": "4", "comes": "true"}
    assert api.put(f"/customers/{customer['id']}", {"metadata": {}}).body["metadata"] == {}
    assert stripe_simulator.customers()[0]["metadata"] == ours


@pytest.mark.parametrize(
    ("before", "after"), [(1, True), (True, 1), (0, False), ("1", 1), (1, 2.5)]
)
def test_b4_update_customer_changes_type_of_metadata_value(
    api: Api, stripe_simulator: StripeSimulator, before: object, after: object
) -> None:
    customer = api.customer(metadata={"a": before})
    reply = api.put(f"/customers/{customer['id']}", {"metadata": {"a": after}})
    assert reply.text.count(f'"a":{json.dumps(after)}') == 1
    assert api.get(f"/customers/{customer['id']}").text == reply.text
    stripe_metadata = stripe_simulator.customers()[0]["metadata"]
    assert isinstance(stripe_metadata, dict)
    assert stripe_metadata["a"] == str(after).lower()


def test_update_customer_without_change_does_not_call_provider(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    customer = api.customer(phone="12345")
    before = len(stripe_simulator.requests)
    for body in ({}, {"phone": "12345"}, {"unknown": 1}):
        assert api.put(f"/customers/{customer['id']}", body).body == customer
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
def test_update_customer_with_provider_error_returns_5xx_and_changes_nothing(
    api: Api, stripe_simulator: StripeSimulator, kind: str, status: int, code: str
) -> None:
    customer = api.customer()
    stripe_simulator.fault("update_customer", kind, times=2)
    reply = api.put(f"/customers/{customer['id']}", {"phone": "54321"})
    assert (reply.status, reply.code) == (status, code)
    assert api.get(f"/customers/{customer['id']}").body == customer


def test_update_customer_refused_by_provider_returns_400_on_field(api: Api) -> None:
    customer = api.customer()
    reply = api.put(f"/customers/{customer['id']}", {"email": "jane@bücher.example"})
    assert (reply.status, reply.fields) == (400, {"email"})
    assert api.get(f"/customers/{customer['id']}").body == customer


def test_update_customer_accepts_same_immutable_fields_and_returns_400_for_other_values(
    api: Api,
) -> None:
    customer = api.customer(organization_id="org_456")
    fixed = {name: customer[name] for name in ("id", "provider_id", "user_id", "organization_id")}
    assert api.put(f"/customers/{customer['id']}", fixed).body == customer
    for name in fixed:
        reply = api.put(f"/customers/{customer['id']}", {name: "org_789", "phone": "54321"})
        assert (reply.status, reply.code, reply.fields) == (400, "immutable_field", {name})
    every = api.put(f"/customers/{customer['id']}", dict.fromkeys(fixed, "other"))
    assert every.fields == set(fixed)
    assert api.get(f"/customers/{customer['id']}").body == customer


@pytest.mark.parametrize(
    ("before", "change", "name"),
    [
        ({"first_name": "Jane", "last_name": "Doe"}, {"last_name": "Roe"}, "Jane Roe"),
        ({"name": "J.", "first_name": "Jane"}, {"last_name": "Roe"}, "J."),
        ({"first_name": "Jane"}, {"name": "Chosen", "last_name": "Roe"}, "Chosen"),
        ({}, {"first_name": "Jane"}, "User 456"),
    ],
)
def test_b11_derived_name_follows_first_and_last_name(
    api: Api, before: dict[str, str], change: dict[str, str], name: str
) -> None:
    customer = api.customer(**before)
    assert api.put(f"/customers/{customer['id']}", change).body["name"] == name


def test_b4_update_customer_reports_all_invalid_fields(api: Api) -> None:
    customer = api.customer()
    wrong = {"email": "nobody", "phone": "1", "name": 5, "metadata": {"a": []}}
    reply = api.put(f"/customers/{customer['id']}", wrong)
    assert (reply.status, reply.fields) == (400, {"email", "phone", "name", "metadata.a"})


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 200), ("admin", 200), ("billing", 200), ("member", 403)]
)
def test_b9_update_customer_in_organization_needs_writing_role(
    api: Api, signed_in: Callable[..., Api], role: str, status: int
) -> None:
    customer = api.customer(organization_id="org_456")
    reply = signed_in("user_1", org_456=role).put(
        f"/customers/{customer['id']}", {"phone": "54321"}
    )
    assert reply.status == status


def test_update_customer_of_other_user_or_unknown_id_returns_404(api: Api, stranger: Api) -> None:
    customer = api.customer()
    for identifier in (customer["id"], "cust_404"):
        assert stranger.put(f"/customers/{identifier}", {"phone": "54321"}).status == 404
