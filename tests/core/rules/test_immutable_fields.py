"""Fields that can be set only at creation. Source: docs/api/native.md, section 1 (B5)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bridge.core.rules import immutable_fields
from bridge.errors import InvalidRequest
from bridge.models.customer import Customer, Guest
from bridge.models.payment import Payment
from bridge.models.payment_method import PaymentMethod

AT = datetime(2025, 1, 15, 10, 30, tzinfo=UTC)
TIMES: dict[str, Any] = {"created_at": AT, "updated_at": AT}
CUSTOMER = Customer(id="cust_1", uid="1", provider_id="stripe", **TIMES)
METHOD = PaymentMethod(
    id="pm_1", uid="1", customer_id="cust_1", provider_id="stripe", token="pm_card_visa", **TIMES
)
PAYMENT = Payment(
    id="pay_1",
    uid="1",
    subtotal_cents=2000,
    tax_cents=0,
    discount_cents=0,
    total_cents=2000,
    currency="USD",
    provider_id="stripe",
    guest=Guest(email="a@example.com", name="A"),
    changed_at=AT,
    **TIMES,
)
GUEST = {"email": "a@example.com", "name": "A"}


@pytest.mark.parametrize(
    ("record", "given", "left"),
    [
        (CUSTOMER, {}, {}),
        (CUSTOMER, {"id": "cust_1"}, {}),
        (CUSTOMER, {"provider_id": "stripe", "user_id": None}, {}),
        (CUSTOMER, {"organization_id": None, "name": "new"}, {"name": "new"}),
        (METHOD, {"provider_payment_method_id": "pm_card_visa", "alias": "a"}, {"alias": "a"}),
        (PAYMENT, {"guest_data": GUEST, "total_cents": 5}, {"total_cents": 5}),
    ],
)
def test_stored_values_pass_and_the_other_fields_are_returned(
    record: Any, given: dict[str, Any], left: dict[str, Any]
) -> None:
    assert immutable_fields.changeable(given, record) == left


@pytest.mark.parametrize(
    ("record", "given", "fields"),
    [
        (CUSTOMER, {"id": "cust_2"}, ["id"]),
        (CUSTOMER, {"user_id": "user_1", "name": "free to change"}, ["user_id"]),
        (
            CUSTOMER,
            {"organization_id": "o", "provider_id": "x"},
            ["provider_id", "organization_id"],
        ),
        (CUSTOMER, {"provider_id": None}, ["provider_id"]),
        (METHOD, {"provider_payment_method_id": "other"}, ["provider_payment_method_id"]),
        (PAYMENT, {"guest_data": GUEST | {"phone": "123"}}, ["guest_data"]),
    ],
)
def test_other_values_raise_immutable_field_with_every_field(
    record: Any, given: dict[str, Any], fields: list[str]
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        immutable_fields.changeable(given, record)
    assert refused.value.code == "immutable_field"
    assert [each.field for each in refused.value.details] == fields
