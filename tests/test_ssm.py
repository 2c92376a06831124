"""Secrets from SSM, also while it fails. Source: docs/decisions.md, section 96."""

import socket
import time
from collections.abc import Callable, Iterator

import pytest
from botocore.exceptions import ClientError

from bridge import aws, config, ssm
from bridge.bodies.payment import NewPayment
from bridge.core.payments import change_payment, create_payment
from bridge.errors import TemporarilyUnavailable
from local import database
from local.stripe.simulator import StripeSimulator
from tests.conftest import USER, Environment, run_context
from tests.core.payment_state.conftest import VISA, created, stored

pytestmark = pytest.mark.usefixtures("tables")
Put = Callable[[str, str], None]
Later = Callable[[float], None]
NEW = NewPayment(total_cents=2000, currency="USD")
NAMES = ("STRIPE_SECRET_KEY", "BRIDGE_VALIDATION_SECRET", "TOKEN_KEYS")


@pytest.fixture
def unread(environment: Environment) -> Iterator[None]:
    """Nothing is kept from other tests, and nothing stays for them."""
    ssm.forget_secrets()
    ssm._failed_at = 0
    yield
    ssm.forget_secrets()
    ssm._failed_at = 0


@pytest.fixture
def silent(setting: Put) -> Iterator[Callable[[], None]]:
    """Call it, and SSM accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:

        def silence() -> None:
            setting("AWS_ENDPOINT_URL_SSM", f"http://127.0.0.1:{listener.getsockname()[1]}")
            aws.client.cache_clear()

        yield silence
    ssm._failed_at = 0
    aws.client.cache_clear()


def test_secret_is_kept_until_forget_secrets(put_secret: Put) -> None:
    first = ssm.secret("BRIDGE_VALIDATION_SECRET")
    put_secret("BRIDGE_VALIDATION_SECRET", "rotated")
    assert ssm.secret("BRIDGE_VALIDATION_SECRET") == first
    ssm.forget_secrets()
    assert ssm.secret("BRIDGE_VALIDATION_SECRET") == "rotated"


def test_secret_is_read_again_after_300_seconds(put_secret: Put, later: Later) -> None:
    first = ssm.secret("BRIDGE_VALIDATION_SECRET")
    put_secret("BRIDGE_VALIDATION_SECRET", "rotated")
    later(298)
    assert ssm.secret("BRIDGE_VALIDATION_SECRET") == first
    later(3)
    assert ssm.secret("BRIDGE_VALIDATION_SECRET") == "rotated"


def test_missing_secret_raises_with_its_name_only(setting: Put) -> None:
    for name, prefix in (("NOT_PUT", "/bridge/test"), ("STRIPE_SECRET_KEY", "/elsewhere")):
        setting("SECRETS_PREFIX", prefix)
        with pytest.raises(ssm.SecretUnavailable) as missing:
            ssm.secret(name)
        assert str(missing.value) == name
        assert missing.value.__cause__ is None


def test_silent_ssm_costs_all_secrets_of_a_request_less_than_five_seconds(
    unread: None, silent: Callable[[], None]
) -> None:
    silent()
    started = time.monotonic()
    for name in NAMES:
        with pytest.raises(ssm.SecretUnavailable) as missing:
            ssm.secret(name)
        assert str(missing.value) == name
    assert time.monotonic() - started < 5


def test_failure_is_remembered_for_five_seconds(
    unread: None, silent: Callable[[], None], setting: Put, later: Later
) -> None:
    silent()
    with pytest.raises(ssm.SecretUnavailable):
        ssm.secret("TOKEN_KEYS")
    setting("AWS_ENDPOINT_URL_SSM", "")
    aws.client.cache_clear()
    with pytest.raises(ssm.SecretUnavailable):
        ssm.secret("TOKEN_KEYS")
    later(6)
    assert ssm.secret("TOKEN_KEYS")


def test_secret_that_was_read_is_served_for_an_hour_while_ssm_is_silent(
    unread: None, silent: Callable[[], None], later: Later
) -> None:
    known = ssm.secret("STRIPE_SECRET_KEY")
    silent()
    later(301)
    assert ssm.secret("STRIPE_SECRET_KEY") == known
    later(3290)
    assert ssm.secret("STRIPE_SECRET_KEY") == known
    later(20)
    with pytest.raises(ssm.SecretUnavailable):
        ssm.secret("STRIPE_SECRET_KEY")


def test_secret_that_a_provider_refused_is_not_served_again(
    unread: None, silent: Callable[[], None]
) -> None:
    assert ssm.secret("STRIPE_SECRET_KEY")
    silent()
    ssm.forget_secrets()
    with pytest.raises(ssm.SecretUnavailable):
        ssm.secret("STRIPE_SECRET_KEY")


def test_secret_that_was_deleted_is_not_served(put_secret: Put, unread: None, later: Later) -> None:
    put_secret("TOKEN_KEYS", ssm.secret("TOKEN_KEYS"))  # so that it is there again afterwards
    name = f"{config.setting('SECRETS_PREFIX')}/TOKEN_KEYS"
    database.client("ssm").delete_parameter(Name=name)
    later(301)
    with pytest.raises(ssm.SecretUnavailable):
        ssm.secret("TOKEN_KEYS")


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException"])
def test_refusal_of_ssm_is_tried_twice_and_counts_as_silence(
    unread: None, monkeypatch: pytest.MonkeyPatch, later: Later, code: str
) -> None:
    known = ssm.secret("TOKEN_KEYS")
    asked = []

    def refuse(**_: object) -> None:
        asked.append(code)
        raise ClientError({"Error": {"Code": code}}, "GetParameter")

    monkeypatch.setattr(aws.client("ssm", 1), "get_parameter", refuse)
    later(301)
    assert ssm.secret("TOKEN_KEYS") == known
    assert len(asked) == 2


def test_unreadable_key_stops_a_money_call_before_the_lock(
    stripe_simulator: StripeSimulator, unread: None, silent: Callable[[], None]
) -> None:
    payment = created()
    silent()
    ssm.forget_secrets()
    calls, started = len(stripe_simulator.requests), time.monotonic()
    with pytest.raises(TemporarilyUnavailable):
        change_payment.confirm(USER, payment.id, VISA, run_context("key-1"))
    with pytest.raises(TemporarilyUnavailable):
        create_payment.create_payment_intent(USER, NEW, run_context("key-2"))
    assert time.monotonic() - started < 5
    assert stored(payment.id).version == payment.version
    assert len(stripe_simulator.requests) == calls
