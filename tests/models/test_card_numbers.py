"""Card numbers are found wherever they may not be. Source: contracts/bridge.md section 5."""

from typing import Any

import pytest

from bridge.errors import InvalidRequest
from bridge.models import card_numbers

VISA = "4242424242424242"
CARDS = [
    VISA,
    "4242 4242 4242 4242",
    "4242-4242-4242-4242",
    "4242.4242.4242.4242",
    "my card is 4242 4242 4242 4242, thanks",
    "４２４２４２４２４２４２４２４２",
    "4222222222222",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "30569309025904",
    "6011111111111117",
    "3566002020360505",
    "6200000000000005",
    "6759649826438453",
    int(VISA),
]
NO_CARDS = [
    "4242424242424241",  # no valid sum
    "1234567812345670",  # a valid sum, and nobody issues it
    "424242424242",
    "42424242424242424242",
    f"x{VISA}1",
    "+49 30 901820177",
    "pm_1PXyzABC4242",
    "01m7zm7d50egdrc41xmzp0jrnv",
    "",
    True,
    None,
    4.2,
]


@pytest.mark.parametrize("value", CARDS)
def test_a_card_number_is_found_with_its_separators_and_in_a_text(value: object) -> None:
    assert card_numbers.in_any_field({"alias": value}) == ["alias"]
    for name in ("number", "card_number", "cardNumber", "Card-Number", "PAN", "cvc", "cvv"):
        assert card_numbers.in_named_fields({name: value}) == [name]
    assert card_numbers.in_named_fields({"alias": value}) == []


@pytest.mark.parametrize("value", NO_CARDS)
def test_what_is_no_card_number_passes(value: object) -> None:
    assert card_numbers.in_any_field({"alias": value, "number": value}) == []


PLACES: list[tuple[dict[str, Any], list[str]]] = [
    ({"metadata": {"a": VISA, "b": 1}}, ["metadata.a"]),
    ({"unknown": [{"x": [1, VISA]}]}, ["unknown.0.x.1"]),
    ({"a": VISA, "b": VISA}, ["a", "b"]),
    ({"metadata": {VISA: "x"}}, ["metadata"]),
    ({"metadata": {VISA: VISA}}, ["metadata"]),
    ({VISA: {"a": 1}}, [""]),
]


@pytest.mark.parametrize(("body", "paths"), PLACES)
def test_it_is_found_at_any_depth_and_its_path_does_not_tell_it(
    body: dict[str, Any], paths: list[str]
) -> None:
    assert card_numbers.in_any_field(body) == paths


def test_a_field_that_is_named_like_one_is_found_at_any_depth() -> None:
    body = {"metadata": {"card_number": VISA, "note": VISA}, "card": {"number": [VISA]}}
    assert card_numbers.in_named_fields(body) == ["metadata.card_number", "card.number.0"]


def test_a_refusal_names_the_fields_alone_also_where_the_body_itself_bears_it() -> None:
    with pytest.raises(InvalidRequest) as refused:
        card_numbers.refuse(card_numbers.in_any_field({VISA: {"a": 1}, "b": VISA}))
    assert [each.field for each in refused.value.details] == ["body", "b"]
    assert VISA not in f"{refused.value} {refused.value.details}"
    card_numbers.refuse([])
