"""The rules of fields, declared at the field. Source: docs/data-model.md, section 2."""

from typing import Annotated, Any, get_type_hints

import pytest

from bridge.bodies.address import AddressChange, NewAddress
from bridge.bodies.customer import CustomerChange, NewCustomer
from bridge.bodies.payment import NewPayment, PaymentChange
from bridge.bodies.payment_method import TOKEN_NAMES, MethodChange, NewMethod
from bridge.models import field_rules
from bridge.models.address import Address
from bridge.models.customer import Customer
from bridge.models.field_rules import FieldRule
from bridge.models.payment import Payment
from bridge.models.payment_method import PaymentMethod

VISIBLE = FieldRule(set_by="client", seen_by="caller", changes="never")
OTHER = FieldRule(set_by="bridge", seen_by="nobody")
CLIENTS = {
    rule.body_name or name: rule
    for name, rule in field_rules.rules_of(Payment).items()
    if rule.set_by == "client"
}
CHANGEABLE = sorted(name for name, rule in CLIENTS.items() if rule.changes != "never")


class Record:
    visible: Annotated[str, VISIBLE]
    other: Annotated[int, OTHER]


def test_rules_of_returns_the_rule_of_each_field_in_order() -> None:
    assert list(field_rules.rules_of(Record).items()) == [("visible", VISIBLE), ("other", OTHER)]


@pytest.mark.parametrize(
    "annotation", [str, Annotated[str, "text"], Annotated[str, VISIBLE, OTHER]]
)
def test_field_without_exactly_one_rule_raises_type_error(annotation: Any) -> None:
    record = type(
        "Record", (), {"__annotations__": {"visible": Annotated[str, VISIBLE], "bare": annotation}}
    )
    with pytest.raises(TypeError, match=r"Record\.bare needs one FieldRule"):
        field_rules.rules_of(record)


def test_fields_with_returns_the_fields_with_all_these_values() -> None:
    assert field_rules.fields_with(Record, set_by="client") == ("visible",)
    assert field_rules.fields_with(Record, set_by="client", seen_by="nobody") == ()
    assert field_rules.immutable(Record) == {"visible": "visible"}


@pytest.mark.parametrize(
    ("record", "new", "change", "not_stored"),
    [
        (Customer, NewCustomer, CustomerChange, {"guest_data"}),
        (PaymentMethod, NewMethod, MethodChange, {"organization_id", *TOKEN_NAMES[1:]}),
        (Address, NewAddress, AddressChange, {"organization_id", "provider_id"}),
    ],
)
def test_bodies_have_the_fields_that_clients_set(
    record: Any, new: Any, change: Any, not_stored: set[str]
) -> None:
    rules = field_rules.rules_of(record)
    assert set(rules) == set(record.__struct_fields__)
    sent = {rule.body_name or name for name, rule in rules.items() if rule.set_by == "client"}
    assert set(new.model_fields) ^ not_stored == sent
    changed = {rule.body_name or name for name, rule in rules.items() if rule.changes}
    assert set(change.model_fields) ^ changed == set()


@pytest.mark.parametrize("record", [Payment, Customer, PaymentMethod, Address])
def test_personal_fields_are_left_out_of_texts_for_logs(record: Any) -> None:
    fields = record.__struct_fields__
    text = repr(record(**{name: f"text of {name}" for name in fields}))
    printed = {name for name in fields if f"'text of {name}'" in text}
    personal = field_rules.fields_with(record, is_personal=True)
    secret = field_rules.fields_with(record, is_secret=True)
    assert personal
    assert printed == set(fields) - set(personal) - set(secret)


def test_new_payment_has_exactly_the_fields_that_clients_set() -> None:
    assert set(NewPayment.model_fields) ^ set(CLIENTS) == set()


def test_payment_change_has_exactly_the_fields_that_clients_set_and_the_id() -> None:
    assert set(PaymentChange.model_fields) ^ set(CLIENTS) == {"id"}


@pytest.mark.parametrize("name", CHANGEABLE)
def test_field_is_checked_alike_in_creation_and_change(name: str) -> None:
    first, later = (
        get_type_hints(model, include_extras=True)[name] for model in (NewPayment, PaymentChange)
    )
    assert later == (first | None)


def test_every_field_of_a_payment_has_a_rule() -> None:
    assert set(field_rules.rules_of(Payment)) == set(Payment.__struct_fields__)


def test_what_the_provider_stores_too_never_changes_without_it() -> None:
    stored = set(field_rules.fields_with(Payment, at_provider=True))
    assert stored <= set(field_rules.fields_with(Payment, changes="before_charge"))


def test_what_a_client_set_is_personal_but_for_amounts_and_references() -> None:
    """A new field is erased, or it is added here."""
    assert set(field_rules.fields_with(Payment, set_by="client", is_personal=False)) == {
        *("subtotal_cents", "tax_cents", "discount_cents", "total_cents", "currency"),
        *("provider_id", "organization_id", "customer_id", "payment_method_id", "project_id"),
        *("setup_future_usage", "capture_method"),
    }


@pytest.mark.parametrize("name", field_rules.fields_with(Payment, is_fact=True))
def test_facts_are_set_by_the_provider_or_sent_to_it(name: str) -> None:
    rule = field_rules.rules_of(Payment)[name]
    assert rule.set_by == "provider" or rule.at_provider
