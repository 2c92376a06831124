"""GET /customers. Source: docs/api/alternative.md, sections 5 and 6."""

import re
from base64 import b64encode, urlsafe_b64decode
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from functions.alternative.list_customers.handler import handler
from tests.functions.alternative.conftest import (
    CUSTOMER,
    PAGE,
    PAGE_CASES,
    assert_cursors,
    create,
    refusal,
)
from tests.functions.conftest import Api, Reply

Later = Callable[[float], None]
ByName = dict[str, dict[str, Any]]
LIST = "/customers"


def ask(merchant: Api, **query: object) -> Reply:
    return merchant.send("GET", LIST + "?" + "&".join(f"{n}={v}" for n, v in query.items()))


def page(merchant: Api, **query: object) -> dict[str, Any]:
    reply = ask(merchant, **query)
    assert reply.status == 200, reply.text
    assert reply.body.keys() == PAGE
    return dict(reply.body)


def names(found: dict[str, Any]) -> str:
    return "".join(each["name"] for each in found["data"])


@pytest.fixture
def five(merchant: Api) -> ByName:
    """Five customers: e d c b a, newest first."""
    return {name: create(merchant, name=name) for name in "abcde"}


@pytest.fixture
def cursors(five: ByName, merchant: Api) -> dict[str, str]:
    """The cursor of each of the five customers."""
    found = [page(merchant, limit=1, company_name=name) for name in five]
    assert all(each["start_cursor"] == each["end_cursor"] for each in found)
    return dict(zip(five, (each["start_cursor"] for each in found), strict=True))


def test_the_event_file_returns_200_with_a_page(
    demo_data: None, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "alternative/list_customers")
    assert reply.status == 200
    assert reply.body.keys() == PAGE
    assert [each["name"] for each in reply.body["data"]] == ["Harbor Dental LLC"]
    assert reply.body["data"][0].keys() == CUSTOMER
    assert reply.body["start_cursor"] == reply.body["end_cursor"]
    assert (reply.body["has_next_page"], reply.body["has_previous_page"]) == (False, False)


@pytest.mark.parametrize(("way", "at", "expected", "older", "newer"), PAGE_CASES)
def test_a_page_has_its_records_and_cursors(
    way: str,
    at: str,
    expected: str,
    older: bool,
    newer: bool,
    merchant: Api,
    cursors: dict[str, str],
) -> None:
    found = page(merchant, limit=2, **({way: cursors[at]} if way else {}))
    assert names(found) == expected
    assert_cursors(found, cursors, expected, older=older, newer=newer)


def test_an_empty_list_is_a_page_without_cursors(merchant: Api) -> None:
    expected = dict.fromkeys(PAGE) | {"data": []}
    assert page(merchant) == expected | {"has_next_page": False, "has_previous_page": False}


@pytest.mark.parametrize("way", ["", "after", "before"])
def test_a_filter_without_matches_returns_an_empty_page(
    way: str, merchant: Api, cursors: dict[str, str]
) -> None:
    found = page(merchant, company_name="x", **({way: cursors["c"]} if way else {}))
    assert found["data"] == []
    assert (found["has_next_page"], found["has_previous_page"]) == (False, False)
    assert found["start_cursor"] is found["end_cursor"] is None


def test_a_page_with_exactly_all_customers_is_the_last(merchant: Api) -> None:
    made = [create(merchant, name=name) for name in "de"]
    found = page(merchant, limit=2)
    assert found["data"] == made[::-1]
    assert (found["has_next_page"], found["has_previous_page"]) == (False, False)


def test_a_cursor_of_an_archived_customer_stays_valid(
    merchant: Api, five: ByName, cursors: dict[str, str]
) -> None:
    merchant.send("DELETE", f"{LIST}/{five['c']['id']}")
    assert names(page(merchant, after=cursors["c"])) == "ba"
    assert names(page(merchant, before=cursors["c"])) == "ed"
    assert page(merchant, after=cursors["a"])["has_previous_page"] is True


