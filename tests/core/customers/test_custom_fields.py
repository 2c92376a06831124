"""Definitions of custom fields, and customers with values.

Source: docs/api/payments-ai.md, section 4.
"""

from collections.abc import Callable
from typing import Any, cast

import pytest
from msgspec.structs import replace

from bridge.core.customers import custom_fields, organization_customers
from bridge.errors import BodyTooLarge, Conflict, InvalidRequest, NotAuthenticated, NotFound
from bridge.models.caller import Caller
from bridge.models.custom_field import Constraints, FieldType, NewCustomField
from bridge.models.customer import Customer, CustomerFields
from bridge.models.page import OffsetPage
from tests.conftest import KEY, USER, run_context

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")
OTHER = Caller(key_of="org_789")


def new_field(name: str = "f", kind: FieldType = "string", **constraints: Any) -> NewCustomField:
    limits = Constraints(**constraints) if constraints else None
    return NewCustomField(
        name=name, resource="customers", description="", type=kind, constraints=limits
    )


def created(values: dict[str, Any], key: str | None = None) -> Customer:
    fields = CustomerFields(custom_fields=values)
    return custom_fields.create_customer(KEY, fields, run_context(key)).customer


def updated(customer: Customer, **fields: Any) -> Customer:
    return custom_fields.update_customer(KEY, customer.id, lambda: cast(CustomerFields, fields))


def errors_of(act: Callable[[], object]) -> dict[str, str]:
    with pytest.raises(InvalidRequest) as refused:
        act()
    return dict(refused.value.details)


def test_define_creates_a_field_and_then_replaces_it(later: Callable[[float], None]) -> None:
    first = custom_fields.define(KEY, new_field(required=True))
    assert first.is_new
    later(60)
    second = custom_fields.define(KEY, replace(new_field(), description="new"))
    assert not second.is_new
    assert (second.field.description, second.field.constraints) == ("new", None)
    assert second.field.created_at == first.field.created_at
    assert second.field.updated_at > first.field.updated_at
    assert custom_fields.get(KEY, "customers", "f") == second.field


def test_define_with_another_type_is_a_conflict_and_changes_nothing() -> None:
    first = custom_fields.define(KEY, new_field())
    with pytest.raises(Conflict) as refused:
        custom_fields.define(KEY, new_field(kind="number"))
    assert refused.value.code == "custom_field_type_fixed"
    assert custom_fields.get(KEY, "customers", "f") == first.field


@pytest.mark.parametrize(
    ("field", "errors"),
    [
        (new_field(kind="number", max_length=3), {"max_length": "not allowed for number"}),
        (
            new_field(kind="date", pattern="a", allowed_values=[]),
            {"allowed_values": "not allowed for date", "pattern": "not allowed for date"},
        ),
        (new_field(pattern="("), {"pattern": "must be a regular expression"}),
        (new_field(default=1), {"default": "must be a string"}),
    ],
)
def test_define_with_constraints_that_do_not_fit_is_refused(
    field: NewCustomField, errors: dict[str, str]
) -> None:
    expected = {f"constraints.{name}": message for name, message in errors.items()}
    assert errors_of(lambda: custom_fields.define(KEY, field)) == expected
    with pytest.raises(NotFound):
        custom_fields.get(KEY, "customers", "f")


def test_define_with_constraints_over_300_kib_is_too_large() -> None:
    with pytest.raises(BodyTooLarge):
        custom_fields.define(KEY, new_field(allowed_values=["x" * 1000] * 400))


def test_fields_are_visible_to_their_organization_only() -> None:
    custom_fields.define(KEY, new_field())
    with pytest.raises(NotFound):
        custom_fields.get(OTHER, "customers", "f")
    with pytest.raises(NotFound):
        custom_fields.get(KEY, "plans", "f")
    assert custom_fields.list_page(OTHER, None, OffsetPage(limit=5)).records == []
    with pytest.raises(NotAuthenticated):
        custom_fields.get(USER, "customers", "f")


def test_list_page_returns_fields_by_name_with_the_total() -> None:
    for name in ("c", "a", "b"):
        custom_fields.define(KEY, new_field(name))
    found = custom_fields.list_page(KEY, "customers", OffsetPage(limit=2, offset=1))
    assert ([each.name for each in found.records], found.total) == (["b", "c"], 3)
    assert custom_fields.list_page(KEY, "plans", OffsetPage(limit=2)).total == 0


def test_create_customer_adds_defaults_of_missing_fields_and_drops_nulls() -> None:
    custom_fields.define(KEY, new_field(default="x"))
    assert created({}).custom_fields == {"f": "x"}
    assert created({"f": "y"}).custom_fields == {"f": "y"}
    assert created({"f": None}).custom_fields == {}


def test_create_customer_names_every_invalid_and_every_missing_value() -> None:
    custom_fields.define(KEY, new_field(required=True))
    custom_fields.define(KEY, new_field("n", "number"))
    assert errors_of(lambda: created({"n": "1", "unknown": 1})) == {
        "custom_fields.n": "must be a number",
        "custom_fields.unknown": "is not defined",
        "custom_fields.f": "is required",
    }


def test_create_customer_refuses_values_over_8_kib_together() -> None:
    for name in ("a", "b", "c"):
        custom_fields.define(KEY, new_field(name, max_length=4000))
    values = {"a": "x" * 4000, "b": "x" * 4000, "c": "x" * 171}
    message = "must be at most 8192 bytes as JSON"
    assert errors_of(lambda: created(values)) == {"custom_fields": message}


def test_p29_create_customer_checks_no_newer_definitions_in_a_replay() -> None:
    first = created({}, key="key-1")
    custom_fields.define(KEY, new_field(required=True))
    assert created({}, key="key-1") == first


def test_p28_update_customer_checks_values_only_if_they_are_sent() -> None:
    customer = created({})
    custom_fields.define(KEY, new_field(required=True))
    assert updated(customer, first_name="N").first_name == "N"
    assert errors_of(lambda: updated(customer, custom_fields={})) == {
        "custom_fields.f": "is required"
    }
    assert updated(customer, custom_fields={"f": "x"}).custom_fields == {"f": "x"}


def test_update_customer_accepts_a_stored_value_that_is_no_longer_allowed() -> None:
    custom_fields.define(KEY, new_field())
    customer = created({"f": "old"})
    custom_fields.define(KEY, new_field(allowed_values=["new"]))
    assert updated(customer, custom_fields={"f": "old"}).custom_fields == {"f": "old"}
    assert errors_of(lambda: updated(customer, custom_fields={"f": "older"})) == {
        "custom_fields.f": "must be one of the allowed values"
    }


def test_update_customer_reads_the_request_only_after_the_customer_is_found() -> None:
    def refuse() -> CustomerFields:
        raise InvalidRequest("no")

    with pytest.raises(NotFound):
        custom_fields.update_customer(KEY, "cust_nobody", refuse)
    with pytest.raises(NotFound):
        custom_fields.update_customer(OTHER, created({}).id, refuse)
    with pytest.raises(InvalidRequest):
        custom_fields.update_customer(KEY, created({}).id, refuse)


def test_update_customer_of_a_deleted_customer_is_a_conflict() -> None:
    customer = created({})
    organization_customers.delete(KEY, customer.id)
    with pytest.raises(Conflict) as refused:
        updated(customer, first_name="N")
    assert refused.value.code == "customer_deleted"
