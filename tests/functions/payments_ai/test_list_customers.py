"""GET …/customers. Source: docs/api/payments-ai.md, section 2.3."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from bridge.core.customers import listing
from functions.payments_ai.list_customers.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import Reply
from tests.functions.payments_ai.conftest import FIELDS, FORBIDDEN, Shop, details


def paging(reply: Reply) -> list[int]:
    """Total, limit and offset in the headers."""
    assert reply.status == 200, reply.text
    return [int(reply.headers[f"pagination-{name}"]) for name in ("total", "limit", "offset")]


def ids(customers: list[dict[str, Any]]) -> list[str]:
    return [each["id"] for each in customers]


def test_the_event_file_returns_200_with_a_bare_array(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "payments_ai/list_customers")
    assert paging(reply) == [len(reply.body), 20, 0]
    assert {tuple(each) for each in reply.body} == {tuple(FIELDS)}


def test_p16_customers_are_listed_newest_first_or_by_sort_without_overlaps(shop: Shop) -> None:
    made = [shop.customer()["id"] for _ in range(7)]
    assert ids(shop.listed()) == ids(shop.listed("sort=-createdTime")) == made[::-1]
    assert ids(shop.listed("sort=createdTime")) == made
    pages = [shop.listed(f"limit=3&offset={offset}&sort=createdTime") for offset in (0, 3, 6, 9)]
    assert [ids(page) for page in pages] == [made[:3], made[3:6], made[6:], []]


def test_every_page_has_the_total_in_its_headers(shop: Shop) -> None:
    for _ in range(3):
        shop.customer(firstName="Nadia")
    pages = {
        "": [3, 20, 0],
        "limit=2": [3, 2, 0],
        "limit=2&offset=2": [3, 2, 2],
        "limit=0": [3, 0, 0],
        "offset=1000000": [3, 20, 1_000_000],
        "search=nadia&limit=1": [3, 1, 0],
        "search=nobody": [0, 20, 0],
        "limit=5&limit=2": [3, 2, 0],
        "limit=1000": [3, 1000, 0],
    }
    for query, expected in pages.items():
        assert paging(shop.ask("GET", f"/customers?{query}")) == expected, query
    for query in ("limit=0", "offset=3", "search=nadia&offset=3", "search=nadia&limit=0"):
        assert shop.listed(query) == []


def test_p17_deleted_customers_are_not_listed_searched_or_counted(shop: Shop) -> None:
    gone, kept = shop.customer(firstName="Nadia")["id"], shop.customer(firstName="Nadia")["id"]
    shop.ask("DELETE", f"/customers/{gone}")
    for query in ("", "search=nadia"):
        reply = shop.ask("GET", f"/customers?{query}")
        assert (ids(reply.body), paging(reply)[0]) == ([kept], 1)


def test_a_list_contains_only_customers_of_the_organization(shop: Shop, other_shop: Shop) -> None:
    other_shop.customer(firstName="Nadia")
    assert paging(shop.ask("GET", "/customers?search=nadia")) == [0, 20, 0]
    assert Shop(shop.api, "org_2").ask("GET", "/customers?limit=x").body == FORBIDDEN


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        *(
            (f"limit={each}", "limit: must be an integer between 0 and 1000")
            for each in ("-1", "1001", "x", "", "1.0", "%D9%A3", "%2B1", "1e2", "9" * 30)
        ),
        *(
            (f"offset={each}", "offset: must be an integer greater than or equal to 0")
            for each in ("-1", "x", "", "0.5", "%D9%A3")
        ),
        ("sort=firstName", "sort: must be createdTime or -createdTime"),
        ("sort=", "sort: must be createdTime or -createdTime"),
        (f"search={'x' * 256}", "search: must be at most 255 characters"),
        (f"q={'x' * 256}", "search: must be at most 255 characters"),
    ],
)
def test_p16_an_invalid_parameter_returns_400_with_its_name(
    shop: Shop, query: str, fault: str
) -> None:
    assert details(shop.ask("GET", f"/customers?{query}")) == fault


def test_all_invalid_parameters_are_reported_and_p2_unknown_ones_are_ignored(shop: Shop) -> None:
    errors = details(shop.ask("GET", "/customers?limit=x&offset=x&sort=x")).split("; ")
    assert [error.partition(":")[0] for error in errors] == ["limit", "offset", "sort"]
    assert shop.listed("filter=a:b&filter=c&expand=d&fields=&colour=%FF") == []


FOUND = [
    ("nadia", {"firstName": "Nadia"}),
    ("  NADIA ", {"firstName": "nadia"}),
    ("adi", {"lastName": "Nadia"}),
    ("nadia oko", {"firstName": "Nadia", "lastName": "Okoro"}),
    ("@shop", {"email": "nadia@shop.test"}),
    ("é", {"firstName": "RENÉ"}),
    ("strasse", {"lastName": "Große Straße"}),
    ("50%", {"firstName": "50% off"}),
    ("a_b", {"firstName": "a_b"}),
]
NOT_FOUND = [
    ("okoro nadia", {"firstName": "Nadia", "lastName": "Okoro"}),
    ("e", {"firstName": "É"}),
    ("nad*", {"firstName": "Nadia"}),
    ("0131", {"phoneNumber": "0131"}),
    ("leith", {"address": {"city": "Leith"}}),
    ("gold", {"metadata": {"tier": "gold"}}),
]


@pytest.mark.parametrize("name", ["search", "q"])
@pytest.mark.parametrize(("text", "customer"), FOUND)
def test_p18_a_search_matches_a_part_of_names_or_email(
    shop: Shop, name: str, text: str, customer: dict[str, object]
) -> None:
    made = shop.customer(**customer)
    shop.customer(firstName="Somebody", lastName="Else", email="x@y.test")
    assert ids(shop.listed(f"{name}={quote(text)}")) == [made["id"]]


@pytest.mark.parametrize(("text", "customer"), NOT_FOUND)
def test_p18_a_search_has_no_wildcards_and_ignores_other_fields(
    shop: Shop, text: str, customer: dict[str, object]
) -> None:
    shop.customer(**customer)
    assert shop.listed(f"search={quote(text)}") == []


def test_an_empty_search_returns_all_and_search_wins_over_q(shop: Shop) -> None:
    made = shop.customer(firstName="Nadia")["id"]
    for query in ("search=", "search=%20", "q=", "search=nadia&q=nobody", "search=&q=nobody"):
        assert ids(shop.listed(query)) == [made], query
    assert shop.listed("search=nobody&q=nadia") == []


def test_a_search_above_the_limit_returns_400_with_the_limit(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.customer(firstName="Nadia")
    monkeypatch.setattr(listing, "SEARCHED_TO", 0)
    fault = details(shop.ask("GET", "/customers?search=nadia"))
    assert fault == "search: not available above 0 customers"


def test_too_many_searches_return_429_with_retry_after(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.customer(firstName="Nadia")
    monkeypatch.setattr(listing, "CONSISTENT_TO", 0)
    replies = [shop.ask("GET", "/customers?search=nadia") for _ in range(8)]
    (first, *_) = [reply for reply in replies if reply.status != 200]
    assert first.status == 429
    assert first.headers["retry-after"] == "1"
    assert first.body == {
        "errorCode": "TOO_MANY_REQUESTS",
        "statusCode": 429,
        "message": "Too many requests",
    }
