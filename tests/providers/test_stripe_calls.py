"""How calls are sent to Stripe: tries, time limits, errors; over real HTTP.

Source: docs/providers.md, section C; docs/providers.md, section F.
"""

import socket
import threading
import time
import traceback
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from bridge import ssm
from bridge.errors import (
    NotExecuted,
    ProviderRejectedUs,
    ProviderUnavailable,
    Refused,
    UnknownOutcome,
)
from bridge.models.customer import Guest
from bridge.models.payment import Payment
from local.stripe.simulator import StripeSimulator
from tests.providers.conftest import (
    ADAPTER,
    EACH_KIND,
    EACH_VERB,
    VERBS,
    VERSION,
    confirm,
    create,
    customer,
    fetch,
    opened,
    payment,
    sent,
    soon,
    update,
)

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")


@EACH_VERB
def test_every_request_has_the_pinned_version_and_no_telemetry(
    stripe_simulator: StripeSimulator, row: Payment, operation: str
) -> None:
    verb, _ = VERBS[operation]
    verb(row)
    request = sent(stripe_simulator, operation)
    assert request.headers["Stripe-Version"] == VERSION
    assert request.headers["Authorization"] == "Bearer " + ssm.secret("STRIPE_SECRET_KEY")
    assert "X-Stripe-Client-Telemetry" not in request.headers
    assert request.status == 200


@EACH_VERB
@pytest.mark.parametrize("kind", ["429", "lock_timeout"])
def test_rate_limit_raises_unavailable_after_one_try(
    stripe_simulator: StripeSimulator, row: Payment, operation: str, kind: str
) -> None:
    stripe_simulator.fault(operation, kind, times=None)
    with pytest.raises(ProviderUnavailable) as refused:
        VERBS[operation][0](row)
    assert refused.value.retry_after
    assert stripe_simulator.log.counts[operation] == 1


@EACH_KIND
@pytest.mark.parametrize("kind", ["401", "403"])
def test_wrong_credentials_raise_rejected_us_after_two_tries(
    stripe_simulator: StripeSimulator, row: Payment, operation: str, kind: str
) -> None:
    stripe_simulator.fault(operation, kind, times=None)
    with pytest.raises(ProviderRejectedUs) as refused:
        VERBS[operation][0](row)
    assert refused.value.status == 502
    assert stripe_simulator.log.counts[operation] == 2


@EACH_KIND
def test_rotated_key_is_read_again_for_the_second_try(
    stripe_simulator: StripeSimulator,
    row: Payment,
    operation: str,
    put_secret: Callable[[str, str], None],
) -> None:
    put_secret("STRIPE_SECRET_KEY", "rk_the_old_one")
    ssm.forget_secrets()
    assert ssm.secret("STRIPE_SECRET_KEY") == "rk_the_old_one"  # and it is kept
    put_secret("STRIPE_SECRET_KEY", "sk_test_the_new_one")
    VERBS[operation][0](row)
    tried = [each for each in stripe_simulator.requests if each.operation == operation]
    bearers = [each.headers["Authorization"].split()[1] for each in tried]
    assert bearers == ["rk_the_old_one", "sk_test_the_new_one"]
    assert len({each.headers.get("Idempotency-Key") for each in tried}) == 1


@EACH_VERB
def test_refused_connection_raises_unavailable(
    stripe_simulator: StripeSimulator, row: Payment, operation: str
) -> None:
    stripe_simulator.stop()
    try:
        with pytest.raises(ProviderUnavailable) as refused:
            VERBS[operation][0](row)
    finally:
        stripe_simulator.start()
    assert (refused.value.status, refused.value.code) == (503, "provider_unavailable")


@EACH_VERB
@pytest.mark.parametrize(
    "kind",
    [
        "drop_before",
        "drop_after",
        "500_before",
        "500_after",
        "503",
        "html_502",
        "truncated_body",
        "409",
    ],
)
def test_unknown_outcome_is_raised_after_the_safe_number_of_tries(
    stripe_simulator: StripeSimulator, row: Payment, operation: str, kind: str
) -> None:
    """A confirm is sent once: the bank may be charging; from there on only status checks."""
    verb, tries = VERBS[operation]
    stripe_simulator.fault(operation, kind, times=None)
    with pytest.raises(UnknownOutcome):
        verb(row)
    sent_keys = [each.headers.get("Idempotency-Key") for each in stripe_simulator.requests]
    assert len(sent_keys) == tries
    assert len(set(sent_keys)) == 1 or operation in ("update_customer", "attach", "detach")


