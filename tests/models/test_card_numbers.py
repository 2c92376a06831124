"""Card numbers in request bodies are found. Source: docs/api/native.md, section 5."""

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
    "4242424242424241",  # wrong Luhn sum
    "1234567812345670",  # right sum, but no issuer has this prefix
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
def test_a_card_number_is_found_with_separators_and_inside_a_text(value: object) -> None:
    assert card_numbers.in_any_field({"alias": value}) == ["alias"]
    for name in ("number", "card_number", "cardNumber", "Card-Number", "PAN", "cvc", "cvv"):
        assert card_numbers.in_card_fields({name: value}) == [name]
    assert card_numbers.in_card_fields({"alias": value}) == []


@pytest.mark.parametrize("value", NO_CARDS)
def test_other_numbers_and_texts_are_not_found(value: object) -> None:
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
def test_a_card_number_is_found_at_any_depth_and_is_not_in_the_path(
    body: dict[str, Any], paths: list[str]
) -> None:
    assert card_numbers.in_any_field(body) == paths


def test_in_card_fields_finds_card_fields_at_any_depth() -> None:
    body = {"metadata": {"card_number": VISA, "note": VISA}, "card": {"number": [VISA]}}
    assert card_numbers.in_card_fields(body) == ["metadata.card_number", "card.number.0"]


def test_refuse_names_the_fields_without_their_values() -> None:
    with pytest.raises(InvalidRequest) as refused:
        card_numbers.refuse(card_numbers.in_any_field({VISA: {"a": 1}, "b": VISA}))
    assert [each.field for each in refused.value.details] == ["body", "b"]
    assert VISA not in f"{refused.value} {refused.value.details}"
    card_numbers.refuse([])