def test_pages_forwards_contain_each_customer_once_while_others_are_created(
    merchant: Api, five: ByName
) -> None:
    seen, found = "", page(merchant, limit=2)
    while True:
        seen += names(found)
        create(merchant, name="x")
        if not found["has_next_page"]:
            break
        found = page(merchant, limit=2, after=found["end_cursor"])
    assert seen == "edcba"


def test_pages_backwards_contain_each_customer_once(merchant: Api, cursors: dict[str, str]) -> None:
    seen, cursor = "", cursors["a"]
    while True:
        found = page(merchant, limit=1, before=cursor)
        seen += names(found)
        if not found["has_previous_page"]:
            break
        cursor = found["start_cursor"]
    assert seen == "bcde"


def test_a_cursor_of_another_merchant_or_list_returns_400(
    merchant: Api, rival: Api, five: ByName, cursors: dict[str, str]
) -> None:
    assert re.fullmatch("[A-Za-z0-9_-]+", cursors["c"])
    found = page(merchant, after=cursors["c"], limit=1, created_at_start="2020-01-01T00:00:00Z")
    assert names(found) == "b"
    bad = (400, "bad_request", {"after": ["is not a valid cursor"]})
    reply = ask(rival, after=cursors["c"])
    assert refusal(reply) == bad
    assert reply.body["message"] == "Invalid cursor"
    users = f"{LIST}/{five['c']['id']}/users"
    assert refusal(merchant.send("GET", f"{users}?after={cursors['c']}")) == bad
    create(merchant, users)
    of_user = merchant.send("GET", users).body["start_cursor"]
    assert refusal(ask(merchant, after=of_user)) == bad


def test_a_cursor_in_another_base64_form_is_accepted(
    merchant: Api, cursors: dict[str, str]
) -> None:
    """Both base64 alphabets, with and without padding, and a plus sign as it is in a URL."""
    raw = {name: urlsafe_b64decode(each) for name, each in cursors.items()}
    standard = {name: b64encode(each).decode() for name, each in raw.items()}
    for name, cursor in cursors.items():
        expected = page(merchant, after=cursor)
        for given in (
            quote(standard[name], safe=""),
            quote(standard[name], safe="+/"),
            quote(standard[name].replace("+", " "), safe=""),
            cursor + "%3D%3D",
            cursor + "==",
        ):
            assert page(merchant, after=given) == expected, given


@pytest.mark.parametrize(
    "cursor",
    [
        *("x", "%00", "%C3%A9", "!!!!", "a" * 48, "A" * 5000, "%25", "null", "="),
        *("Y3VzfDAxazlxM3Y3", "gaFpxBACEaXBVABEYbHG%2BX9LyLnH", "%ED%A0%80", "----", "%20"),
    ],
)
@pytest.mark.parametrize("way", ["after", "before"])
def test_a_malformed_cursor_returns_400(way: str, cursor: str, merchant: Api) -> None:
    reply = ask(merchant, **{way: cursor})
    assert refusal(reply) == (400, "bad_request", {way: ["is not a valid cursor"]})


def test_a_changed_cursor_returns_400(merchant: Api, cursors: dict[str, str]) -> None:
    good = cursors["c"]
    for at in range(len(good)):
        bad = good[:at] + ("A" if good[at] != "A" else "B") + good[at + 1 :]
        reply = ask(merchant, after=bad)
        if reply.status != 200:  # the changed cursor may be another valid position
            assert refusal(reply)[:2] == (400, "bad_request")
        else:
            assert at < 36
    assert ask(merchant, after=good[:-1]).status == 400


def test_after_and_before_together_return_400(merchant: Api, cursors: dict[str, str]) -> None:
    reply = ask(merchant, after=cursors["a"], before=cursors["e"])
    assert refusal(reply) == (
        400,
        "bad_request",
        {"before": ["must not be given together with after"]},
    )
    assert names(page(merchant, after="", before=cursors["e"])) == ""
    assert names(page(merchant, after=cursors["b"], before="")) == "a"