@pytest.mark.parametrize("operation", [each for each in VERBS if each != "confirm"])
@pytest.mark.parametrize("kind", ["drop_after", "500_before", "truncated_body"])
def test_answer_of_the_second_try_to_the_same_key_is_the_result(
    stripe_simulator: StripeSimulator, row: Payment, operation: str, kind: str
) -> None:
    stripe_simulator.fault(operation, kind)
    before = len(stripe_simulator.intents()), len(stripe_simulator.customers())
    VERBS[operation][0](row)
    assert stripe_simulator.log.counts[operation] == 2
    made = int(operation == "create_payment"), int(operation == "create_customer")
    after = len(stripe_simulator.intents()), len(stripe_simulator.customers())
    assert after == (before[0] + made[0], before[1] + made[1])


def test_500_that_stripe_has_stored_stays_unknown(
    stripe_simulator: StripeSimulator, row: Payment
) -> None:
    """The effect is there, and the key replays the 500: only a status check finds out."""
    stripe_simulator.fault("update_payment", "500_after")
    changed = replace(row, total_cents=3000)
    with pytest.raises(UnknownOutcome) as first:
        update(changed)
    assert stripe_simulator.log.counts["update_payment"] == 2
    assert (first.value.server_errors, first.value.is_stored) == (2, True)
    with pytest.raises(UnknownOutcome) as later:
        update(changed)
    assert (later.value.server_errors, later.value.is_stored) == (1, True)
    assert fetch(row).total_cents == 3000


def test_stored_500_of_a_call_that_is_sent_once_shows_at_the_next_call(
    stripe_simulator: StripeSimulator, row: Payment
) -> None:
    stripe_simulator.fault("confirm", "500_after")
    for is_stored in (False, True):
        with pytest.raises(UnknownOutcome) as unknown:
            confirm(row)
        assert (unknown.value.server_errors, unknown.value.is_stored) == (1, is_stored)


@pytest.mark.parametrize(
    ("kind", "server_errors"),
    [
        ("500_before", 2),
        ("503", 2),
        ("html_502", 2),
        ("drop_before", 0),
        ("drop_after", 0),
        ("truncated_body", 0),
        ("409", 0),
    ],
)
def test_rule17_every_5xx_is_counted_and_none_is_stored_unless_it_is_replayed(
    stripe_simulator: StripeSimulator, kind: str, server_errors: int
) -> None:
    stripe_simulator.fault("create_payment", kind, times=None)
    with pytest.raises(UnknownOutcome) as unknown:
        create(payment())
    assert (unknown.value.server_errors, unknown.value.is_stored) == (server_errors, False)


def test_rule17_5xx_of_one_try_counts_if_the_other_try_gets_no_response(
    stripe_simulator: StripeSimulator,
) -> None:
    stripe_simulator.fault("create_payment", "500_before")
    stripe_simulator.fault("create_payment", "drop_before", times=None)
    with pytest.raises(UnknownOutcome) as unknown:
        create(payment())
    assert (unknown.value.server_errors, unknown.value.is_stored) == (1, False)


def test_key_with_other_parameters_raises_unknown_outcome(
    row: Payment,
) -> None:
    update(row)
    with pytest.raises(UnknownOutcome):
        update(replace(row, total_cents=3000))


