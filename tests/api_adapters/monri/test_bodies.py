"""The bodies of Monri's requests. Source: docs/api/monri.md, sections 3 and 4."""

from typing import Any

import pytest

from bridge.api_adapters.monri import bodies
from bridge.errors import Detail, InvalidRequest, NotAuthenticated
from bridge.inbound import Request
from bridge.models.customer import Customer
from tests.api_adapters.conftest import AT, request_of
from tests.store.conftest import put_credential


def sent(body: object) -> Request:
    return request_of(method="POST", body=body)


def refused(body: object) -> list[Detail]:
    """The errors of a creation that must be refused."""
    with pytest.raises(InvalidRequest) as error:
        bodies.read_new_customer(sent(body))
    return error.value.details


def stored(**more: Any) -> Customer:
    return Customer(id="cust_1", uid="1", created_at=AT, updated_at=AT, **more)


def test_read_new_customer_uses_our_names_and_only_sent_fields() -> None:
    body = {
        "merchant_customer_id": "crm-1",
        "name": " Lejla ",
        "email": None,
        "city": "Sarajevo",
        "zip_code": "71000",
        "country": None,
        "metadata": {"a": {"b": 1}, "c": None},
        "unknown": 1,
    }
    assert bodies.read_new_customer(sent(body)) == {
        "external_id": "crm-1",
        "name": " Lejla ",
        "email": None,
        "address": {"city": "Sarajevo", "zip": "71000"},
        "metadata": {"a": {"b": 1}},
    }
    assert bodies.read_new_customer(sent({})) == {}
    assert bodies.read_new_customer(sent({"city": None, "metadata": None})) == {
        "address": None,
        "metadata": {},
    }


def test_m7_m9_country_is_in_upper_case_and_numbers_are_texts() -> None:
    fields = bodies.read_new_customer(sent({"country": "ba", "phone": 1e20, "name": 7}))
    assert fields == {"address": {"country": "BA"}, "phone": "1" + "0" * 20, "name": "7"}


def test_read_new_customer_reports_every_invalid_field() -> None:
    body = {"name": "x" * 51, "email": "", "city": "ab", "country": "BIH", "phone": True}
    assert refused(body | {"metadata": []}) == [
        Detail("email", "is too short (minimum is 1 character)"),
        Detail("name", "is too long (maximum is 50 characters)"),
        Detail("phone", "must be a string"),
        Detail("city", "is too short (minimum is 3 characters)"),
        Detail("country", "must be two letters"),
        Detail("metadata", "must be an object"),
    ]


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({f"k{n}": 1 for n in range(51)}, "has too many keys (maximum is 50)"),
        ({"k" * 101: 1}, "has a key that is not 1 to 100 characters long"),
        ({"": 1}, "has a key that is not 1 to 100 characters long"),
        ({"k": "x" * 8192}, "is too large (maximum is 8192 bytes)"),
    ],
)
def test_m8_metadata_beyond_its_limits_is_refused(metadata: dict[str, Any], message: str) -> None:
    assert refused({"metadata": metadata}) == [Detail("metadata", message)]


def test_card_number_in_a_card_field_is_refused_before_any_other_error() -> None:
    (detail,) = refused({"name": "", "metadata": {"cardNumber": "4242 4242 4242 4242"}})
    assert detail.field == "metadata.cardNumber"


def test_m11_change_is_merged_with_the_stored_customer_and_null_removes() -> None:
    body = {"city": "Mostar", "address": None, "metadata": {"a": {"x": 1}, "b": None}}
    change = bodies.read_customer_change(sent(body))
    existing = stored(
        address={"city": "Sarajevo", "address1": "Titova 1", "zip": "71000"},
        metadata={"a": {"y": 2}, "b": 1, "c": None},
    )
    assert change(existing) == {
        "address": {"city": "Mostar", "zip": "71000"},
        "metadata": {"a": {"x": 1}, "c": None},
    }
    assert bodies.read_customer_change(sent({"metadata": None}))(existing) == {"metadata": {}}
    assert bodies.read_customer_change(sent({"name": None}))(existing) == {"name": None}


def test_m8_size_of_merged_metadata_is_limited() -> None:
    change = bodies.read_customer_change(sent({"metadata": {"b": "x" * 5000}}))
    assert change(stored())["metadata"] == {"b": "x" * 5000}
    with pytest.raises(InvalidRequest) as error:
        change(stored(metadata={"a": "x" * 5000}))
    assert error.value.details == [Detail("metadata", "is too large (maximum is 8192 bytes)")]


def test_read_customer_change_reports_an_invalid_field_only_when_it_is_applied() -> None:
    """An unknown customer is reported before an invalid field, but malformed JSON before both."""
    change = bodies.read_customer_change(sent({"name": ""}))
    with pytest.raises(InvalidRequest):
        change(stored())
    with pytest.raises(InvalidRequest):
        bodies.read_customer_change(sent(b"[]"))


@pytest.mark.usefixtures("tables")
def test_issue_token_returns_a_token_for_the_pair_of_a_merchant() -> None:
    put_credential("merchant", "token-1", "key-1")
    body = {"client_id": "token-1", "client_secret": "key-1", "grant_type": "client_credentials"}
    token = bodies.issue_token(sent(body))
    assert token.token
    assert token.life_s == 900
    with pytest.raises(NotAuthenticated):
        bodies.issue_token(sent(body | {"client_secret": "another"}))


def test_issue_token_reports_every_invalid_field() -> None:
    with pytest.raises(InvalidRequest) as error:
        bodies.issue_token(sent({"client_id": 5, "scopes": [1]}))
    assert error.value.details == [
        Detail("client_id", "must be a string"),
        Detail("client_secret", "is required"),
        Detail("grant_type", "must be client_credentials"),
        Detail("scopes", "must be an array of strings"),
    ]
