"""Faults, the control plane, and the log. Source: contracts/providers.md, section G, Common."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from local.stripe.faults import KINDS, Fault
from local.stripe.simulator import StripeSimulator

INTENTS = "/v1/payment_intents"
NO_EFFECT = {
    "500_before": 500,
    "429": 429,
    "503": 503,
    "html_502": 502,
    "401": 401,
    "403": 403,
    "409": 409,
    "lock_timeout": 429,
}


@pytest.fixture
def confirm(http):
    """Confirm one intent under one key, so that what a fault lost can be asked for again."""
    intent = http.intent()["id"]
    path = f"{INTENTS}/{intent}/confirm"
    return lambda: http.post(path, {"payment_method": "pm_card_visa"}, Idempotency_Key="k")


@pytest.mark.parametrize(("kind", "status"), NO_EFFECT.items())
def test_an_answer_without_effect(confirm, simulator, kind, status):
    simulator.fault("confirm", kind)
    assert confirm().status_code == status
    assert simulator.charges() == []
    again = confirm()
    assert (again.status_code, len(simulator.charges())) == (200, 1)
    assert "Idempotent-Replayed" not in again.headers


def test_too_many_requests_say_when_to_come_back(confirm, simulator):
    simulator.fault("confirm", "429", retry_after=7)
    answer = confirm()
    assert (answer.headers["Retry-After"], answer.json()["error"]["code"]) == ("7", "rate_limit")


def test_a_locked_object_says_so(confirm, simulator):
    simulator.fault("confirm", "lock_timeout")
    assert confirm().json()["error"]["code"] == "lock_timeout"


def test_a_proxys_page_is_no_json(confirm, simulator):
    simulator.fault("confirm", "html_502")
    assert confirm().headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("kind", "charges"),
    [("drop_before", 0), ("drop_after", 1), ("hang_before", 0), ("hang_after", 1)],
)
def test_a_lost_answer_tells_nothing_of_the_effect(confirm, simulator, kind, charges):
    simulator.fault("confirm", kind, seconds=0.2)
    with pytest.raises(requests.ConnectionError):
        confirm()
    assert len(simulator.charges()) == charges
    assert simulator.requests[-1].status is None
    again = confirm()
    assert (again.status_code, len(simulator.charges())) == (200, 1)
    assert ("Idempotent-Replayed" in again.headers) == (charges == 1)


def test_a_hanging_request_outlives_the_patience_of_the_client(http, simulator):
    simulator.fault("fetch", "hang_before", seconds=5)
    intent, started = http.intent()["id"], time.monotonic()
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{http.url}{INTENTS}/{intent}", timeout=0.2)
    assert time.monotonic() - started < 2


def test_the_effect_of_a_500_after_is_there(confirm, simulator):
    simulator.fault("confirm", "500_after")
    answer = confirm()
    assert (answer.status_code, answer.json()["error"]["type"]) == (500, "api_error")
    assert len(simulator.charges()) == 1


def test_a_slow_effect_comes_after_the_client_gave_up(http, simulator):
    simulator.fault("create_payment", "slow", ms=300)
    headers = {"Authorization": "Bearer sk_test", "Stripe-Version": "2026-10-28.endive"}
    form = {"amount": "2000", "currency": "usd"}
    with pytest.raises(requests.ReadTimeout):
        requests.post(http.url + INTENTS, data=form, headers=headers, timeout=0.1)
    assert simulator.intents() == []
    time.sleep(0.4)
    assert len(simulator.intents()) == 1


def test_a_body_cut_short_breaks_the_connection(confirm, simulator):
    simulator.fault("confirm", "truncated_body")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        confirm()
    assert len(simulator.charges()) == 1


def test_a_body_cut_short_by_a_proxy_is_whole_to_http_and_no_json(http, simulator):
    intent = http.intent()["id"]
    simulator.fault("fetch", "truncated_body", framed=True)
    headers = {"Authorization": "Bearer sk_test", "Stripe-Version": "2026-10-28.endive"}
    answer = requests.get(f"{http.url}{INTENTS}/{intent}", headers=headers, timeout=5)
    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_every_kind_is_tried_here():
    others = {"drop_before", "drop_after", "hang_before", "hang_after"}
    assert KINDS.keys() == NO_EFFECT.keys() | others | {"500_after", "slow", "truncated_body"}


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="unknown kind"):
        Fault("explode")


class TestWhichRequests:
    def statuses(self, http, count):
        return [http.get("/v1/customers").status_code for _ in range(count)]

    def test_the_nth_and_the_next(self, http, simulator):
        simulator.fault("list_customers", "503", times=2, nth=2)
        assert self.statuses(http, 4) == [200, 503, 503, 200]

    def test_for_ever(self, http, simulator):
        simulator.fault("", "503", times=None)
        assert self.statuses(http, 3) == [503, 503, 503]
        simulator.faults.clear()
        assert self.statuses(http, 1) == [200]

    def test_by_path_and_method(self, http, simulator):
        simulator.fault("", "503", times=None, path="/v1/payment_intents/*/confirm")
        simulator.fault("", "429", times=None, method="DELETE")
        assert self.statuses(http, 1) == [200]
        assert http.confirm("pi_1").status_code == 503
        assert http.send("DELETE", "/v1/customers/cus_1").status_code == 429

    def test_one_after_the_other(self, http, simulator):
        simulator.fault("list_customers", "503")
        simulator.fault("list_customers", "429")
        assert self.statuses(http, 3) == [503, 429, 200]


class TestControl:
    def test_faults_are_set_by_http_too(self, http):
        fault = {"match": {"operation": "fetch", "nth": 1}, "kind": "503", "times": 1}
        assert http.control("POST", "faults", fault).status_code == 200
        assert http.get(f"{INTENTS}/pi_1").status_code == 503
        assert http.control("GET", "faults").json()[0]["fired"] == 1
        http.control("DELETE", "faults")
        assert http.control("GET", "faults").json() == []

    @pytest.mark.parametrize("fault", [{"kind": "x"}, {"kind": "503", "colour": 1}, {}, [], 1])
    def test_a_fault_that_makes_no_sense_is_400(self, http, fault):
        assert http.control("POST", "faults", fault).status_code == 400

    def test_the_log_is_verbatim(self, http, simulator):
        http.post("/v1/customers", "name=A%20B&metadata[x]=1", Idempotency_Key="k")
        (logged,) = http.control("GET", "requests").json()
        assert logged["body"] == "name=A%20B&metadata[x]=1"
        assert (logged["method"], logged["path"], logged["status"]) == (
            "POST",
            "/v1/customers",
            200,
        )
        assert logged["headers"]["Idempotency-Key"] == "k"
        (kept,) = simulator.requests
        assert kept.form == {"name": "A B", "metadata[x]": "1"}
        assert (kept.headers["IDEMPOTENCY-KEY"], kept.operation) == ("k", "create_customer")
        assert simulator.log.counts == {"create_customer": 1}

    def test_state_and_reset(self, http, simulator):
        http.confirm(http.intent(customer=http.customer())["id"], "pm_card_visa")
        state = http.control("GET", "state").json()
        sizes = {name: len(state[name]) for name in ("customers", "payment_intents", "charges")}
        assert sizes == {"customers": 1, "payment_intents": 1, "charges": 1}
        simulator.fault("fetch", "503")
        http.control("POST", "reset")
        state = http.control("GET", "state").json()
        assert state["charges"] == state["payment_intents"] == state["faults"] == []
        assert simulator.requests == []

    def test_the_clock_moves(self, http):
        before = http.intent()["created"]
        http.control("POST", "clock", {"advance": 3600})
        assert 3590 < http.intent()["created"] - before < 3700

    def test_an_unknown_control_is_404(self, http):
        assert http.control("GET", "nothing").status_code == 404


class TestStartAndStop:
    def test_stopping_lets_go_of_hanging_requests_and_refuses_new_ones(self):
        simulator = StripeSimulator().start()
        url = f"{simulator.url}/v1/customers"
        simulator.fault("list_customers", "hang_before", seconds=30)
        with ThreadPoolExecutor() as pool:
            hanging = pool.submit(requests.get, url, timeout=10)
            while not simulator.requests:
                time.sleep(0.005)
            simulator.stop()
            assert isinstance(hanging.exception(timeout=2), requests.ConnectionError)
        with pytest.raises(requests.ConnectionError):
            requests.get(url, timeout=1)

    def test_it_comes_back_on_its_port_with_what_it_held(self):
        simulator = StripeSimulator()
        with simulator:
            simulator.seed_customer("cus_1", email="a@b.test")
            url = simulator.url
        with simulator:
            assert simulator.url == url
            assert simulator.customers()[0]["email"] == "a@b.test"

    def test_a_port_that_is_taken_is_an_error(self, simulator):
        port = int(simulator.url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            StripeSimulator(port).start()


class TestSeeds:
    def test_a_seeded_payment_is_paid_under_its_chosen_id(self, http, simulator):
        simulator.seed_customer("cus_jane", email="jane@example.com")
        simulator.seed_method("pm_saved", "cus_jane")
        made = simulator.seed_payment(
            "pi_stripe_abc123",
            amount=2000,
            currency="usd",
            customer="cus_jane",
            payment_method="pm_saved",
            metadata={"payment_id": "pay_123"},
            automatic_payment_methods={"enabled": True, "allow_redirects": "never"},
            confirm=True,
        )
        assert made["status"] == "succeeded"
        assert http.get(f"{INTENTS}/pi_stripe_abc123").json() == made
        assert len(simulator.charges()) == 1
