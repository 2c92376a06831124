"""The types of fields in request bodies, with their limits.

Source: docs/api/native.md, section 1 (B4).
"""

import unicodedata
from typing import Any

import pytest
from hypothesis import given, strategies as st
from pydantic import TypeAdapter, ValidationError

from bridge.bodies import fields
from bridge.models.text import metadata_bytes

LIMITS: list[tuple[Any, int]] = [
    (fields.Name, 200),
    (fields.RequiredName, 200),
    (fields.Reference, 200),
    (fields.Short, 100),
    (fields.Tags, 500),
    (fields.Description, 1000),
]
CONTROLS = [chr(code) for code in (*range(32), *range(127, 160))]
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60)


def checked(kind: Any, value: object) -> Any:
    return TypeAdapter(kind).validate_python(value, strict=True)


def metadata_errors(value: dict[str, object]) -> dict[str, str]:
    """The errors of a metadata object, by key; "" is the object itself."""
    with pytest.raises(ValidationError) as refused:
        checked(fields.CheckedMetadata, value)
    cause = refused.value.errors()[0]["ctx"]["error"]
    assert isinstance(cause, fields.ValidationErrors)
    return dict(cause.errors)


@pytest.mark.parametrize(("kind", "limit"), LIMITS)
def test_b4_a_text_is_limited_in_characters_after_trimming(kind: Any, limit: int) -> None:
    assert checked(kind, "  " + "é" * limit + " ") == "é" * limit
    with pytest.raises(ValidationError, match=f"at most {limit} characters"):
        checked(kind, "é" * (limit + 1))


@pytest.mark.parametrize("kind", [kind for kind, _ in LIMITS])
@given(WORDS)
def test_b4_a_text_is_trimmed_and_not_changed_otherwise(kind: Any, inner: str) -> None:
    kept = f"a{inner}b"
    assert checked(kind, f" \t{kept}\n ") == kept


@pytest.mark.parametrize("control", CONTROLS)
def test_b4_control_characters_are_refused_except_new_line_and_tab_in_descriptions(
    control: str,
) -> None:
    assert unicodedata.category(control) == "Cc"
    for kind, _ in LIMITS:
        if kind is fields.Description and control in "\n\t":
            assert checked(kind, f"a{control}b") == f"a{control}b"
            continue
        with pytest.raises(ValidationError, match="control characters"):
            checked(kind, f"a{control}b")


@pytest.mark.parametrize("kind", [fields.RequiredName, fields.Reference])
@pytest.mark.parametrize("value", ["", "  ", "\n"])
def test_b4_a_required_text_must_not_be_empty(kind: Any, value: str) -> None:
    with pytest.raises(ValidationError, match="must not be empty"):
        checked(kind, value)


@pytest.mark.parametrize(
    ("given_email", "kept"),
    [
        (" jane.doe@example.com ", "jane.doe@example.com"),
        ("Jane@EXAMPLE.com", "Jane@example.com"),
        ("qa@shop.test", "qa@shop.test"),
        ("a+b@example.com", "a+b@example.com"),
        ("josé@example.com", "josé@example.com"),
    ],
)
def test_b4_an_email_address_with_valid_syntax_is_accepted(given_email: str, kept: str) -> None:
    assert checked(fields.Email, given_email) == kept


@pytest.mark.parametrize(
    "value",
    [
        "",
        "jane",
        "jane@",
        "@example.com",
        "a b@example.com",
        "[email protected]",
        "[email\u00a0protected]",
        "[email…protected]",
        "Jane <jane@example.com>",
        "jane@example.com\x00",
        "a@b@example.com",
        "a@" + "b" * 60 + ("." + "c" * 60) * 4 + ".com",
    ],
)
def test_b4_another_email_address_is_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        checked(fields.Email, value)


@pytest.mark.parametrize("value", ["+1234567890", "(555) 123-4567", " 112 ", "1" * 30, "1.2.3"])
def test_b4_a_phone_number_is_stored_as_written(value: str) -> None:
    assert checked(fields.Phone, value) == value.strip()


@pytest.mark.parametrize("value", ["", "12", "1" * 31, "555-CALL", "12\n34", "١٢٣٤"])
def test_b4_another_phone_number_is_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        checked(fields.Phone, value)


@pytest.mark.parametrize(
    "value",
    ["https://example.com", "http://localhost:3000/a?b=c#d", "https://[::1]/", " https://a "],
)
def test_b19_an_http_url_is_accepted(value: str) -> None:
    assert checked(fields.Url, value) == value.strip()


