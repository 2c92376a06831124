"""Webhooks over real HTTP: signatures, retries and switches."""

import json
import threading
from collections.abc import Iterator

import pytest
import stripe
from werkzeug.wrappers import Request, Response

from local.stripe import signing
from local.stripe.server import Server, drop, serving
from local.stripe.simulator import StripeSimulator

SECRET = "whsec_bridge_golden_0001"
OLDER = "whsec_bridge_golden_0000"
GOLDEN_AT = 1735689600
GOLDEN = {
    '{"id":"evt_test_1","object":"event","type":"payment_intent.succeeded","data":{"object":'
    '{"id":"pi_test_1","object":"payment_intent"}}}': (
        "8da8490fd79d2029cc9abb8122d451d2e17ea1d70bc2ccffaabbe16df72269f4"
    ),
    '{"id":"evt_test_2","object":"event","type":"charge.refunded","data":{"object":'
    '{"id":"ch_1","description":"Žižkov €5"}}}': (
        "08f74491a5243542ac4fc13719b33859cd809ec3c77784842ecb5a0601baacf4"
    ),
}


class Endpoint:
    """A merchant's endpoint. It keeps what it received, and sends `answers` in turn, then 200.

    None in `answers` closes the connection without a response.
    """

    def __init__(self) -> None:
        self.answers: list[int | None] = []
        self.received: list[tuple[str, bytes]] = []
        self._lock = threading.Lock()
        self._server = Server(self._serve)

    def __enter__(self) -> "Endpoint":
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    @property
    def url(self) -> str:
        return self._server.url + "/hook"

    @property
    def ids(self) -> list[str]:
        return [json.loads(body)["id"] for _, body in self.received]

    def _serve(self, environ, start_response):
        request = Request(environ)
        with self._lock:
            self.received.append((request.headers["Stripe-Signature"], request.get_data()))
            answer = self.answers.pop(0) if self.answers else 200
        if answer is None:
            drop(environ)
        return Response(status=answer)(environ, start_response)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def sending(endpoint: Endpoint) -> Iterator[StripeSimulator]:
    with serving(StripeSimulator(webhook_url=endpoint.url, webhook_secrets=[SECRET])) as simulator:
        yield simulator


def make_events(simulator: StripeSimulator, times: int = 1) -> list[str]:
    """Create intents and return the ids of their events, one for each."""
    before = len(simulator.events())
    for turn in range(times):
        identifier = f"pi_{before + turn}"
        simulator.seed_payment(identifier, amount=2000, currency="usd")
    return [str(each["id"]) for each in simulator.events()[before:]]


def statuses(simulator):
    return [each["status"] for each in simulator.webhooks.listed()]


@pytest.mark.parametrize("body", GOLDEN)
def test_sign_equals_the_golden_vectors(body):
    header = signing.sign(body.encode(), [SECRET], GOLDEN_AT)
    assert header.startswith(f"t={GOLDEN_AT},v1={GOLDEN[body]},v0=")


def test_event_is_delivered_signed_and_equals_the_listed_one(endpoint, sending):
    [event] = make_events(sending)
    assert sending.webhooks.is_quiet()
    [(header, body)] = endpoint.received
    found = stripe.Webhook.construct_event(body, header, SECRET)
    assert (found.id, found.type, found.pending_webhooks) == (event, "payment_intent.created", 1)
    listed = sending.events()[0]
    assert json.loads(body) == listed | {"pending_webhooks": 1}
    assert listed["pending_webhooks"] == 0
    assert statuses(sending) == ["delivered"]


def test_non_ascii_text_is_signed_as_sent(endpoint, sending):
    sending.seed_payment("pi_1", amount=2000, currency="usd", description="Žižkov €5")
    assert sending.webhooks.is_quiet()
    [(header, body)] = endpoint.received
    assert "Žižkov €5".encode() in body
    stripe.WebhookSignature.verify_header(body, header, SECRET, 300)


def test_delivery_with_two_secrets_verifies_with_either(endpoint, sending):
    sending.webhooks.point(endpoint.url, [SECRET, OLDER])
    make_events(sending)
    assert sending.webhooks.is_quiet()
    [(header, body)] = endpoint.received
    for secret in (SECRET, OLDER):
        stripe.Webhook.construct_event(body, header, secret)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body, header, "whsec_other")


