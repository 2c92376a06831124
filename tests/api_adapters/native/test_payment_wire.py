"""Payments, refunds and timelines as the native API shows them.

Source: docs/api/native.md, section 4.
"""

from datetime import UTC, timedelta, timezone

import pytest

from bridge.api_adapters.native import payment_wire
from bridge.authentication import guest_tokens
from bridge.models.caller import Caller
from bridge.models.customer import Guest
from bridge.models.payment import Entry, Payment, PaymentResult
from bridge.models.provider import Failure, NextAction
from bridge.models.refund import Refund
from tests import records
from tests.api_adapters.conftest import AT
from tests.conftest import ROOT
from tests.response_fields import PAYMENT_FIELDS, REFUND_FIELDS

pytestmark = pytest.mark.usefixtures("tables")
OWNER = Caller(user_id="user_1")


def payment(**more: object) -> Payment:
    amounts = {"subtotal_cents": 1800, "tax_cents": 200}
    seen = {"user_id": "user_1", "client_secret": "pi_1_secret_x"}
    return records.payment(AT, **amounts | seen | more)


def test_b17_replayed_response_has_its_header() -> None:
    result = PaymentResult(payment=payment(), replayed=True)
    for response in (
        payment_wire.render_new_payment(result),
        payment_wire.render_outcome(OWNER, result),
    ):
        assert response.headers == {"Idempotent-Replayed": "true"}


def test_b20_unknown_outcome_is_202_with_retry_after() -> None:
    result = PaymentResult(payment=payment(), retry_after=7)
    for response in (
        payment_wire.render_new_payment(result),
        payment_wire.render_outcome(OWNER, result),
    ):
        assert (response.status, response.headers) == (202, {"Retry-After": "7"})


def test_documentation_lists_exactly_the_fields_of_a_payment() -> None:
    page = (ROOT / "docs" / "api" / "native.md").read_text(encoding="utf-8")
    listed = page.partition("\nThe full object is `id, provider_payment_id,")[2].partition("`")[0]
    assert {
        "id",
        "provider_payment_id",
        *listed.replace(",", " ").split(),
    } ^ PAYMENT_FIELDS == set()


def test_render_payment_has_all_fields() -> None:
    whole = payment(
        guest=Guest(email="a@example.com", name="A"),
        user_id=None,
        failure=Failure(code="card_declined", message="No.", decline_code="lost_card"),
        completed_at=AT,
    )
    body = payment_wire.render_payment(Caller(guest_of="pay_1"), whole)
    assert body.keys() == PAYMENT_FIELDS
    assert (body["is_guest_payment"], body["guest_email"]) == (True, "a@example.com")
    assert (body["failure_code"], body["failure_message"]) == ("card_declined", "No.")
    assert body["completed_at"] == body["created_at"] == "2026-01-15T10:30:00Z"


def test_b16_next_action_has_a_url_only_for_a_redirect() -> None:
    redirect = NextAction(type="redirect", url="https://bank.test/")
    body = payment_wire.render_payment(OWNER, payment(next_action=redirect))
    assert body["next_action"] == {"type": "redirect", "url": "https://bank.test/"}
    browser = payment(next_action=NextAction(type="use_client_secret"))
    assert payment_wire.render_payment(OWNER, browser)["next_action"] == {
        "type": "use_client_secret"
    }
    assert payment_wire.render_payment(OWNER, payment())["next_action"] is None


COLLEAGUE = Caller(user_id="user_2", organizations={"org_1": "owner"})


@pytest.mark.parametrize(
    ("caller", "has_secret"),
    [
        (OWNER, True),
        (Caller(guest_of="pay_1"), True),
        (Caller(guest_of="pay_2"), False),
        (COLLEAGUE, False),
        (Caller(), False),
    ],
)
def test_b15_client_secret_is_rendered_for_owner_and_guest_only(
    caller: Caller, has_secret: bool
) -> None:
    row = payment(organization_id="org_1")
    for body in (
        payment_wire.render_payment(caller, row),
        payment_wire.render_outcome(caller, PaymentResult(payment=row)).body,
    ):
        assert isinstance(body, dict)
        assert body["client_secret"] == ("pi_1_secret_x" if has_secret else None)
    assert "_secret_" not in str(payment_wire.render_payments([row]))


def test_b15_payment_without_user_does_not_belong_to_nobody() -> None:
    """Caller and payment both have no user id, but that does not make the caller the owner."""
    row = payment(user_id=None, guest=Guest(email="a@example.com", name="A"))
    assert payment_wire.render_payment(Caller(), row)["client_secret"] is None


def test_b10_guest_listing_has_six_fields() -> None:
    (body,) = payment_wire.render_guest_payments([payment(concept="Donation")])
    assert body == {
        "id": "pay_1",
        "status": "created",
        "total_cents": 2000,
        "currency": "USD",
        "concept": "Donation",
        "created_at": "2026-01-15T10:30:00Z",
    }


def test_render_payment_shows_times_in_utc() -> None:
    west = AT.astimezone(timezone(timedelta(hours=-8)))
    body = payment_wire.render_payment(
        OWNER, payment(created_at=west, updated_at=AT.astimezone(UTC))
    )
    assert body["created_at"] == body["updated_at"] == "2026-01-15T10:30:00Z"


def test_b8_new_payment_of_a_guest_has_a_token_that_opens_it() -> None:
    made = payment(user_id=None, guest=Guest(email="a@example.com", name="A"))
    body = payment_wire.render_new_payment(PaymentResult(payment=made)).body
    assert isinstance(body, dict)
    assert guest_tokens.authenticate(body["guest_token"]).guest_of == "pay_1"
    assert body["client_secret"] == "pi_1_secret_x"
    of_user = payment_wire.render_new_payment(PaymentResult(payment=payment())).body
    assert isinstance(of_user, dict)
    assert "guest_token" not in of_user


def test_render_refund_outcome_has_all_fields_of_a_refund() -> None:
    refund = Refund(
        id="ref_1", payment_id="pay_1", amount_cents=5, currency="USD", created_at=AT, updated_at=AT
    )
    response = payment_wire.render_refund_outcome(PaymentResult(payment=payment(), refund=refund))
    assert isinstance(response.body, dict)
    assert response.status == 201
    assert response.body.keys() == REFUND_FIELDS
    assert (response.body["status"], response.body["reason"]) == ("pending", None)
    assert response.body["created_at"] == response.body["updated_at"] == "2026-01-15T10:30:00Z"
    assert payment_wire.render_refunds([refund]) == [response.body]


def test_render_timeline_shows_entries_as_they_were_hashed() -> None:
    entry = Entry(
        sequence=1,
        at=AT,
        from_status="new",
        to_status="created",
        cause="api",
        event="payment.created",
        previous_hash="",
        hash="h",
    )
    (body,) = payment_wire.render_timeline([entry])
    assert body == entry.displayed
    assert (body["seq"], body["from"], body["to"], body["hash"]) == (1, "new", "created", "h")