@pytest.mark.parametrize("limit", ["", "0", "000", "-1", "+1", "1.0", "1e1", "x", "٣", "%201"])
def test_an_invalid_limit_returns_400(limit: str, merchant: Api) -> None:
    status, code, errors = refusal(ask(merchant, limit=quote(limit, safe="%+")))
    assert (status, code, set(errors)) == (400, "bad_request", {"limit"})


def test_a6_a_limit_above_100_counts_as_100(merchant: Api) -> None:
    for number in range(101):
        create(merchant, name=str(number))
    for query in ({}, {"limit": 100}, {"limit": 101}, {"limit": "9" * 5000}, {"limit": "0100"}):
        found = page(merchant, **query)
        assert (len(found["data"]), found["has_next_page"]) == (100, True)
    assert len(page(merchant, limit="007")["data"]) == 7


def test_of_a_repeated_parameter_the_last_value_counts(merchant: Api, five: ByName) -> None:
    reply = merchant.send("GET", f"{LIST}?limit=x&limit=1&company_name=a&company_name=")
    assert [each["name"] for each in reply.body["data"]] == ["e"]
    assert merchant.send("GET", f"{LIST}?limit=1&limit=x").status == 400


def test_unknown_parameters_are_ignored_and_all_errors_are_reported(merchant: Api) -> None:
    assert ask(merchant, offset="x", page=0, cursor="y", **{"%ff": "%ff"}).status == 200
    status, _, errors = refusal(ask(merchant, limit=0, after="x", created_at_end="y"))
    assert (status, set(errors)) == (400, {"limit", "after", "created_at_end"})


@pytest.fixture
def hourly(merchant: Api, later: Later) -> list[dict[str, Any]]:
    """Three customers, created an hour apart, oldest first."""
    made = []
    for name in "abc":
        made.append(create(merchant, name=name))
        later(3600)
    return made


def test_a7_start_and_end_are_inclusive_in_whole_seconds(
    merchant: Api, hourly: list[dict[str, Any]]
) -> None:
    first, _, third = (each["created_at"] for each in hourly)
    assert names(page(merchant, created_at_start=first, created_at_end=third)) == "cba"
    assert names(page(merchant, created_at_start=third)) == "c"
    assert names(page(merchant, created_at_end=first)) == "a"
    assert names(page(merchant, created_at_start=first.replace("Z", ".000Z"))) == "cba"
    assert names(page(merchant, created_at_start=first.replace("Z", ".0000000001Z"))) == "cb"
    assert names(page(merchant, created_at_end=first.replace("Z", ".999Z"))) == "a"
    assert names(page(merchant, created_at_start=third, created_at_end=first)) == ""


def test_a7_a_time_zone_is_read_also_without_its_plus_sign(
    merchant: Api, hourly: list[dict[str, Any]]
) -> None:
    at = hourly[1]["created_at"].removesuffix("Z")
    for zone, expected in (("%2B00:00", "cb"), ("+00:00", "cb"), ("%2000:00", "cb")):
        assert names(page(merchant, created_at_start=at + zone)) == expected
    for zone, expected in (("%2B01:01", "cba"), ("%2B00:30", "cb"), ("-00:30", "c"), ("z", "cb")):
        assert names(page(merchant, created_at_start=at + zone)) == expected
    assert names(page(merchant, created_at_start=at.replace("T", "t") + "Z")) == "cb"


