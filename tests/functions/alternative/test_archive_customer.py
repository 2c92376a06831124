"""DELETE /customers/{id}. Source: contracts/alternative.md 6."""

from collections.abc import Callable
from typing import Any

from functions.alternative.archive_customer.handler import handler
from tests.conftest import Environment
from tests.functions.alternative.conftest import USER_SAMPLE, make, refusal
from tests.functions.conftest import Api, Reply

Company = dict[str, Any]


def test_the_event_file_is_answered_200_with_the_customer(
    demo_data: None, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "alternative/archive_customer")
    assert reply.status == 200
    assert reply.body["name"] == "Harbor Dental LLC"


def test_d10_the_customer_is_shown_as_before_and_so_it_is_a_second_time(
    merchant: Api, company: Company
) -> None:
    for _ in range(2):
        reply = merchant.send("DELETE", f"/customers/{company['id']}")
        assert (reply.status, reply.body) == (200, company)


def test_d10_the_archived_leave_every_list_and_stay_readable(
    merchant: Api, company: Company, environment: Environment
) -> None:
    target = f"/customers/{company['id']}"
    user = make(merchant, f"{target}/users", email="rosa@harbor.example")
    merchant.send("DELETE", target)
    for query in ("", "?company_name=harbor", "?created_at_start=2020-01-01T00:00:00Z"):
        assert merchant.send("GET", f"/customers{query}").body["data"] == []
    environment.gateway.functions.invoke("JobsFinishDeletion", {})
    assert merchant.send("GET", target).body == company
    assert merchant.send("GET", f"{target}/users").body["data"] == [user]


def test_a_user_cannot_be_added_to_the_archived(merchant: Api, company: Company) -> None:
    target = f"/customers/{company['id']}"
    merchant.send("DELETE", target)
    reply = merchant.send("POST", f"{target}/users", USER_SAMPLE)
    assert refusal(reply) == (422, "validation_failed", {})
    assert merchant.send("GET", f"{target}/users").body["data"] == []


def test_anothers_customer_is_not_found_and_stays(
    merchant: Api, rival: Api, company: Company
) -> None:
    assert refusal(rival.send("DELETE", f"/customers/{company['id']}"))[0] == 404
    assert merchant.send("GET", "/customers").body["data"] == [company]


def test_an_external_id_is_free_again(merchant: Api) -> None:
    made = make(merchant, external_id="erp-77")
    assert merchant.send("DELETE", f"/customers/{made['id']}").body == made
    assert make(merchant, external_id="erp-77")["external_id"] == "erp-77"
