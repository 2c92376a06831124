"""The demo credentials, as in the APIs' documents. Source: docs/architecture.md, section 4."""

import base64
import hashlib
from collections.abc import Iterator

import pytest

from bridge import clock
from bridge.authentication import api_keys, merchants, oauth_clients
from local import demo
from tests.conftest import Environment


@pytest.fixture(autouse=True)
def demo_data(environment: Environment, tables: None) -> Iterator[None]:
    environment.stripe.reset()
    demo.seed(environment.stripe, environment.flowless)
    yield
    environment.flowless.reset()


def test_payments_ai_key_opens_org_456() -> None:
    assert api_keys.authenticate("acct_demo_key_demo").key_of == "org_456"


def test_monri_pair_signs_and_gets_tokens() -> None:
    token, key, now = "demo-authenticity-token", "demo-merchant-key", str(clock.seconds())
    text = f"{key}{now}{token}/v2/customers?limit=2"
    digest = hashlib.sha512(text.encode()).hexdigest()
    issued = merchants.issue_token(token, key, ["customers"]).token
    for authorization in (f"WP3-v2.1 {token} {now} {digest}", f"Bearer {issued}"):
        caller = merchants.authenticate(authorization, "/v2/customers", "limit=2", b"")
        assert caller.key_of == "org_456"


def test_alternative_key_is_sent_bare_and_its_client_gets_tokens() -> None:
    pair = base64.b64encode(b"demo-client:demo-secret").decode()
    issued = oauth_clients.issue_token(f"Basic {pair}").token
    for authorization in ("YOUR_API_KEY", f"Bearer {issued}"):
        assert oauth_clients.authenticate(authorization).key_of == "org_456"