@pytest.mark.parametrize(
    "time",
    [
        *("2026-01-01", "2026-01-01T00:00:00", "2026-01-01T00:00Z", "2026-01-01 00:00:00Z"),
        *("2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-01-01T24:00:00Z", "0", "now"),
        *("2026-01-01T00:00:00%2B24:00", "2026-01-01T00:00:00%2B01:60", "1767225600", "%00"),
        *("2026-01-01T00:00:00.Z", "2026-01-01T00:00:61Z", "٢٠٢٦-01-01T00:00:00Z", "%20"),
        *("2026-01-01T00:00:00%2B0100", "2026-01-01T00:60:00Z", "2026-01-01T00:00:00%2B1:00"),
        *("2026-W01-1T00:00:00Z", "20260101T000000Z", "0000-01-01T00:00:00Z"),
    ],
)
@pytest.mark.parametrize("end", ["created_at_start", "created_at_end"])
def test_a7_another_form_of_time_returns_400(end: str, time: str, merchant: Api) -> None:
    status, code, errors = refusal(ask(merchant, **{end: quote(time, safe="%:+")}))
    assert (status, code, set(errors)) == (400, "bad_request", {end})


@pytest.mark.parametrize(
    ("time", "start", "end"),
    [
        *(("0001-01-01T00:00:00%2B23:59", "a", ""), ("1969-12-31T23:59:59.9Z", "a", "")),
        *(("9999-12-31T23:59:59.999999-23:59", "", "a"), ("2016-12-31T23:59:60Z", "a", "")),
        *(("", "a", "a"), ("9999-12-31T23:59:60Z", "", "a")),
    ],
)
def test_a7_times_far_in_the_past_or_future_are_accepted(
    time: str, start: str, end: str, merchant: Api
) -> None:
    create(merchant, name="a")
    assert names(page(merchant, created_at_start=time)) == start
    assert names(page(merchant, created_at_end=time)) == end


def test_filters_apply_before_the_limit_in_both_directions(merchant: Api, later: Later) -> None:
    made = []
    for number in range(8):
        made.append(create(merchant, name=f"{'even' if number % 2 == 0 else 'odd'} {number}"))
        later(1)
    first = page(merchant, limit=3, company_name="even")
    assert [each["name"] for each in first["data"]] == ["even 6", "even 4", "even 2"]
    assert (first["has_next_page"], first["has_previous_page"]) == (True, False)
    last = page(merchant, limit=3, company_name="even", after=first["end_cursor"])
    assert [each["name"] for each in last["data"]] == ["even 0"]
    assert (last["has_next_page"], last["has_previous_page"]) == (False, True)
    start, end = made[2]["created_at"], made[4]["created_at"]
    inside = {"created_at_start": start, "created_at_end": end}
    found = page(merchant, limit=3, before=last["end_cursor"], **inside)
    assert [each["name"] for each in found["data"]] == ["even 4", "odd 3", "even 2"]
    assert (found["has_next_page"], found["has_previous_page"]) == (False, False)


def test_a8_company_name_matches_any_part_in_any_case(merchant: Api) -> None:
    for name in ("Harbor Dental LLC", "Straße 7", "ÉCLAIR", "harbour", None):
        create(merchant, name=name, email="harbor@example.com")
    for given, expected in {
        "HARBOR": ["Harbor Dental LLC"],
        " dental%20": ["Harbor Dental LLC"],
        "bor+den": ["Harbor Dental LLC"],
        "harbo": ["harbour", "Harbor Dental LLC"],
        "STRASSE": ["Straße 7"],
        "%C3%A9clair": ["ÉCLAIR"],
        "example": [],
        "none": [],
    }.items():
        found = page(merchant, company_name=given.replace(" ", "%20"))
        assert [each["name"] for each in found["data"]] == expected, given
    for empty in ("", "%20", "+"):
        assert len(page(merchant, company_name=empty)["data"]) == 5


def test_customers_of_one_second_are_sorted_by_id(merchant: Api) -> None:
    made = [create(merchant)["id"] for _ in range(12)]
    assert [each["id"] for each in page(merchant)["data"]] == sorted(made, reverse=True)


def test_a14_a_page_has_no_other_keys_for_cursors(merchant: Api, five: ByName) -> None:
    assert page(merchant, limit=2).keys() == PAGE


def test_customers_of_another_organization_are_not_listed(
    merchant: Api, rival: Api, five: ByName
) -> None:
    assert page(rival)["data"] == []
