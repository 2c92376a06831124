"""Signed deliveries over real HTTP: what arrives, how often, and what goes wrong on the way."""

import json
import threading
from collections.abc import Iterator

import pytest
import stripe
from werkzeug.wrappers import Request, Response

from local.stripe import signing
from local.stripe.server import Server, drop
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
    """A merchant's endpoint: keeps what arrives, answers `answers` in turn and then 200."""

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
def stripe_there(endpoint: Endpoint) -> Iterator[StripeSimulator]:
    with StripeSimulator(webhook_url=endpoint.url, webhook_secrets=[SECRET]) as simulator:
        yield simulator


def happen(simulator: StripeSimulator, times: int = 1) -> list[str]:
    """Let intents be created; each is one event, whose ids are returned."""
    before = len(simulator.events())
    for turn in range(times):
        identifier = f"pi_{before + turn}"
        simulator.seed_payment(identifier, amount=2000, currency="usd")
    return [str(each["id"]) for each in simulator.events()[before:]]


def statuses(simulator):
    return [each["status"] for each in simulator.webhooks.listed()]


@pytest.mark.parametrize("body", GOLDEN)
def test_signatures_are_those_of_the_golden_vectors(body):
    header = signing.sign(body.encode(), [SECRET], GOLDEN_AT)
    assert header.startswith(f"t={GOLDEN_AT},v1={GOLDEN[body]},v0=")


def test_an_event_arrives_signed_and_is_the_one_that_is_listed(endpoint, stripe_there):
    [event] = happen(stripe_there)
    assert stripe_there.webhooks.is_quiet()
    [(header, body)] = endpoint.received
    found = stripe.Webhook.construct_event(body, header, SECRET)
    assert (found.id, found.type, found.pending_webhooks) == (event, "payment_intent.created", 1)
    shown = stripe_there.events()[0]
    assert json.loads(body) == shown | {"pending_webhooks": 1}
    assert shown["pending_webhooks"] == 0
    assert statuses(stripe_there) == ["delivered"]


def test_text_beyond_ascii_is_signed_as_it_is_sent(endpoint, stripe_there):
    stripe_there.seed_payment("pi_1", amount=2000, currency="usd", description="Žižkov €5")
    assert stripe_there.webhooks.is_quiet()
    [(header, body)] = endpoint.received
    assert "Žižkov €5".encode() in body
    stripe.WebhookSignature.verify_header(body, header, SECRET, 300)


def test_while_a_secret_is_rolled_either_one_verifies(endpoint, stripe_there):
    stripe_there.webhooks.point(endpoint.url, [SECRET, OLDER])
    happen(stripe_there)
    assert stripe_there.webhooks.is_quiet()
    [(header, body)] = endpoint.received
    for secret in (SECRET, OLDER):
        stripe.Webhook.construct_event(body, header, secret)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body, header, "whsec_other")


def test_what_happened_before_there_was_an_endpoint_is_not_sent(endpoint):
    with StripeSimulator() as simulator:
        [before] = happen(simulator)
        simulator.webhooks.point(endpoint.url, [SECRET])
        [after] = happen(simulator)
        assert simulator.webhooks.is_quiet()
        assert endpoint.ids == [after]
        assert simulator.webhooks.resend(before) == 1
        assert simulator.webhooks.is_quiet()
        assert endpoint.ids == [after, before]
        simulator.webhooks.point("", [])
        happen(simulator)
        assert simulator.webhooks.is_quiet()
        assert endpoint.ids == [after, before]


