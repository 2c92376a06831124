"""Fault injection, the control plane and the log. Source: docs/providers.md, section G."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from local.stripe.faults import KINDS, Fault
from local.stripe.server import serving
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
    """Confirms one intent with one key, so a lost response can be requested again."""
    intent = http.intent()["id"]
    path = f"{INTENTS}/{intent}/confirm"
    return lambda: http.post(path, {"payment_method": "pm_card_visa"}, Idempotency_Key="k")


@pytest.mark.parametrize(("kind", "status"), NO_EFFECT.items())
def test_fault_without_effect_returns_its_status_and_charges_nothing(
    confirm, simulator, kind, status
):
    simulator.fault("confirm", kind)
    assert confirm().status_code == status
    assert simulator.charges() == []
    again = confirm()
    assert (again.status_code, len(simulator.charges())) == (200, 1)
    assert "Idempotent-Replayed" not in again.headers


def test_fault_429_has_retry_after(confirm, simulator):
    simulator.fault("confirm", "429", retry_after=7)
    answer = confirm()
    assert (answer.headers["Retry-After"], answer.json()["error"]["code"]) == ("7", "rate_limit")


def test_fault_lock_timeout_has_its_code(confirm, simulator):
    simulator.fault("confirm", "lock_timeout")
    assert confirm().json()["error"]["code"] == "lock_timeout"


def test_fault_html_502_is_not_json(confirm, simulator):
    simulator.fault("confirm", "html_502")
    assert confirm().headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("kind", "charges"),
    [("drop_before", 0), ("drop_after", 1), ("hang_before", 0), ("hang_after", 1)],
)
def test_fault_that_loses_the_response_has_an_effect_only_after(confirm, simulator, kind, charges):
    simulator.fault("confirm", kind, seconds=0.2)
    with pytest.raises(requests.ConnectionError):
        confirm()
    assert len(simulator.charges()) == charges
    assert simulator.requests[-1].status is None
    again = confirm()
    assert (again.status_code, len(simulator.charges())) == (200, 1)
    assert ("Idempotent-Replayed" in again.headers) == (charges == 1)


def test_fault_hang_before_ends_in_a_client_timeout(http, simulator):
    simulator.fault("fetch", "hang_before", seconds=5)
    intent, started = http.intent()["id"], time.monotonic()
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{http.url}{INTENTS}/{intent}", timeout=0.2)
    assert time.monotonic() - started < 2


def serving_threads():
    return {each for each in threading.enumerate() if "process_request_thread" in each.name}


@pytest.mark.parametrize("kind", ["hang_before", "hang_after"])
def test_fault_that_hangs_ends_when_the_client_closes(http, simulator, kind):
    before = serving_threads()
    simulator.fault("fetch", kind)
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{http.url}{INTENTS}/pi_1", timeout=0.2)
    until = time.monotonic() + 2
    while serving_threads() - before and time.monotonic() < until:
        time.sleep(0.01)
    assert serving_threads() <= before


def test_fault_500_after_makes_the_charge(confirm, simulator):
    simulator.fault("confirm", "500_after")
    answer = confirm()
    assert (answer.status_code, answer.json()["error"]["type"]) == (500, "api_error")
    assert len(simulator.charges()) == 1


@pytest.mark.parametrize(("kind", "charges"), [("500_stored", 0), ("500_after", 1)])
def test_stored_500_is_replayed(confirm, simulator, kind, charges):
    simulator.fault("confirm", kind)
    first, again = confirm(), confirm()
    assert (first.status_code, again.status_code) == (500, 500)
    assert first.content == again.content
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Original-Request"] == first.headers["Request-Id"]
    assert len(simulator.charges()) == charges


def test_fault_500_stored_without_a_key_is_forgotten(http, simulator):
    intent = http.intent()["id"]
    simulator.fault("confirm", "500_stored")
    assert http.confirm(intent, "pm_card_visa").status_code == 500
    assert simulator.charges() == []
    assert http.confirm(intent, "pm_card_visa").status_code == 200


def test_fault_slow_has_its_effect_after_the_client_timeout(http, simulator):
    simulator.fault("create_payment", "slow", ms=300)
    headers = {"Authorization": "Bearer sk_test", "Stripe-Version": "2026-10-28.endive"}
    form = {"amount": "2000", "currency": "usd"}
    with pytest.raises(requests.ReadTimeout):
        requests.post(http.url + INTENTS, data=form, headers=headers, timeout=0.1)
    assert simulator.intents() == []
    time.sleep(0.4)
    assert len(simulator.intents()) == 1


def test_fault_truncated_body_breaks_the_connection(confirm, simulator):
    simulator.fault("confirm", "truncated_body")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        confirm()
    assert len(simulator.charges()) == 1


def test_fault_truncated_body_framed_is_valid_http_and_not_json(http, simulator):
    intent = http.intent()["id"]
    simulator.fault("fetch", "truncated_body", framed=True)
    headers = {"Authorization": "Bearer sk_test", "Stripe-Version": "2026-10-28.endive"}
    answer = requests.get(f"{http.url}{INTENTS}/{intent}", headers=headers, timeout=5)
    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_every_kind_of_fault_is_tested():
    without_response = {"drop_before", "drop_after", "hang_before", "hang_after"}
    assert KINDS.keys() == NO_EFFECT.keys() | without_response | {
        "500_stored",
        "500_after",
        "stale",
        "slow",
        "truncated_body",
    }


def test_unknown_kind_of_fault_raises_value_error():
    with pytest.raises(ValueError, match="unknown kind"):
        Fault("explode")


class TestWhichRequests:
    def statuses(self, http, count):
        return [http.get("/v1/customers").status_code for _ in range(count)]

    def test_fault_acts_on_the_nth_request_and_the_next(self, http, simulator):
        simulator.fault("list_customers", "503", times=2, nth=2)
        assert self.statuses(http, 4) == [200, 503, 503, 200]

    def test_fault_without_times_acts_until_cleared(self, http, simulator):
        simulator.fault("", "503", times=None)
        assert self.statuses(http, 3) == [503, 503, 503]
        simulator.faults.clear()
        assert self.statuses(http, 1) == [200]

    def test_fault_matches_by_path_and_method(self, http, simulator):
        simulator.fault("", "503", times=None, path="/v1/payment_intents/*/confirm")
        simulator.fault("", "429", times=None, method="DELETE")
        assert self.statuses(http, 1) == [200]
        assert http.confirm("pi_1").status_code == 503
        assert http.send("DELETE", "/v1/customers/cus_1").status_code == 429

    def test_faults_act_one_after_the_other(self, http, simulator):
        simulator.fault("list_customers", "503")
        simulator.fault("list_customers", "429")
        assert self.statuses(http, 3) == [503, 429, 200]


class TestControl:
    def test_control_faults_sets_lists_and_clears(self, http):
        fault = {"match": {"operation": "fetch", "nth": 1}, "kind": "503", "times": 1}
        assert http.control("POST", "faults", fault).status_code == 200
        assert http.get(f"{INTENTS}/pi_1").status_code == 503
        assert http.control("GET", "faults").json()[0]["fired"] == 1
        http.control("DELETE", "faults")
        assert http.control("GET", "faults").json() == []

    @pytest.mark.parametrize("fault", [{"kind": "x"}, {"kind": "503", "colour": 1}, {}, [], 1])
    def test_bad_fault_returns_400(self, http, fault):
        assert http.control("POST", "faults", fault).status_code == 400

    def test_log_has_requests_as_they_were_sent(self, http, simulator):
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

    def test_control_state_and_reset(self, http, simulator):
        http.confirm(http.intent(customer=http.customer())["id"], "pm_card_visa")
        state = http.control("GET", "state").json()
        sizes = {name: len(state[name]) for name in ("customers", "payment_intents", "charges")}
        assert sizes == {"customers": 1, "payment_intents": 1, "charges": 1}
        simulator.fault("fetch", "503")
        http.control("POST", "reset")
        state = http.control("GET", "state").json()
        assert state["charges"] == state["payment_intents"] == state["faults"] == []
        assert simulator.requests == []

    def test_control_clock_moves_the_time(self, http):
        before = http.intent()["created"]
        http.control("POST", "clock", {"advance": 3600})
        assert 3590 < http.intent()["created"] - before < 3700

    def test_unknown_control_returns_404(self, http):
        assert http.control("GET", "nothing").status_code == 404


class TestStartAndStop:
    def test_stop_ends_hanging_requests_and_refuses_new_ones(self):
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

    def test_start_after_stop_has_the_same_port_and_state(self):
        simulator = StripeSimulator()
        with serving(simulator):
            simulator.seed_customer("cus_1", email="a@b.test")
            url = simulator.url
        with serving(simulator):
            assert simulator.url == url
            assert simulator.customers()[0]["email"] == "a@b.test"

    def test_start_on_a_taken_port_raises_os_error(self, simulator):
        port = int(simulator.url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            StripeSimulator(port).start()


class TestSeeds:
    def test_seed_payment_pays_under_the_chosen_id(self, http, simulator):
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