def test_event_from_before_the_endpoint_is_sent_only_by_resend(endpoint):
    with serving(StripeSimulator()) as simulator:
        [before] = make_events(simulator)
        simulator.webhooks.point(endpoint.url, [SECRET])
        [after] = make_events(simulator)
        assert simulator.webhooks.is_quiet()
        assert endpoint.ids == [after]
        assert simulator.webhooks.resend(before) == 1
        assert simulator.webhooks.is_quiet()
        assert endpoint.ids == [after, before]
        simulator.webhooks.point("", [])
        make_events(simulator)
        assert simulator.webhooks.is_quiet()
        assert endpoint.ids == [after, before]


class TestRetries:
    @pytest.mark.parametrize("answer", [500, 404, 302, None])
    def test_refused_delivery_is_retried_at_once(self, endpoint, sending, answer):
        endpoint.answers = [answer]
        [event] = make_events(sending)
        assert sending.webhooks.is_quiet()
        assert endpoint.ids == [event, event]
        assert endpoint.received[0][1] == endpoint.received[1][1]
        assert statuses(sending) == ["delivered"]

    def test_retries_have_growing_pauses_on_the_simulated_clock(self, endpoint, sending):
        endpoint.answers = [500] * 4
        make_events(sending)
        for pause, tries in ((0, 2), (59, 2), (1, 3), (299, 3), (1, 4), (1800, 5), (9999, 5)):
            sending.advance(pause)
            assert sending.webhooks.is_quiet()
            assert len(endpoint.received) == tries
        assert statuses(sending) == ["delivered"]
        [listed] = sending.webhooks.listed()
        assert listed["deliveries"] == [{"state": "delivered", "answers": [500] * 4 + [200]}]

    def test_late_retry_has_a_new_signature_time(self, endpoint, sending):
        endpoint.answers = [500, 500]
        make_events(sending)
        assert sending.webhooks.is_quiet()
        sending.advance(3600)
        assert sending.webhooks.is_quiet()
        first, *_, last = (int(header[2:12]) for header, _ in endpoint.received)
        assert 3600 <= last - first < 3660

    def test_retries_stop_after_three_days(self, endpoint, sending):
        endpoint.answers = [500] * 100
        make_events(sending)
        for _ in range(20):
            assert sending.webhooks.is_quiet()
            sending.advance(36_000)
        assert statuses(sending) == ["given up"]
        assert len(endpoint.received) == 10

    def test_endpoint_that_was_down_gets_the_event_later(self, sending, endpoint):
        endpoint.__exit__()
        [event] = make_events(sending)
        assert sending.webhooks.is_quiet()
        assert statuses(sending) == ["waiting"]
        endpoint.__enter__()
        sending.advance(60)
        assert sending.webhooks.is_quiet()
        assert endpoint.ids == [event]


class TestSwitches:
    def test_duplicate_sends_the_same_bytes_again(self, endpoint, sending):
        sending.webhooks.switch(duplicate=2)
        [event] = make_events(sending)
        assert sending.webhooks.is_quiet()
        assert endpoint.ids == [event] * 3
        assert len({body for _, body in endpoint.received}) == 1

    def test_pause_sends_nothing_and_keeps_everything(self, endpoint, sending):
        sending.webhooks.switch(pause=True)
        events = make_events(sending, 5)
        assert sending.webhooks.is_quiet()
        assert endpoint.received == []
        sending.webhooks.switch(pause=False)
        assert sending.webhooks.is_quiet()
        assert sorted(endpoint.ids) == sorted(events)

    def test_reorder_delivers_all_in_another_order(self, endpoint, sending):
        sending.webhooks.switch(pause=True, reorder=True, seed=7)
        events = make_events(sending, 20)
        sending.webhooks.switch(pause=False)
        assert sending.webhooks.is_quiet()
        assert endpoint.ids != events
        assert sorted(endpoint.ids) == sorted(events)

    def test_delay_ms_sends_later_on_the_simulated_clock(self, endpoint, sending):
        sending.webhooks.switch(delay_ms=60_000)
        [event] = make_events(sending)
        assert sending.webhooks.is_quiet(timeout_s=0.1) is False
        assert endpoint.received == []
        sending.advance(60)
        assert sending.webhooks.is_quiet()
        assert endpoint.ids == [event]

    def test_drop_sends_nothing_until_resend(self, endpoint, sending):
        sending.webhooks.switch(drop=1)
        [event] = make_events(sending)
        sending.advance(3 * 86400)
        assert sending.webhooks.is_quiet()
        assert endpoint.received == []
        assert statuses(sending) == ["dropped"]
        sending.webhooks.resend(event)
        assert sending.webhooks.is_quiet()
        assert endpoint.ids == [event]

    def test_drop_share_chooses_the_same_events_for_the_same_seed(self, endpoint):
        def survivors() -> list[int]:
            with serving(StripeSimulator(0, endpoint.url, [SECRET])) as simulator:
                simulator.webhooks.switch(drop=0.5, seed=3)
                make_events(simulator, 20)
                found = statuses(simulator)
                return [turn for turn, status in enumerate(found) if status != "dropped"]

        first = survivors()
        assert 0 < len(first) < 20
        assert survivors() == first

    @pytest.mark.parametrize("tamper", ["body", "sig", "old_timestamp"])
    def test_tampered_delivery_does_not_verify(self, endpoint, sending, tamper):
        sending.webhooks.switch(tamper=tamper)
        make_events(sending)
        assert sending.webhooks.is_quiet()
        [(header, body)] = endpoint.received
        json.loads(body)
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(body, header, SECRET)
        sending.webhooks.switch(tamper="")
        sending.webhooks.resend("all")
        assert sending.webhooks.is_quiet()
        header, body = endpoint.received[-1]
        stripe.Webhook.construct_event(body, header, SECRET)

    def test_bad_switch_or_endpoint_raises_value_error(self, sending):
        for wrong in ({"tamper": "all"}, {"duplicate": -1}, {"drop": 2}, {"delay_ms": -1}):
            with pytest.raises(ValueError, match=r"tamper|duplicate"):
                sending.webhooks.switch(**wrong)
        for url, secrets in (("ftp://x", [SECRET]), ("http://127.0.0.1:1", [])):
            with pytest.raises(ValueError, match="an endpoint is"):
                sending.webhooks.point(url, secrets)

    def test_reset_clears_switches_and_deliveries_and_keeps_the_endpoint(self, endpoint, sending):
        sending.webhooks.switch(pause=True)
        make_events(sending)
        sending.reset()
        [event] = make_events(sending)
        assert sending.webhooks.is_quiet()
        assert endpoint.ids == [event]


