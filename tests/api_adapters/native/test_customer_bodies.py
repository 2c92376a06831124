"""The bodies of requests about customers. Source: docs/api/native.md, section 3."""

import pytest

from bridge.api_adapters.native import customer_bodies
from bridge.errors import InvalidRequest, NotAuthenticated
from bridge.models.caller import Caller
from tests.api_adapters.conftest import request_of

OWNER = Caller(user_id="user_1")
GUEST = {"email": "a@EXAMPLE.com", "name": " A "}


def test_b8_read_new_customer_needs_a_user_or_guest_data() -> None:
    body = {"provider_id": "stripe"}
    request = request_of(method="POST", caller=OWNER, body=body)
    assert customer_bodies.read_new_customer(request).guest_data is None
    with pytest.raises(NotAuthenticated):
        customer_bodies.read_new_customer(request_of(method="POST", body=body))


@pytest.mark.usefixtures("tables")
def test_b8_read_new_customer_has_the_checked_data_of_a_guest() -> None:
    body = {"provider_id": "stripe", "guest_data": GUEST}
    guest = customer_bodies.read_new_customer(request_of(method="POST", body=body)).guest_data
    assert guest
    assert (guest.email, guest.name) == ("a@example.com", "A")


def test_read_customer_change_has_only_the_sent_fields() -> None:
    body = {"name": " Jane ", "phone": None, "unknown": 1}
    change = customer_bodies.read_customer_change(request_of(method="PUT", body=body))
    assert (change.name, change.model_fields_set) == ("Jane", {"name"})


def test_customer_bodies_have_no_card_number_in_a_card_field() -> None:
    body = {"provider_id": "stripe", "metadata": {"card_number": "4242424242424242"}}
    for read in (customer_bodies.read_new_customer, customer_bodies.read_customer_change):
        with pytest.raises(InvalidRequest) as refused:
            read(request_of(method="POST", caller=OWNER, body=body))
        assert [each.field for each in refused.value.details] == ["metadata.card_number"]