class TestRetries:
    @pytest.mark.parametrize("answer", [500, 404, 302, None])
    def test_what_is_not_taken_comes_again_at_once(self, endpoint, stripe_there, answer):
        endpoint.answers = [answer]
        [event] = happen(stripe_there)
        assert stripe_there.webhooks.is_quiet()
        assert endpoint.ids == [event, event]
        assert endpoint.received[0][1] == endpoint.received[1][1]
        assert statuses(stripe_there) == ["delivered"]

    def test_then_with_growing_pauses_by_the_simulated_clock(self, endpoint, stripe_there):
        endpoint.answers = [500] * 4
        happen(stripe_there)
        for pause, tries in ((0, 2), (59, 2), (1, 3), (299, 3), (1, 4), (1800, 5), (9999, 5)):
            stripe_there.advance(pause)
            assert stripe_there.webhooks.is_quiet()
            assert len(endpoint.received) == tries
        assert statuses(stripe_there) == ["delivered"]
        [shown] = stripe_there.webhooks.listed()
        assert shown["deliveries"] == [{"state": "delivered", "answers": [500] * 4 + [200]}]

    def test_a_late_try_is_signed_anew(self, endpoint, stripe_there):
        endpoint.answers = [500, 500]
        happen(stripe_there)
        assert stripe_there.webhooks.is_quiet()
        stripe_there.advance(3600)
        assert stripe_there.webhooks.is_quiet()
        first, *_, last = (int(header[2:12]) for header, _ in endpoint.received)
        assert 3600 <= last - first < 3660

    def test_nobody_tries_for_more_than_three_days(self, endpoint, stripe_there):
        endpoint.answers = [500] * 100
        happen(stripe_there)
        for _ in range(20):
            assert stripe_there.webhooks.is_quiet()
            stripe_there.advance(36_000)
        assert statuses(stripe_there) == ["given up"]
        assert len(endpoint.received) == 10

    def test_an_endpoint_that_is_down_gets_it_when_it_is_back(self, stripe_there, endpoint):
        endpoint.__exit__()
        [event] = happen(stripe_there)
        assert stripe_there.webhooks.is_quiet()
        assert statuses(stripe_there) == ["waiting"]
        endpoint.__enter__()
        stripe_there.advance(60)
        assert stripe_there.webhooks.is_quiet()
        assert endpoint.ids == [event]


class TestSwitches:
    def test_duplicates_are_the_same_to_the_byte(self, endpoint, stripe_there):
        stripe_there.webhooks.switch(duplicate=2)
        [event] = happen(stripe_there)
        assert stripe_there.webhooks.is_quiet()
        assert endpoint.ids == [event] * 3
        assert len({body for _, body in endpoint.received}) == 1

    def test_a_pause_keeps_everything(self, endpoint, stripe_there):
        stripe_there.webhooks.switch(pause=True)
        events = happen(stripe_there, 5)
        assert stripe_there.webhooks.is_quiet()
        assert endpoint.received == []
        stripe_there.webhooks.switch(pause=False)
        assert stripe_there.webhooks.is_quiet()
        assert sorted(endpoint.ids) == sorted(events)

    def test_reordered_they_all_arrive_in_another_order(self, endpoint, stripe_there):
        stripe_there.webhooks.switch(pause=True, reorder=True, seed=7)
        events = happen(stripe_there, 20)
        stripe_there.webhooks.switch(pause=False)
        assert stripe_there.webhooks.is_quiet()
        assert endpoint.ids != events
        assert sorted(endpoint.ids) == sorted(events)

    def test_a_delay_holds_them_back(self, endpoint, stripe_there):
        stripe_there.webhooks.switch(delay_ms=60_000)
        [event] = happen(stripe_there)
        assert stripe_there.webhooks.is_quiet(timeout_s=0.1) is False
        assert endpoint.received == []
        stripe_there.advance(60)
        assert stripe_there.webhooks.is_quiet()
        assert endpoint.ids == [event]

    def test_what_is_dropped_never_comes(self, endpoint, stripe_there):
        stripe_there.webhooks.switch(drop=1)
        [event] = happen(stripe_there)
        stripe_there.advance(3 * 86400)
        assert stripe_there.webhooks.is_quiet()
        assert endpoint.received == []
        assert statuses(stripe_there) == ["dropped"]
        stripe_there.webhooks.resend(event)
        assert stripe_there.webhooks.is_quiet()
        assert endpoint.ids == [event]

    def test_a_share_is_dropped_and_the_seed_says_which(self, endpoint):
        def survivors() -> list[int]:
            with StripeSimulator(webhook_url=endpoint.url, webhook_secrets=[SECRET]) as simulator:
                simulator.webhooks.switch(drop=0.5, seed=3)
                happen(simulator, 20)
                found = statuses(simulator)
                return [turn for turn, status in enumerate(found) if status != "dropped"]

        first = survivors()
        assert 0 < len(first) < 20
        assert survivors() == first

    @pytest.mark.parametrize("tamper", ["body", "sig", "old_timestamp"])
    def test_what_was_tampered_with_does_not_verify(self, endpoint, stripe_there, tamper):
        stripe_there.webhooks.switch(tamper=tamper)
        happen(stripe_there)
        assert stripe_there.webhooks.is_quiet()
        [(header, body)] = endpoint.received
        json.loads(body)
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(body, header, SECRET)
        stripe_there.webhooks.switch(tamper="")
        stripe_there.webhooks.resend("all")
        assert stripe_there.webhooks.is_quiet()
        header, body = endpoint.received[-1]
        stripe.Webhook.construct_event(body, header, SECRET)

    def test_a_switch_that_makes_no_sense_is_refused(self, stripe_there):
        for wrong in ({"tamper": "all"}, {"duplicate": -1}, {"drop": 2}, {"delay_ms": -1}):
            with pytest.raises(ValueError, match=r"tamper|duplicate"):
                stripe_there.webhooks.switch(**wrong)
        for url, secrets in (("ftp://x", [SECRET]), ("http://127.0.0.1:1", [])):
            with pytest.raises(ValueError, match="an endpoint is"):
                stripe_there.webhooks.point(url, secrets)

    def test_reset_forgets_switches_and_deliveries_but_not_the_endpoint(
        self, endpoint, stripe_there
    ):
        stripe_there.webhooks.switch(pause=True)
        happen(stripe_there)
        stripe_there.reset()
        [event] = happen(stripe_there)
        assert stripe_there.webhooks.is_quiet()
        assert endpoint.ids == [event]


