"""The bodies of requests about payment methods. Source: docs/api/native.md, section 5."""

from collections.abc import Callable

import pytest

from bridge.api_adapters.native import payment_method_bodies as adapter
from bridge.errors import InvalidRequest
from bridge.inbound import Request
from tests.api_adapters.conftest import request_of


def test_read_new_method_has_the_token_under_any_of_its_names() -> None:
    new = adapter.read_new_method(request_of(method="POST", body={"token": "pm_card_visa"}))
    assert (new.provider_token, new.provider_id) == ("pm_card_visa", "stripe")


def test_read_method_change_has_only_the_sent_fields() -> None:
    body = {"alias": " my card ", "metadata": None}
    change = adapter.read_method_change(request_of(method="PUT", body=body))
    assert (change.alias, change.model_fields_set) == ("my card", {"alias"})


@pytest.mark.parametrize("read", [adapter.read_new_method, adapter.read_method_change])
def test_method_bodies_have_no_card_number_in_any_field(read: Callable[[Request], object]) -> None:
    body = {"token": "pm_card_visa", "alias": "4242 4242 4242 4242"}
    with pytest.raises(InvalidRequest) as refused:
        read(request_of(method="POST", body=body))
    assert [each.field for each in refused.value.details] == ["alias"]