class Vanishing:
    """A server that takes one request, sends no answer and then listens no more."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        self.received = b""

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        self.received = connection.recv(65536)
        self._listener.close()
        connection.close()

    def join(self) -> None:
        self._thread.join(timeout=5)


@pytest.mark.parametrize("operation", ["create_payment", "fetch"])
def test_rule4_unknown_try_then_refused_connection_is_unknown(
    row: Payment,
    operation: str,
    put_secret: Callable[[str, str], None],
    setting: Callable[[str, str], None],
) -> None:
    """The last try alone does not decide. Source: docs/payment-correctness.md, rule 4."""
    server = Vanishing()
    put_secret(
        "STRIPE_SECRET_KEY", f"sk_test_vanishing_{operation}"
    )  # a client of its own, with that address
    ssm.forget_secrets()
    setting("STRIPE_BASE_URL", server.url)
    with pytest.raises(UnknownOutcome):
        VERBS[operation][0](row)
    server.join()
    assert server.received


@pytest.mark.parametrize(
    ("act", "field", "reason"),
    [
        (lambda: create(payment(total_cents=3)), "total_cents", "amount_too_small"),
        (lambda: create(payment(total_cents=10**9)), "total_cents", "amount_too_large"),
        (lambda: create(payment(currency="KPW")), "currency", None),
        (
            lambda: create(payment(), "pm_nobody"),
            "payment_method_id",
            "resource_missing",
        ),
        (lambda: create(payment(provider_customer_id="cus_no")), "customer_id", "resource_missing"),
        (
            lambda: create(payment(guest=Guest(email="j@bücher.example", name="J"))),
            "guest_data.email",
            "email_invalid",
        ),
        (
            lambda: ADAPTER.create_customer(
                customer(email="j@bücher.example"), key="k", ends_at=soon()
            ),
            "email",
            "email_invalid",
        ),
        (lambda: confirm(opened(), "pm_nobody"), "payment_method_id", "resource_missing"),
    ],
)
def test_bad_input_raises_refused_with_our_field(
    act: Callable[[], object], field: str, reason: str | None
) -> None:
    with pytest.raises(Refused) as refused:
        act()
    assert refused.value.status == 400
    assert [detail.field for detail in refused.value.details] == [field]
    assert refused.value.reason == reason


def test_unknown_intent_raises_provider_rejected_us(row: Payment) -> None:
    with pytest.raises(ProviderRejectedUs):
        fetch(replace(row, provider_payment_id="pi_nobody"))


@EACH_VERB
@pytest.mark.parametrize("seconds", [5.5, 0, -10])
def test_call_with_too_little_time_is_not_sent(
    stripe_simulator: StripeSimulator, row: Payment, operation: str, seconds: float
) -> None:
    with pytest.raises(ProviderUnavailable):
        VERBS[operation][0](row, ends_at=soon(seconds))
    assert stripe_simulator.requests == []


@pytest.mark.slow
@pytest.mark.parametrize("operation", ["confirm", "fetch"])
def test_call_waits_only_as_long_as_four_seconds_are_left(
    stripe_simulator: StripeSimulator, row: Payment, operation: str
) -> None:
    stripe_simulator.fault(operation, "hang_before", times=None, seconds=20)
    began = time.monotonic()
    with pytest.raises(UnknownOutcome):
        VERBS[operation][0](row, ends_at=soon(6.5))
    assert time.monotonic() - began < 2.5  # 4 of the 6.5 seconds are left
    assert stripe_simulator.log.counts[operation] == 1


@pytest.mark.parametrize("operation", ["create_customer", "create_payment", "confirm"])
@pytest.mark.parametrize("kind", ["401", "429", "409", "500_before", "html_502", "truncated_body"])
def test_errors_contain_no_keys_and_no_personal_data(
    stripe_simulator: StripeSimulator, row: Payment, operation: str, kind: str
) -> None:
    stripe_simulator.fault(operation, kind, times=None)
    with pytest.raises((NotExecuted, UnknownOutcome)) as raised:
        VERBS[operation][0](row)
    text = "".join(traceback.format_exception(raised.value)) + str(raised.value.details)
    assert ssm.secret("STRIPE_SECRET_KEY") not in text
    assert "_secret_" not in text
    assert "jane@example.com" not in text


def test_missing_key_in_ssm_raises_provider_unavailable_and_sends_nothing(
    stripe_simulator: StripeSimulator, row: Payment, setting: Callable[[str, str], None]
) -> None:
    setting("SECRETS_PREFIX", "/nowhere")
    with pytest.raises(ProviderUnavailable) as refused:
        confirm(row)
    assert "nowhere" not in "".join(traceback.format_exception(refused.value))
    assert stripe_simulator.requests == []


def test_stripe_base_url_is_refused_if_mode_is_not_test(
    put_secret: Callable[[str, str], None], row: Payment, setting: Callable[[str, str], None]
) -> None:
    put_secret("STRIPE_SECRET_KEY", "sk_live_never_sent")
    ssm.forget_secrets()
    setting("MODE", "live")
    with pytest.raises(ValueError, match="STRIPE_BASE_URL"):
        fetch(row)
