"""The pages under /_local/, with running simulators."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from bridge import clock, queues
from bridge.models.outbox import Event
from local.event import Answer, Request
from local.flowless import Flowless
from local.pages import Pages
from local.stripe.server import serving
from local.stripe.simulator import StripeSimulator


@pytest.fixture
def stripe() -> Iterator[StripeSimulator]:
    with serving(StripeSimulator()) as simulator:
        yield simulator


@pytest.fixture
def pages(stripe: StripeSimulator) -> Iterator[Pages]:
    with serving(Flowless(sessions={"session_abc123": {"user_id": "user_456"}})) as flowless:
        yield Pages(stripe, flowless, [])
    clock.set_offset(0)


def ask(pages: Pages, method: str, target: str, body: str = "", origin: str = "") -> Answer:
    headers = [("host", "127.0.0.1:8787")] + ([("origin", origin)] if origin else [])
    answer = pages.answer(Request(method, target, headers, body.encode()))
    assert answer
    return answer


def test_only_paths_under_local_are_pages(pages: Pages) -> None:
    assert pages.answer(Request("GET", "/_localhost", [])) is None
    assert pages.answer(Request("GET", "/health", [])) is None
    assert ask(pages, "GET", "/_local/nothing").status == 404


def test_state_has_the_simulators_records(pages: Pages, stripe: StripeSimulator) -> None:
    stripe.seed_customer("cus_1", "jane.doe@example.com")
    state = ask(pages, "GET", "/_local/state").json()
    assert state["simulators"]["stripe"] == stripe.url
    assert [each["id"] for each in state["stripe"]["customers"]] == ["cus_1"]
    assert list(state["flowless"]["sessions"]) == ["session_abc123"]


def test_state_has_the_latest_events_on_the_bus(
    pages: Pages, subscriber: Callable[[], list[dict[str, Any]]]
) -> None:
    at = clock.now()
    event = Event(
        payment_id="pay_1",
        sequence=1,
        name="payment.created",
        from_status="new",
        to_status="created",
        at=at,
    )
    for number in range(15):
        queues.put_events([replace(event, sequence=number)] * 10)
    events = ask(pages, "GET", "/_local/state").json()["events"]
    assert events == subscriber()[-len(events) :]
    assert len(events) == 100
    assert "payment.created" in ask(pages, "GET", "/_local/").body.decode()


def test_page_lists_records_with_escaping_and_links(pages: Pages, stripe: StripeSimulator) -> None:
    stripe.seed_customer("cus_1", "<script>@example.com")
    stripe.seed_payment(
        "pi_1",
        amount=2000,
        currency="usd",
        payment_method="pm_card_authenticationRequired",
        confirm=True,
        return_url="http://localhost/back",
        automatic_payment_methods={"enabled": True},
    )
    for target in ("/_local/", "/_local"):
        text = ask(pages, "GET", target).body.decode()
        assert "&lt;script&gt;@example.com" in text
        assert "<script>" not in text
        assert f'href="{stripe.url}/_sim/3ds/pi_1"' in text


def test_fault_form_sets_a_fault(pages: Pages, stripe: StripeSimulator) -> None:
    answer = ask(pages, "POST", "/_local/fault", "operation=confirm&kind=drop_after&times=2")
    assert (answer.status, answer.header("location")) == (303, "/_local/")
    faults = json.loads(json.dumps(stripe.state()["faults"]))
    assert [(each["operation"], each["kind"], each["times"]) for each in faults] == [
        ("confirm", "drop_after", 2)
    ]


def test_invalid_form_is_a_400(pages: Pages) -> None:
    for body in ("", "operation=confirm&kind=nonsense&times=1", "operation=x&kind=429&times=x"):
        assert ask(pages, "POST", "/_local/fault", body).status == 400


def test_clock_form_moves_both_clocks(pages: Pages, stripe: StripeSimulator) -> None:
    before, theirs = clock.now(), stripe.world.now()
    ask(pages, "POST", "/_local/clock", "seconds=3600")
    ask(pages, "POST", "/_local/clock", "seconds=60")
    assert 3659 < (clock.now() - before).total_seconds() < 3670
    assert 3659 < stripe.world.now() - theirs < 3670


def test_form_sent_from_another_site_is_a_403(pages: Pages) -> None:
    body = "seconds=3600"
    assert ask(pages, "POST", "/_local/clock", body, origin="https://evil.test").status == 403
    assert ask(pages, "POST", "/_local/clock", body, origin="http://127.0.0.1:8787").status == 303


class TestStripe:
    """Stripe's dashboard and webhooks, used by the forms of the page."""

    @pytest.fixture
    def paid(self, stripe: StripeSimulator) -> str:
        stripe.seed_payment(
            "pi_1",
            amount=2000,
            currency="usd",
            payment_method="pm_card_visa",
            confirm=True,
            return_url="http://localhost/back",
        )
        return "pi_1"

    def test_dashboard_refunds_and_disputes(
        self, pages: Pages, stripe: StripeSimulator, paid: str
    ) -> None:
        about = f"payment_intent={paid}&outcome=lost"
        assert ask(pages, "POST", "/_local/dashboard", f"{about}&action=refund&amount=500").status
        for action in ("dispute", "close_dispute"):
            answer = ask(pages, "POST", "/_local/dashboard", f"{about}&action={action}&amount=")
            assert answer.status == 303
        text = ask(pages, "GET", "/_local/").body.decode()
        [refund], [dispute] = stripe.refunds(), stripe.disputes()
        assert (refund["amount"], dispute["status"]) == (500, "lost")
        assert f"<td>{refund['id']}<td>500 usd<td>succeeded" in text
        assert f"<td>{dispute['id']}<td>2000 usd<td>lost" in text
        state = ask(pages, "GET", "/_local/state").json()["stripe"]
        assert [each["id"] for each in state["refunds"]] == [refund["id"]]

    def test_saved_card_is_renewed_expired_and_detached(
        self, pages: Pages, stripe: StripeSimulator
    ) -> None:
        stripe.seed_customer("cus_1")
        for token in ("pm_1", "pm_2"):
            stripe.seed_method(token, "cus_1")
        for action in ("renew", "expire", "detach"):
            body = f"action={action}&payment_method=pm_1"
            assert ask(pages, "POST", "/_local/method", body).status == 303
        assert [each["type"] for each in stripe.events()] == [
            "payment_method.automatically_updated",
            "payment_method.updated",
            "payment_method.detached",
        ]
        text = ask(pages, "GET", "/_local/").body.decode()
        assert '<option value="pm_2">' in text
        assert '<option value="pm_1">' not in text
        for wrong in ("action=detach&payment_method=pm_1", "action=x&payment_method=pm_2", ""):
            assert ask(pages, "POST", "/_local/method", wrong).status == 400

    def test_action_that_stripe_refuses_is_a_400(self, pages: Pages, paid: str) -> None:
        for body in (
            f"action=refund&payment_intent={paid}&amount=2001",
            "action=refund&payment_intent=pi_nothing",
            f"action=erase&payment_intent={paid}",
            f"action=refund&payment_intent={paid}&amount=x",
        ):
            assert ask(pages, "POST", "/_local/dashboard", body).status == 400

    def test_page_lists_events_with_their_deliveries(
        self, pages: Pages, stripe: StripeSimulator, paid: str
    ) -> None:
        [event] = [each for each in stripe.events() if each["type"] == "payment_intent.succeeded"]
        text = ask(pages, "GET", "/_local/").body.decode()
        assert f"<td>{event['id']}<td>payment_intent.succeeded {paid}<td>not sent" in text
        assert "No endpoint is set." in text
        stripe.webhooks.point("http://127.0.0.1:9/hook", ["whsec_made_up"])
        ask(pages, "POST", "/_local/webhooks", "pause=on&duplicate=0&delay_ms=0&drop=0&tamper=")
        assert ask(pages, "POST", "/_local/resend", f"event={event['id']}").status == 303
        text = ask(pages, "GET", "/_local/").body.decode()
        assert f"<td>{event['id']}<td>payment_intent.succeeded {paid}<td>waiting" in text
        assert "http://127.0.0.1:9/hook" in text
        assert "whsec_made_up" not in text + ask(pages, "GET", "/_local/state").body.decode()
        assert ask(pages, "POST", "/_local/resend", "event=evt_nothing").status == 400

    def test_webhook_form_sets_the_switches_and_page_displays_them(
        self, pages: Pages, stripe: StripeSimulator
    ) -> None:
        body = "reorder=on&duplicate=2&delay_ms=50&drop=0.5&tamper=sig"
        assert ask(pages, "POST", "/_local/webhooks", body).status == 303
        switches = stripe.webhooks.switches
        assert (switches.reorder, switches.pause, switches.duplicate) == (True, False, 2)
        assert (switches.delay_ms, switches.drop, switches.tamper) == (50, 0.5, "sig")
        text = ask(pages, "GET", "/_local/").body.decode()
        assert '<option value="sig" selected>sig</option>' in text
        assert 'name="reorder" checked' in text
        assert 'name="pause">' in text
        for wrong in ("", "duplicate=-1&delay_ms=0&drop=0", "duplicate=0&delay_ms=0&drop=2"):
            assert ask(pages, "POST", "/_local/webhooks", wrong).status == 400
