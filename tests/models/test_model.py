"""The base of all models: their texts, their values, how they are read.

Source: docs/data-model.md, section 2.
"""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any

import msgspec
import pytest

from bridge.models.field_rules import FieldRule
from bridge.models.model import (
    PRIVATE,
    Model,
    Time,
    checked,
    default_of,
    json_of,
    json_values_of,
    present_values_of,
    values_of,
)

AT = datetime(2026, 1, 15, 10, 30, 0, 250_000, tzinfo=UTC)
PERSONAL = FieldRule(set_by="client", seen_by="caller", is_personal=True)
SECRET = FieldRule(set_by="client", seen_by="owner", is_secret=True)
SEEN = FieldRule(set_by="bridge", seen_by="caller")


class Part(Model, frozen=True, kw_only=True):
    number: int
    at: Time | None = None


class Record(Model, frozen=True, kw_only=True):
    id: Annotated[str, SEEN]
    plain: str = "plain text"
    private: Annotated[str | None, PRIVATE] = None
    personal: Annotated[str | None, PERSONAL] = None
    secret: Annotated[str | None, SECRET] = None
    tags: Annotated[dict[str, Any], SEEN] = {}
    parts: list[Part] = []
    at: Annotated[Time, SEEN]


def record(**more: Any) -> Record:
    known = {"id": "rec_1", "at": AT, "private": "a diary", "personal": "a name", "secret": "a key"}
    return msgspec.convert(known | more, Record)


def test_repr_leaves_out_private_personal_and_secret_fields() -> None:
    text = repr(record(parts=[Part(number=1)]))
    assert text == (
        f"Record(id='rec_1', plain='plain text', tags={{}}, "
        f"parts=[Part(number=1, at=None)], at={AT!r})"
    )
    assert str(record()) == repr(record())


def test_repr_of_a_model_inside_another_leaves_out_its_private_fields() -> None:
    class Outer(Model, frozen=True, kw_only=True):
        inner: Record

    assert "a diary" not in repr(Outer(inner=record()))
    assert "a diary" not in f"{[record()]} {record()!s}"


def test_values_of_leaves_out_secrets_and_omitted_fields_and_keeps_times() -> None:
    values = values_of(record(parts=[Part(number=1, at=AT)]), "plain", "tags")
    assert values == {
        "id": "rec_1",
        "private": "a diary",
        "personal": "a name",
        "parts": [{"number": 1, "at": AT}],
        "at": AT,
    }


def test_present_values_of_leaves_out_what_is_none_and_secret_but_not_what_is_empty() -> None:
    made = record(private=None, personal="", parts=[Part(number=0)])
    assert present_values_of(made, "at") == {
        "id": "rec_1",
        "plain": "plain text",
        "personal": "",
        "tags": {},
        "parts": [{"number": 0, "at": None}],
    }


def test_json_values_of_has_times_as_texts() -> None:
    values = json_values_of(record(parts=[Part(number=1, at=AT)]), "private", "personal")
    text = "2026-01-15T10:30:00.250000Z"
    assert values == {
        "id": "rec_1",
        "plain": "plain text",
        "tags": {},
        "parts": [{"number": 1, "at": text}],
        "at": text,
    }


def test_json_of_is_compact_without_secrets_and_is_read_back() -> None:
    made = record(tags={"z": None, "é": [1.5, True]}, parts=[Part(number=1)])
    text = json_of(made)
    assert "a key" not in text
    assert "secret" not in json.loads(text)
    assert '"tags":{"z":null,"é":[1.5,true]}' in text
    read = msgspec.json.decode(text, type=Record)
    assert read == msgspec.structs.replace(made, secret=None)
    assert type(read.tags["é"][1]) is bool


def test_json_of_keeps_the_moment_of_a_time_in_another_zone() -> None:
    west = AT.astimezone(timezone(timedelta(hours=-8)))
    read = msgspec.json.decode(json_of(record(at=west)), type=Record)
    assert read.at == AT


def test_default_of_returns_the_value_of_a_field_that_was_not_given() -> None:
    assert default_of(Record, "plain") == "plain text"
    assert default_of(Record, "private") is None
    assert default_of(Record, "tags") == {}
    assert default_of(Record, "parts") == []


@pytest.mark.parametrize("name", ["id", "at", "unknown"])
def test_default_of_a_field_without_default_raises_type_error(name: str) -> None:
    with pytest.raises(TypeError, match=rf"Record\.{name} has no default"):
        default_of(Record, name)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"id": 1, "at": AT},
        {"id": None, "at": AT},
        {"id": "rec_1", "at": AT.replace(tzinfo=None)},
        {"id": "rec_1", "at": "2026-01-15T10:30:00"},
        {"id": "rec_1", "at": AT, "parts": [{"number": "1"}]},
        {"id": "rec_1", "at": AT, "parts": [{"number": 1, "at": AT.replace(tzinfo=None)}]},
    ],
)
def test_convert_refuses_a_missing_field_a_wrong_type_and_a_time_without_zone(
    values: dict[str, Any],
) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(values, Record)


def test_checked_returns_an_equal_model_with_its_secrets() -> None:
    made = record(parts=[Part(number=1, at=AT)])
    assert checked(made) == made
    assert checked(made).secret == "a key"


@pytest.mark.parametrize(
    "change", [{"id": None}, {"plain": 5}, {"parts": [1]}, {"at": AT.replace(tzinfo=None)}]
)
def test_checked_refuses_a_wrong_type_that_the_constructor_accepted(change: dict[str, Any]) -> None:
    made = msgspec.structs.replace(record(), **change)
    with pytest.raises(ValueError, match="Expected"):
        checked(made)


def test_convert_ignores_unknown_names() -> None:
    """An older release reads what a newer one has stored."""
    given = {"id": "rec_1", "at": "2026-01-15T10:30:00.25Z", "of_a_newer_release": [1]}
    assert msgspec.convert(given, Record) == Record(id="rec_1", at=AT)


def test_a_model_cannot_be_changed_and_needs_names() -> None:
    with pytest.raises(AttributeError):
        record().plain = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        Part(1)  # type: ignore[call-arg]


def test_mutable_defaults_are_not_shared() -> None:
    first, second = Record(id="rec_1", at=AT), Record(id="rec_2", at=AT)
    first.tags["a"] = 1
    assert second.tags == {}
