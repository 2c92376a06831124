"""The requests in Alternative Payments' own document, as printed there, except for the host.

Source: Alternative Payments API documentation, "Customers".
"""

import json

import pytest

from local import demo
from local.event import Answer
from tests.contracts.alternative_shape import CUSTOMER, METHOD, PAGE, USER
from tests.contracts.documents import Wire

COMPANY, NADIA = f"cus_{demo.COMPANY}", "cus_01kjpx8se0eassyq0akmxqwk11"
HEAD = "HTTP/1.1\nHost: public-api.alternativepayments.io\nAuthorization: YOUR_API_KEY\n"
ACCEPT = "Accept: */*\n\n"
JSON = "Content-Type: application/json\nAccept: */*\n"
# On one line, the printed bodies have the printed `Content-Length`.
NEW = f'{JSON}Content-Length: 51\n\n{{"email":"text","external_id":"text","name":"text"}}'
NEW_USER = f'{JSON}Content-Length: 55\n\n{{"email":"text","first_name":"text","last_name":"text"}}'
LIST, USERS = "GET /customers", "GET /customers/{id}/users"

# Each request of the document, the rest of its text, the status, and the keys of the response.
REQUESTS: list[tuple[str, str, int, set[str]]] = [
    (LIST, ACCEPT, 200, PAGE),
    ("POST /customers", NEW, 201, CUSTOMER),
    ("GET /customers/{id}", ACCEPT, 200, CUSTOMER),
    ("GET /customers/{id}/payment-methods", ACCEPT, 200, {"data"}),
    (USERS, ACCEPT, 200, PAGE),
    ("POST /customers/{id}/users", NEW_USER, 201, USER),
    ("DELETE /customers/{id}", ACCEPT, 200, CUSTOMER),
]


def send(wire: Wire, line: str, rest: str, customer_id: str = COMPANY) -> Answer:
    return wire.send(f"{line.replace('{id}', customer_id)} {HEAD}{rest}")


@pytest.mark.parametrize(("line", "rest", "status", "keys"), REQUESTS)
def test_request_of_the_document_returns_what_the_document_says(
    line: str, rest: str, status: int, keys: set[str], wire: Wire
) -> None:
    answer = send(wire, line, rest)
    assert (answer.status, answer.json().keys()) == (status, keys)
    sent = json.loads(rest.partition("\n\n")[2] or "{}")
    assert sent.items() <= answer.json().items()


def test_requests_of_the_document_work_in_their_order(wire: Wire) -> None:
    for line, rest, status, _ in REQUESTS:
        assert send(wire, line, rest).status == status, line
    listed = send(wire, LIST, ACCEPT).json()["data"]
    assert listed[0]["name"] == "text"
    assert COMPANY not in [each["id"] for each in listed], "archived"
    assert send(wire, USERS, ACCEPT).json()["data"][0]["email"] == "text"


def test_list_of_payment_methods_contains_a_saved_card(wire: Wire) -> None:
    (method,) = send(wire, "GET /customers/{id}/payment-methods", ACCEPT, NADIA).json()["data"]
    expected = {"type": "card", "brand": "visa", "default": True, "last4": "4242"}
    assert method.keys() == METHOD
    assert method.items() >= expected.items()
    assert (len(method["exp_month"]), len(method["exp_year"])) == (2, 4)


@pytest.mark.parametrize("collection", ["/customers", f"/customers/{COMPANY}/users"])
def test_cursors_lead_forward_and_back(collection: str, wire: Wire) -> None:
    for _ in range(2):
        send(wire, f"POST {collection}", NEW if collection == "/customers" else NEW_USER)
    first = send(wire, f"GET {collection}?limit=1&after=&before=", ACCEPT).json()
    following = f"GET {collection}?limit=1&after={first['end_cursor']}"
    second = send(wire, following, ACCEPT).json()
    back = f"GET {collection}?limit=1&before={second['start_cursor']}"
    assert (first["has_previous_page"], first["has_next_page"]) == (False, True)
    assert first["data"] != second["data"]
    assert send(wire, back, ACCEPT).json() == first


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("created_at_start=2026-02-03T09:15:00Z&company_name=HARBOR", ["Harbor Dental LLC"]),
        ("created_at_end=2026-01-01T00:00:00Z", ["Lejla Kovač"]),
        ("company_name=nobody", []),
    ],
)
def test_filters_of_the_document_work(query: str, names: list[str], wire: Wire) -> None:
    listed = send(wire, f"GET /customers?{query}", ACCEPT).json()["data"]
    assert [each["name"] for each in listed] == names