def test_delivery_in_progress_at_reset_is_not_retried(endpoint, sending):
    endpoint.answers = [500] * 50
    make_events(sending, 50)
    sending.reset()
    assert sending.webhooks.is_quiet()
    assert sending.webhooks.listed() == []
    endpoint.answers = []
    [event] = make_events(sending)
    assert sending.webhooks.is_quiet()
    assert event in endpoint.ids
    assert statuses(sending) == ["delivered"]


def test_stop_sends_nothing_and_start_sends_the_rest(endpoint, sending):
    sending.stop()
    [event] = make_events(sending)
    assert sending.webhooks.is_quiet()
    assert endpoint.received == []
    sending.start()
    assert sending.webhooks.is_quiet()
    assert endpoint.ids == [event]


def test_signed_returns_a_delivery_that_verifies(sending):
    sending.webhooks.switch(pause=True)
    [event] = make_events(sending)
    body, header = sending.webhooks.signed(event)
    assert stripe.Webhook.construct_event(body, header, SECRET).id == event


def test_event_caused_by_the_clock_is_delivered(endpoint, sending):
    sending.seed_payment(
        "pi_1",
        amount=2000,
        currency="usd",
        confirm=True,
        return_url="https://shop.test/back",
        payment_method="pm_card_createDispute",
    )
    sending.advance(60)
    assert sending.webhooks.is_quiet()
    sent = [json.loads(body)["type"] for _, body in endpoint.received]
    assert "charge.dispute.created" in sent


def test_control_webhooks_sets_endpoint_and_switches(endpoint, http):
    assert http.control("GET", "webhooks").json()["url"] == ""
    given = {"url": endpoint.url, "secrets": [SECRET], "duplicate": 1}
    assert http.control("POST", "webhooks", given).json()["duplicate"] == 1
    intent = http.intent()["id"]
    while not (status := http.control("GET", "webhooks").json())["quiet"]:
        pass
    assert len(endpoint.received) == 2
    assert SECRET not in json.dumps(status)
    events = http.control("GET", "state").json()["events"]
    assert [(each["object"], each["status"]) for each in events] == [(intent, "delivered")]
    sent = http.control("POST", "webhooks/resend", {"event": events[0]["id"]}).json()
    assert sent == {"sent": 1}
    for name, wrong in (
        ("webhooks", {"invented": 1}),
        ("webhooks", {"tamper": "all"}),
        ("webhooks", {"url": "nowhere"}),
        ("webhooks/resend", {"event": "evt_nothing"}),
        ("webhooks/resend", {}),
    ):
        assert http.control("POST", name, wrong).status_code == 400
    http.control("POST", "webhooks", {"url": ""})
