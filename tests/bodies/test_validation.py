"""The validation of request bodies. Source: docs/api/native.md, section 1 (B2, B3, B5)."""

import pytest
from pydantic import BaseModel

from bridge.bodies.fields import CheckedMetadata, RequiredName
from bridge.bodies.validation import parse, parse_optional, validated
from bridge.errors import Detail, InvalidRequest
from bridge.inbound import Request
from tests.api_adapters.conftest import request_of


class Labeled(BaseModel, strict=True):
    name: RequiredName
    metadata: CheckedMetadata = {}


class Inner(BaseModel, strict=True):
    cents: int


class Shape(BaseModel, strict=True):
    name: str = "unset"
    inner: Inner | None = None


def request_with(body: str) -> Request:
    return request_of(method="POST", body=body.encode())


def test_b5_validated_reports_every_error_with_its_path() -> None:
    assert validated(Labeled, {"name": " A "}).name == "A"
    with pytest.raises(InvalidRequest) as refused:
        validated(Labeled, {"name": 5, "metadata": {"a": 1, "b": [], "c": {"d": 1}}})
    nested_value = "must be a string, a number or a boolean: nested values are not kept"
    assert refused.value.details == [
        Detail("name", "Input should be a valid string"),
        Detail("metadata.b", nested_value),
        Detail("metadata.c", nested_value),
    ]
    assert str(refused.value) == "not valid: name, metadata.b, metadata.c"


def test_b5_validated_reports_a_missing_field() -> None:
    with pytest.raises(InvalidRequest) as refused:
        validated(Labeled, {"metadata": []})
    assert refused.value.details == [
        Detail("name", "is required"),
        Detail("metadata", "must be an object"),
    ]


def test_b2_null_counts_as_not_given_and_unknown_fields_are_ignored() -> None:
    request = request_with('{"name":null,"inner":{"cents":5,"more":1},"else":[]}')
    shape = parse(request, Shape)
    assert shape == Shape(inner=Inner(cents=5))
    assert shape.model_fields_set == {"inner"}


def test_b5_invalid_fields_are_all_reported_without_values() -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse(request_with('{"name":4242424242424242,"inner":{"cents":"secret"}}'), Shape)
    assert [each.field for each in refused.value.details] == ["name", "inner.cents"]
    text = f"{refused.value} {refused.value.details}"
    assert "4242" not in text
    assert "secret" not in text
    with pytest.raises(InvalidRequest) as refused:
        parse(request_with('{"inner":{"cents":null}}'), Shape)
    assert refused.value.details == [Detail("inner.cents", "is required")]


@pytest.mark.parametrize("body", ["", "  \n", "{}"])
def test_b3_parse_optional_takes_an_empty_body_for_an_empty_object(body: str) -> None:
    assert parse_optional(request_with(body), Shape) == Shape()
