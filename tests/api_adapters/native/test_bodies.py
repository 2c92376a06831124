"""What the bodies of the native API share. Source: docs/api/native.md, sections 1 and 5."""

from collections.abc import Callable
from typing import Any

import pytest

from bridge import ssm
from bridge.api_adapters.native import bodies
from bridge.bodies.customer import CustomerChange, NewCustomer
from bridge.errors import AuthUnavailable, InvalidRequest, NotAuthenticated
from bridge.inbound import Request
from bridge.models.caller import Caller
from tests.api_adapters.conftest import request_of

VISA = "4242 4242 4242 4242"
OWNER = Caller(user_id="user_1")
GUEST = {"guest_data": {"email": "a@example.com", "name": "A"}}


def sent(body: object, **more: Any) -> Request:
    return request_of(method="POST", body=body, **more)


def refused(read: Callable[..., object], body: object) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as error:
        read(sent(body), NewCustomer)
    assert "4242" not in f"{error.value} {error.value.details}"
    return error.value


@pytest.mark.parametrize("read", [bodies.required, bodies.optional, bodies.without_cards])
def test_card_number_in_a_card_field_is_refused_before_any_other_error(
    read: Callable[..., object],
) -> None:
    error = refused(read, {"email": "nobody", "card_number": VISA, "unknown": {"cvc": VISA}})
    assert [each.field for each in error.details] == ["card_number", "unknown.cvc"]
    assert str(error).startswith("card numbers are not taken")


def test_card_number_in_another_field_is_refused_by_without_cards_only() -> None:
    body = {"provider_id": "stripe", "name": VISA}
    for read in (bodies.required, bodies.optional):
        assert read(sent(body), NewCustomer).name == VISA
    assert [each.field for each in refused(bodies.without_cards, body).details] == ["name"]


@pytest.mark.parametrize("read", [bodies.required, bodies.optional, bodies.without_cards])
def test_body_is_validated_as_the_model(read: Callable[..., object]) -> None:
    assert [each.field for each in refused(read, {"name": 7}).details] == ["provider_id", "name"]
    with pytest.raises(InvalidRequest) as malformed:
        read(sent(b"[]"), NewCustomer)
    assert malformed.value.code == "invalid_json"


@pytest.mark.parametrize("body", [b"", b" \n"])
def test_empty_body_is_accepted_by_optional_only(body: bytes) -> None:
    assert bodies.optional(sent(body), CustomerChange) == CustomerChange()
    for read in (bodies.required, bodies.without_cards):
        with pytest.raises(InvalidRequest):
            read(sent(body), CustomerChange)


@pytest.mark.parametrize("body", [b"", {}, {"guest_data": None}, {"name": 7}])
def test_b8_caller_without_user_and_guest_data_is_refused_before_the_validation(
    body: object,
) -> None:
    for caller in (Caller(), Caller(guest_of="pay_1")):
        with pytest.raises(NotAuthenticated):
            bodies.check_guest(sent(body, caller=caller))
    bodies.check_guest(sent(body, caller=OWNER))


def test_b8_check_guest_of_a_malformed_body_is_a_400() -> None:
    with pytest.raises(InvalidRequest):
        bodies.check_guest(sent(b"{"))


@pytest.mark.usefixtures("tables")
def test_b8_guest_is_refused_if_no_token_can_be_signed(
    put_secret: Callable[[str, str], None],
) -> None:
    bodies.check_guest(sent(GUEST))
    put_secret("TOKEN_KEYS", "-")
    ssm.forget_secrets()
    with pytest.raises(AuthUnavailable):
        bodies.check_guest(sent(GUEST))
    bodies.check_guest(sent(GUEST, caller=OWNER))
