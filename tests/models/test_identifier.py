"""Ids (B1)."""

import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st
from typeid import TypeID
from uuid_utils import UUID

from bridge.models import identifier

MOMENTS = st.datetimes(
    min_value=datetime(2020, 1, 1),  # noqa: DTZ001 - Hypothesis adds the zone
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@given(MOMENTS, st.sampled_from(["cust", "pay", "pm", "re", "addr"]))
def test_b1_an_id_is_a_type_id_with_its_time(at: datetime, prefix: str) -> None:
    made = identifier.new_id(prefix, at)
    assert re.fullmatch(prefix + "_[0-7][0-9a-hjkmnp-tv-z]{25}", made)
    assert identifier.is_well_formed(made)
    value = uuid.UUID(str(TypeID.from_string(made).uuid))
    assert value.version == 7
    assert value.int >> 80 == int(at.timestamp() * 1000)


@given(st.lists(MOMENTS, min_size=2, max_size=20))
def test_b1_ids_sort_by_time_of_creation(moments: list[datetime]) -> None:
    moments = sorted({at.replace(microsecond=at.microsecond // 1000 * 1000) for at in moments})
    made = [identifier.new_id("pay", at) for at in moments]
    assert sorted(made) == made


def test_b1_ids_of_the_same_time_differ() -> None:
    at = datetime(2025, 1, 15, tzinfo=UTC)
    assert len({identifier.new_id("pay", at) for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    ("given_id", "suffix"),
    [("cust_123", "123"), ("pay_a_b", "a_b"), ("plain", "plain"), ("pay_", ""), ("_x", "x")],
)
def test_suffix_returns_the_part_behind_the_prefix(given_id: str, suffix: str) -> None:
    assert identifier.suffix(given_id) == suffix


@pytest.mark.parametrize(
    ("given_id", "well_formed"),
    [
        ("cust_123", True),
        ("pi_3MtwBw-LkdIwHu", True),
        ("x" * 128, True),
        ("x" * 129, False),
        ("", False),
        ("pay 1", False),
        ("pay_1\n", False),
        ("pay#1", False),
        ("päy_1", False),
        ("pay_\ud800", False),
    ],
)
def test_b1_is_well_formed_accepts_1_to_128_allowed_characters(
    given_id: str, *, well_formed: bool
) -> None:
    assert identifier.is_well_formed(given_id) == well_formed


@given(st.uuids())
def test_from_uuid_and_uuid_of_are_inverse(value: uuid.UUID) -> None:
    made = identifier.from_uuid("cust", str(value).upper())
    assert made == str(TypeID.from_uuid(UUID(str(value)), "cust"))
    assert identifier.uuid_of(identifier.suffix(made)) == str(value)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "crm-1",
            "019b76daa8007b7a8c215e0f7ad94b10",
            "{019b76da-a800-7b7a-8c21-5e0f7ad94b10}",
        ),
        *("019b76da-a800-7b7a-8c21-5e0f7ad94b1", "019b76da-a800-7b7a-8c21-5e0f7ad94b100"),
        *("019b76da-a800-7b7a-8c21-5e0f7ad94b1g", "019b76da-a800-7b7a-8c21-5e0f7ad94b1١"),
        "019b76da-a800-7b7a-8c21-5e0f7ad94b10\n",
    ],
)
def test_from_uuid_returns_none_for_other_forms(text: str) -> None:
    assert identifier.from_uuid("cust", text) is None


@given(MOMENTS)
def test_lowest_sorts_before_ids_of_its_time_and_after_older_ones(at: datetime) -> None:
    low = identifier.lowest(at)
    assert low <= identifier.suffix(identifier.new_id("pay", at))
    assert low > identifier.suffix(identifier.new_id("pay", at - timedelta(milliseconds=1)))