@pytest.mark.parametrize(
    "value",
    [
        "",
        "example.com",
        "//example.com",
        "ftp://example.com",
        "javascript:alert(1)",
        "https://",
        "https://a b",
        "https://a\\b",
        "https://user@example.com",
        "https://example.com:port",
        "https://[::1",
        "https://example.com/\n#a",
        "https://exa\tmple.com",
        "https://example.com/" + "a" * 2000,
    ],
)
def test_b19_another_url_is_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        checked(fields.Url, value)


VALUES = (
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40).map(str.strip)
    | st.booleans()
    | st.integers(-(10**18) + 1, 10**18 - 1)
    | st.floats(-1e99, 1e99, allow_subnormal=False).filter(lambda f: not f or abs(f) > 1e-100)
)


@given(st.dictionaries(st.text("abc_é", min_size=1, max_size=40), VALUES, max_size=20))
def test_b4_metadata_is_stored_as_sent(value: dict[str, object]) -> None:
    kept = checked(fields.CheckedMetadata, value)
    assert kept == value
    assert [type(each) for each in kept.values()] == [type(each) for each in value.values()]


def test_b4_metadata_at_its_limits_is_accepted() -> None:
    assert len(checked(fields.CheckedMetadata, {f"k{n}": n for n in range(50)})) == 50
    kept = checked(
        fields.CheckedMetadata, {"k" * 40: "v" * 500 + " ", "none": None, "l": " a\n\tb"}
    )
    assert kept == {"k" * 40: "v" * 500, "l": "a\n\tb"}
    fits = {f"k{n:02}": "v" * 482 for n in range(16)} | {"k": "v" * 290}
    fits["k"] = fits["k"][: len(fits["k"]) + 8192 - metadata_bytes(dict(fits))]
    assert checked(fields.CheckedMetadata, fits)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"k" * 41: "v"}, "a key must have 1 to 40 characters"),
        ({"": "v"}, "a key must have 1 to 40 characters"),
        ({"a\nb": "v"}, "a key must have 1 to 40 characters"),
        ({"k": "v" * 501}, "must have at most 500 characters"),
        ({"k": "a\x00b"}, "must not hold control characters"),
        ({"k": {"nested": 1}}, "nested values are not kept"),
        ({"k": [1]}, "nested values are not kept"),
        ({"k": 1e101}, "is a number out of range"),
        ({"k": -1e-101}, "is a number out of range"),
    ],
)
def test_b4_an_error_in_metadata_has_its_key(value: dict[str, object], message: str) -> None:
    found = metadata_errors(value | {"fine": "yes"})
    assert found.keys() == value.keys()
    assert all(message in each for each in found.values())


def test_b4_all_errors_in_metadata_are_reported() -> None:
    value: dict[str, object] = {f"k{n}": [] for n in range(51)}
    assert metadata_errors(value).keys() == value.keys() | {""}
    assert "at most 8192 bytes" in metadata_errors({f"k{n}": "é" * 400 for n in range(11)})[""]


@pytest.mark.parametrize("value", [[], "text", 5, True])
def test_b4_metadata_must_be_an_object(value: object) -> None:
    with pytest.raises(ValidationError, match="must be an object"):
        checked(fields.CheckedMetadata, value)


CODE: TypeAdapter[str] = TypeAdapter(fields.Currency)


@pytest.mark.parametrize("given", ["usd", "USD", "uSd"])
def test_b14_a_currency_in_any_case_is_stored_in_upper_case(given: str) -> None:
    assert CODE.validate_python(given) == "USD"


@pytest.mark.parametrize("given", ["", "US", "USDT", " USD", "XAU", "XXX", "XTS", "ﬁx", "ı", 840])
def test_b14_other_texts_and_codes_without_a_minor_unit_are_refused(given: object) -> None:
    with pytest.raises(ValidationError):
        CODE.validate_python(given)


@pytest.mark.parametrize("kind", [fields.Cents, fields.PositiveCents])
def test_b14_cents_are_an_integer_of_at_most_12_digits(kind: Any) -> None:
    assert checked(kind, 999_999_999_999) == 999_999_999_999
    for wrong in (-1, 1_000_000_000_000, 1.0, "1", True):
        with pytest.raises(ValidationError):
            checked(kind, wrong)


def test_b14_positive_cents_are_not_zero() -> None:
    assert checked(fields.Cents, 0) == 0
    with pytest.raises(ValidationError):
        checked(fields.PositiveCents, 0)
