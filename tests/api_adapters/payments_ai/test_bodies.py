"""What the bodies of the payments.ai API share. Source: docs/api/payments-ai.md, section 1."""

from typing import Annotated

import pytest
from pydantic import BaseModel

from bridge.api_adapters.payments_ai.bodies import BODY, Object, text
from bridge.bodies.validation import validated
from bridge.errors import Detail, InvalidRequest


class Shape(BaseModel):
    model_config = BODY
    first_name: Annotated[str | None, text(5)] = None
    free_object: Object = None


def refused(values: dict[str, object]) -> list[Detail]:
    with pytest.raises(InvalidRequest) as error:
        validated(Shape, values)
    return error.value.details


@pytest.mark.parametrize("value", [None, "", " ", "💶" * 5, "a\nb"])
def test_text_up_to_its_length_in_characters_stays_as_it_is(value: str | None) -> None:
    assert validated(Shape, {"firstName": value}).first_name == value


def test_text_that_is_too_long_or_no_string_is_refused() -> None:
    assert refused({"firstName": "x" * 6}) == [Detail("firstName", "must be at most 5 characters")]
    others: tuple[object, ...] = (5, True, [], {})
    for other in others:
        assert refused({"firstName": other}) == [Detail("firstName", "must be a string")]


def test_object_is_a_json_object_or_null() -> None:
    for value in (None, {}, {"a": {"b": [1, None]}}):
        assert validated(Shape, {"freeObject": value}).free_object == value
    others: tuple[object, ...] = ([], "text", 5, False)
    for other in others:
        assert refused({"freeObject": other}) == [Detail("freeObject", "must be an object")]


def test_p2_unknown_fields_are_ignored_and_errors_do_not_repeat_values() -> None:
    assert validated(Shape, {"unknown": 1}).model_fields_set == set()
    details = refused({"firstName": "secret-text", "freeObject": "secret-text"})
    assert [detail.field for detail in details] == ["firstName", "freeObject"]
    assert "secret-text" not in str(details)
