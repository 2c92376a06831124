"""DELETE /v2/customers/{uuid}. Source: docs/api/monri.md, section 5.5 (M10)."""

from collections.abc import Callable

import pytest

from functions.monri.delete_customer.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import Reply
from tests.functions.monri.conftest import DEMO, Merchant


@pytest.mark.usefixtures("at_any_time")
def test_delete_customer_event_file_returns_the_id_under_both_names(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "monri/delete_customer")
    expected = {"status": "approved", "id": DEMO, "uuid": DEMO, "deleted": True}
    assert (reply.status, reply.body) == (200, expected)


def test_m10_second_deletion_returns_the_same_and_keeps_the_first_time(
    merchant: Merchant, later: Callable[[float], None]
) -> None:
    made = merchant.made()
    first = merchant.delete(made["uuid"])
    deleted = merchant.get(made["uuid"]).body
    later(60)
    second = merchant.delete(made["uuid"].upper())
    assert (second.status, second.body) == (200, first.body)
    assert merchant.get(made["uuid"]).body == deleted
    assert merchant.ask("GET", "/v2/customers").body["data"] == []


def test_delete_customer_returns_404_for_unknown_or_foreign_id(
    merchant: Merchant, enrolled: Callable[..., Merchant]
) -> None:
    made = merchant.made()
    for other in (DEMO, "crm-1", enrolled("org_2").made()["uuid"]):
        reply = merchant.delete(other)
        assert (reply.status, reply.body["message"]) == (404, "Customer not found")
    assert merchant.get(made["uuid"]).body == made
