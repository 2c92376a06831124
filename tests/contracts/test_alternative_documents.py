"""The document's own requests on a socket, as printed but for the host. Source: seed 004."""

import http.client
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local import demo
from local.flowless import Flowless
from local.server import Server
from local.stripe.simulator import StripeSimulator
from tests.conftest import House
from tests.contracts.alternative_shape import CUSTOMER, PAGE, USER

OWN = f"cus_{demo.COMPANY}"
HEAD = "Host: 127.0.0.1\r\nAuthorization: YOUR_API_KEY\r\n"
ACCEPT = "Accept: */*\r\n"
JSON = "Content-Type: application/json\r\nAccept: */*\r\n"
NEW = '{"email":"text","external_id":"text","name":"text"}'
NEW_USER = '{"email":"text","first_name":"text","last_name":"text"}'

# Each request of the document, its status, and the keys of what it answers.
REQUESTS: list[tuple[str, str, int, set[str]]] = [
    ("GET /customers HTTP/1.1", ACCEPT, 200, PAGE),
    ("POST /customers HTTP/1.1", f"{JSON}Content-Length: 51\r\n\r\n{NEW}", 201, CUSTOMER),
    ("GET /customers/{id} HTTP/1.1", ACCEPT, 200, CUSTOMER),
    ("GET /customers/{id}/payment-methods HTTP/1.1", ACCEPT, 200, {"data"}),
    ("GET /customers/{id}/users HTTP/1.1", ACCEPT, 200, PAGE),
    (
        "POST /customers/{id}/users HTTP/1.1",
        f"{JSON}Content-Length: 55\r\n\r\n{NEW_USER}",
        201,
        USER,
    ),
    ("DELETE /customers/{id} HTTP/1.1", ACCEPT, 200, CUSTOMER),
]
Send = Callable[[str, str], tuple[int, Any]]


@pytest.fixture
def send(
    house: House, tables: None, stripe_simulator: StripeSimulator, flowless: Flowless
) -> Iterator[Send]:
    demo.seed(stripe_simulator, flowless)
    server = Server(0, house.gateway.handle)
    server.start()

    def ask(line: str, rest: str) -> tuple[int, Any]:
        text = f"{line}\r\n{HEAD}{rest}"
        with socket.create_connection(("127.0.0.1", server.server_port), timeout=30) as sent:
            sent.sendall((text if "\r\n\r\n" in text else text + "\r\n").encode())
            answer = http.client.HTTPResponse(sent)
            answer.begin()
            return answer.status, json.loads(answer.read())

    yield ask
    server.stop()


@pytest.mark.parametrize(("line", "rest", "status", "fields"), REQUESTS)
def test_a_documents_request_is_answered_as_the_document_says(
    line: str, rest: str, status: int, fields: set[str], send: Send
) -> None:
    answered, told = send(line.replace("{id}", OWN), rest)
    assert (answered, told.keys()) == (status, fields)
    if line.startswith("GET /customers "):
        assert told["data"]
        assert all(each.keys() == CUSTOMER for each in told["data"])


def test_the_documents_requests_work_in_their_order(send: Send) -> None:
    for line, rest, status, _ in REQUESTS:
        assert send(line.replace("{id}", OWN), rest)[0] == status, line
    _, told = send(REQUESTS[0][0], ACCEPT)
    assert told["data"][0]["name"] == "text"
    assert OWN not in [each["id"] for each in told["data"]]
    _, told = send(REQUESTS[4][0].replace("{id}", OWN), ACCEPT)
    assert [each["email"] for each in told["data"]] == ["text"]
