"""Strict JSON of request bodies. Source: docs/api/native.md, section 1 (B3)."""

import json
from contextlib import suppress
from typing import Any, Literal

import pytest
from hypothesis import given, strategies as st

from bridge.errors import InvalidRequest
from bridge.strict_json import read_json

KEPT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(10**18) + 1, 10**18 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | KEPT
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEPT, inner, max_size=3)
)
OBJECTS = st.dictionaries(KEPT, VALUES, max_size=5)


def assert_invalid(body: bytes) -> str:
    with pytest.raises(InvalidRequest) as refused:
        read_json(body)
    assert (refused.value.status, refused.value.code) == (400, "invalid_json")
    return str(refused.value)


def nested(depth: int, kind: Literal["list", "object"]) -> bytes:
    """An object with so many levels of nesting, itself included."""
    if kind == "list":
        return b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"
    return b'{"a":' * depth + b"1" + b"}" * depth


@given(OBJECTS, st.booleans())
def test_b3_read_json_returns_any_valid_object(value: dict[str, Any], escape: bool) -> None:
    assert read_json(json.dumps(value, ensure_ascii=escape).encode()) == value


@given(OBJECTS, st.data())
def test_b3_truncated_object_is_refused(value: dict[str, Any], data: st.DataObject) -> None:
    whole = json.dumps(value, ensure_ascii=False).encode()
    assert_invalid(whole[: data.draw(st.integers(0, len(whole) - 1))])


@given(st.binary(max_size=60))
def test_b3_any_bytes_are_an_object_or_a_400(body: bytes) -> None:
    with suppress(InvalidRequest):
        assert isinstance(read_json(body), dict)


@pytest.mark.parametrize("kind", ["list", "object"])
def test_b3_nesting_may_be_32_deep(kind: Literal["list", "object"]) -> None:
    read_json(nested(32, kind))
    assert "nested deeper than 32" in assert_invalid(nested(33, kind))
    assert_invalid(nested(100_000, kind))


@pytest.mark.parametrize("sign", ["", "-"])
def test_b3_integer_may_have_18_digits(sign: str) -> None:
    most = sign + "9" * 18
    assert read_json(f'{{"a":{most}}}'.encode()) == {"a": int(most)}
    assert "18 digits" in assert_invalid(f'{{"a":{most}0}}'.encode())
    assert_invalid(f'{{"a":{sign}{"9" * 5000}}}'.encode())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"[]",
        b"1",
        b'"text"',
        b"null",
        b"true",
        b"{} {}",
        b"{'a':1}",
        b'{"a":1,}',
        b'{"a":01}',
        b'{"a":"\n"}',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":"\xff"}',
        b'{"a":"\xed\xa0\x80"}',
        '{"a":1}'.encode("utf-16"),
    ],
)
def test_b3_body_that_is_not_a_json_object_in_utf8_is_refused(body: bytes) -> None:
    assert_invalid(body)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400"])
def test_b3_number_that_is_not_finite_is_refused(number: str) -> None:
    assert_invalid(f'{{"a":[{number}]}}'.encode())


@pytest.mark.parametrize(
    "body", ['{"a":1,"a":1}', '{"b":[{"a":1,"\\u0061":2}]}', '{"":1,"":2}', '{"a":null,"a":1}']
)
def test_b3_duplicate_key_is_refused(body: str) -> None:
    assert "names a key twice" in assert_invalid(body.encode())


@pytest.mark.parametrize("text", ["\\ud800", "\\udc00", "\\udc00\\ud800", "a\\ud83dz"])
def test_b3_lone_surrogate_is_refused_everywhere(text: str) -> None:
    for body in (f'{{"a":"{text}"}}', f'{{"{text}":1}}', f'{{"a":[{{"b":["{text}"]}}]}}'):
        assert_invalid(body.encode())
    assert read_json(b'{"a":"\\ud83d\\ude00"}') == {"a": "\U0001f600"}
