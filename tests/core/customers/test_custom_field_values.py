"""Values of custom fields. Source: docs/api/payments-ai.md, section 4.3."""

from typing import Any

import pytest

from bridge.core.customers import custom_field_values
from bridge.models.custom_field import Constraints, FieldType, NewCustomField


def field(kind: FieldType, **constraints: Any) -> NewCustomField:
    limits = Constraints(**constraints) if constraints else None
    return NewCustomField(
        name="f", resource="customers", description="", type=kind, constraints=limits
    )


VALUES: list[tuple[FieldType, list[object], list[object]]] = [
    ("string", ["", "x" * 255, " "], [7, True, None, [], {}]),
    ("number", [0, -1.5, 1e300], ["1", True, None]),
    ("integer", [0, -(2**31), 2**31 - 1], [1.0, True, 2**31, -(2**31) - 1, "1"]),
    ("boolean", [True, False], [0, 1, "true"]),
    ("date", ["2024-02-29", "0001-01-01"], ["2023-02-29", "2024-2-9", "20240229", 7]),
    (
        "datetime",
        ["2024-02-29T23:59:59Z", "2024-01-01t00:00:00.5z", "2024-01-01T00:00:00+05:30"],
        ["2024-02-29", "2024-02-29T23:59:59", "2024-02-30T00:00:00Z", 7],
    ),
    (
        "monetary",
        [{"currency": "EUR", "amount": 1.5}],
        [{"currency": "eur", "amount": 1}, {"currency": "EUR", "amount": True}, {}, "EUR 1"],
    ),
    ("array", [[], ["a", "a"]], [["a", 1], "a", {}]),
]


@pytest.mark.parametrize(("kind", "good", "bad"), VALUES)
def test_error_of_checks_the_type(kind: FieldType, good: list[object], bad: list[object]) -> None:
    for value in good:
        assert custom_field_values.error_of(field(kind), value) is None, value
    for value in bad:
        assert custom_field_values.error_of(field(kind), value) == f"must be a {kind}", value


@pytest.mark.parametrize(
    ("definition", "value", "error"),
    [
        (field("string"), "x" * 256, "must be at most 255 characters"),
        (field("string", max_length=300), "x" * 300, None),
        (field("string", max_length=300), "x" * 301, "must be at most 300 characters"),
        (field("string", allowed_values=["a"]), "a", None),
        (field("string", allowed_values=["a"]), "A", "must be one of the allowed values"),
        (field("string", pattern="[A-Z]{2}|x"), "AB", None),
        (field("string", pattern="[A-Z]{2}|x"), "ABC", "must match the pattern"),
        (field("string", pattern="[A-Z]{2}|x"), "AB\n", "must match the pattern"),
        (field("array", allowed_values=["a", "b"]), ["b", "a"], None),
        (field("array", allowed_values=["a"]), ["a", "c"], "must hold allowed values only"),
        (field("array"), ["x"] * 1001, "must have at most 1000 values"),
        (field("array"), ["x" * 256], "values must be at most 255 characters"),
        (field("number", required=True), 1, None),
    ],
)
def test_error_of_checks_the_constraints(
    definition: NewCustomField, value: object, error: str | None
) -> None:
    assert custom_field_values.error_of(definition, value) == error


@pytest.mark.parametrize("pattern", ["", "a+", "[A-Z]{2}|x", "(?i)abc", "(a|a)*(a+)+b"])
def test_is_pattern_accepts_regular_expressions(pattern: str) -> None:
    assert custom_field_values.is_pattern(pattern)


@pytest.mark.parametrize("pattern", ["(", "a)|(?:b", "(a)\\1", "(a{999}){999}", "[z-a]"])
def test_is_pattern_refuses_what_is_not_one_or_is_too_large(pattern: str) -> None:
    assert not custom_field_values.is_pattern(pattern)
