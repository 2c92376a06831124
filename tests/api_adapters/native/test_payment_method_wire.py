"""Payment methods as the native API shows them. Source: docs/api/native.md, section 5."""

from bridge.api_adapters.native import payment_method_wire
from bridge.inbound import Response
from bridge.models.payment_method import MethodResult, PaymentMethod
from tests.api_adapters.conftest import AT
from tests.response_fields import METHOD_FIELDS

METHOD = PaymentMethod(
    id="pm_1",
    uid="1",
    customer_id="cust_1",
    provider_id="stripe",
    brand="visa",
    last4="4242",
    token="pm_card_visa",
    created_at=AT,
    updated_at=AT,
)


def test_render_method_has_all_fields_with_null_for_unset() -> None:
    body = payment_method_wire.render_method(METHOD)
    assert body.keys() == METHOD_FIELDS
    unset = {"exp_month", "exp_year", "alias", "billing_address_id"}
    assert {name for name, value in body.items() if value is None} == unset
    assert body["created_at"] == body["updated_at"] == "2026-01-15T10:30:00Z"


def test_render_method_has_type_brand_and_digits_under_two_names() -> None:
    body = payment_method_wire.render_method(METHOD)
    assert body["type"] == body["payment_type"] == "card"
    assert body["brand"] == body["card_brand"] == "visa"
    assert body["last4"] == body["last_four"] == "4242"
    assert body["provider_payment_method_id"] == "pm_card_visa"


def test_b17_render_new_method_is_a_201_and_a_replay_has_its_header() -> None:
    body = payment_method_wire.render_method(METHOD)
    new = payment_method_wire.render_new_method(MethodResult(method=METHOD))
    assert new == Response(body, 201)
    again = payment_method_wire.render_new_method(MethodResult(method=METHOD, replayed=True))
    assert again == Response(body, 201, {"Idempotent-Replayed": "true"})


def test_render_methods_is_a_list_of_whole_methods() -> None:
    listed = payment_method_wire.render_methods([METHOD, METHOD])
    assert listed == [payment_method_wire.render_method(METHOD)] * 2
