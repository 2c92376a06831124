"""Monri's digests over a socket: the golden vectors, and digests made by openssl.

Source: docs/api/monri.md, sections 2.1 and 2.3.
"""

import http.client
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from bridge import clock
from bridge.models.customer import Customer
from bridge.store.customers import customer_items
from local.server import Server
from tests.conftest import Environment
from tests.store.conftest import put_credential

KEY = "mk_demo_4f9c2a7e61b8d035"
TOKEN = "c0ffee00112233445566778899aabbccddeeff01"
AT = "1767225600"
UUID, CUSTOMER = "019b76da-a800-7b7a-8c21-5e0f7ad94b10", "cust_01kdvdna00fdx8r8ay1xxdjjrg"
BODY = '{"merchant_customer_id":"crm-1001","name":"Lejla Kovač","country":"BA"}'.encode()
A = (
    "a2e1813be39d2d2352c1d72a5ae95f1424a82f8c6a468ebb717e75a9706082c5"
    "4ea38b856aae386698b4ab61bf5b52c5584f162f67d76b07a35cb95da61f9c41"
)
B = (
    "0e842d34bcf032d993fa2bb1e276a72f7c785ff0c72f9ea86c3e7826028a9a2b"
    "156079457a0d58ae2d54cf915b0ecd0740ff4be126d730967ae5ac7dd7cba7e1"
)
C = (
    "7b5c94118f9ea62d7805b8f296a2e8c2520221c643f5f3ccfdfa1d2f2e4eb0b7"
    "9fc811e1e52776f52a985bc9bd204dd6a78b83122646fa7af364d443b0e7d26d"
)
D = (
    "c804dcf3742552957ae36ad8bfbc37567d75e65055ad9bb1d4ff6fbebed82f16"
    "3bd0e4d7a59185502004f2b44e89e514317913b29fc83bf7436aba462ce0f6f6"
)

Ask = Callable[..., tuple[int, Any]]


@pytest.fixture
def ask(environment: Environment, tables: None) -> Iterator[Ask]:
    """Sends a request at the time of the golden vectors. Returns the status and the JSON."""
    clock.set_offset(int(AT) - clock.now().timestamp())
    put_credential("merchant", TOKEN, KEY)
    server = Server(0, environment.gateway.handle)
    server.start()

    def send(method: str, target: str, digest: str, body: bytes = b"") -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        headers["Authorization"] = f"WP3-v2.1 {TOKEN} {AT} {digest}"
        connection.request(method, target, body or None, headers)
        answer = connection.getresponse()
        body = json.loads(answer.read())
        connection.close()
        return answer.status, body

    yield send
    server.stop()


def stored_customer(**more: object) -> Customer:
    """A customer of the vectors' merchant, with the UUID that vector D uses."""
    known = {"id": CUSTOMER, "uid": CUSTOMER.removeprefix("cust_"), "organization_id": "org_1"}
    times = {"created_at": clock.now(), "updated_at": clock.now()}
    customer = msgspec.convert(known | times | more, Customer)
    customer_items.insert(customer, None)
    return customer


def test_vector_a_signs_a_list_with_its_query(ask: Ask) -> None:
    stored_customer(name="Lejla")
    status, body = ask("GET", "/v2/customers?limit=2&offset=0", A)
    assert (status, [each["uuid"] for each in body["data"]]) == (200, [UUID])
    assert ask("GET", "/v2/customers?limit=2&offset=1", A)[0] == 401
    assert ask("GET", "/v2/customers", A)[0] == 401


def test_vector_b_signs_a_creation_over_its_exact_bytes(ask: Ask) -> None:
    status, body = ask("POST", "/v2/customers", B, BODY)
    assert (status, body["name"], body["country"]) == (200, "Lejla Kovač", "BA")
    assert ask("POST", "/v2/customers", B, BODY.replace(b"BA", b"HR"))[0] == 401


def test_vector_c_signs_a_path_that_the_gateway_decodes(ask: Ask) -> None:
    target = "/v2/merchants/customers/crm%20north%2F7"
    assert ask("GET", target, C) == (
        404,
        {
            "status": "invalid-request",
            "message": "Customer not found",
            "errors": ["Customer not found"],
        },
    )
    stored_customer(external_id="crm north/7", claims_external_id=True)
    status, body = ask("GET", target, C)
    assert (status, body["merchant_customer_id"], body["uuid"]) == (200, "crm north/7", UUID)


def test_vector_d_signs_a_deletion_and_m4_any_other_method_of_its_path(ask: Ask) -> None:
    stored_customer()
    assert ask("GET", f"/v2/customers/{UUID}", D)[0] == 200
    status, body = ask("DELETE", f"/v2/customers/{UUID}", D)
    assert (status, body["deleted"]) == (200, True)


def test_m4_digest_is_refused_outside_its_time_window(ask: Ask) -> None:
    now = clock.now().timestamp()
    for seconds, status in ((890, 200), (910, 401), (-890, 200), (-910, 401)):
        clock.set_offset(0)
        clock.set_offset(now + seconds - clock.now().timestamp())
        assert ask("GET", "/v2/customers?limit=2&offset=0", A)[0] == status, seconds


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is missing")
def test_digest_made_by_openssl_is_accepted(ask: Ask) -> None:
    """With a query string, a UTF-8 body and a space in the id."""

    def signed(fullpath: str, body: bytes = b"") -> str:
        text = f"{KEY}{AT}{TOKEN}{fullpath}".encode() + body
        made = subprocess.run(
            ["openssl", "dgst", "-sha512", "-r"], input=text, capture_output=True, check=True
        )
        return made.stdout.decode().split()[0]

    body = BODY.replace(b"crm-1001", "crm č 1001".encode())
    created = "/v2/customers?source=%C4%8D&x=a+b"
    status, made = ask("POST", created, signed(created, body), body)
    assert (status, made["merchant_customer_id"]) == (200, "crm č 1001")
    found = f"/v2/merchants/customers/{quote('crm č 1001')}?limit=1&note=%20"
    assert ask("GET", found, signed(found)) == (200, made)
    assert ask("GET", found, signed(found.partition("?")[0]))[0] == 401
