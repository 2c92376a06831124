"""DELETE /customers/{id}. Source: docs/api/alternative.md, section 6."""

from collections.abc import Callable
from typing import Any

from functions.alternative.archive_customer.handler import handler
from tests.conftest import Environment
from tests.functions.alternative.conftest import USER_SAMPLE, create, refusal
from tests.functions.conftest import Api, Reply

Company = dict[str, Any]


def test_the_event_file_returns_200_with_the_customer(
    demo_data: None, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "alternative/archive_customer")
    assert reply.status == 200
    assert reply.body["name"] == "Harbor Dental LLC"


def test_a10_archiving_returns_the_customer_unchanged_also_a_second_time(
    merchant: Api, company: Company
) -> None:
    for _ in range(2):
        reply = merchant.send("DELETE", f"/customers/{company['id']}")
        assert (reply.status, reply.body) == (200, company)


def test_a10_an_archived_customer_is_not_listed_but_readable(
    merchant: Api, company: Company, environment: Environment
) -> None:
    target = f"/customers/{company['id']}"
    user = create(merchant, f"{target}/users", email="rosa@harbor.example")
    merchant.send("DELETE", target)
    for query in ("", "?company_name=harbor", "?created_at_start=2020-01-01T00:00:00Z"):
        assert merchant.send("GET", f"/customers{query}").body["data"] == []
    environment.gateway.functions.invoke("JobsFinishDeletion", {})
    assert merchant.send("GET", target).body == company
    assert merchant.send("GET", f"{target}/users").body["data"] == [user]


def test_a_user_added_to_an_archived_customer_returns_422(merchant: Api, company: Company) -> None:
    target = f"/customers/{company['id']}"
    merchant.send("DELETE", target)
    reply = merchant.send("POST", f"{target}/users", USER_SAMPLE)
    assert refusal(reply) == (422, "validation_failed", {})
    assert merchant.send("GET", f"{target}/users").body["data"] == []


def test_anothers_customer_returns_404_and_stays(
    merchant: Api, rival: Api, company: Company
) -> None:
    assert refusal(rival.send("DELETE", f"/customers/{company['id']}"))[0] == 404
    assert merchant.send("GET", "/customers").body["data"] == [company]


def test_the_external_id_of_an_archived_customer_is_free_again(merchant: Api) -> None:
    made = create(merchant, external_id="erp-77")
    assert merchant.send("DELETE", f"/customers/{made['id']}").body == made
    assert create(merchant, external_id="erp-77")["external_id"] == "erp-77"