def test_a_delivery_under_way_at_a_reset_is_not_tried_again(endpoint, stripe_there):
    endpoint.answers = [500] * 50
    happen(stripe_there, 50)
    stripe_there.reset()
    assert stripe_there.webhooks.is_quiet()
    assert stripe_there.webhooks.listed() == []
    endpoint.answers = []
    [event] = happen(stripe_there)
    assert stripe_there.webhooks.is_quiet()
    assert event in endpoint.ids
    assert statuses(stripe_there) == ["delivered"]


def test_stopped_it_sends_nothing_and_started_again_all(endpoint, stripe_there):
    stripe_there.stop()
    [event] = happen(stripe_there)
    assert stripe_there.webhooks.is_quiet()
    assert endpoint.received == []
    stripe_there.start()
    assert stripe_there.webhooks.is_quiet()
    assert endpoint.ids == [event]


def test_a_test_can_deliver_by_itself(stripe_there):
    stripe_there.webhooks.switch(pause=True)
    [event] = happen(stripe_there)
    body, header = stripe_there.webhooks.signed(event)
    assert stripe.Webhook.construct_event(body, header, SECRET).id == event


def test_what_the_clock_brings_is_sent_without_anybody_asking(endpoint, stripe_there):
    stripe_there.seed_payment(
        "pi_1",
        amount=2000,
        currency="usd",
        confirm=True,
        return_url="https://shop.test/back",
        payment_method="pm_card_createDispute",
    )
    stripe_there.advance(60)
    assert stripe_there.webhooks.is_quiet()
    sent = [json.loads(body)["type"] for _, body in endpoint.received]
    assert "charge.dispute.created" in sent


def test_the_control_plane_sets_the_endpoint_and_the_switches(endpoint, http):
    assert http.control("GET", "webhooks").json()["url"] == ""
    given = {"url": endpoint.url, "secrets": [SECRET], "duplicate": 1}
    assert http.control("POST", "webhooks", given).json()["duplicate"] == 1
    intent = http.intent()["id"]
    while not (shown := http.control("GET", "webhooks").json())["quiet"]:
        pass
    assert len(endpoint.received) == 2
    assert SECRET not in json.dumps(shown)
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
