"""Clients of the gateway, sessions, and a scan of everything that is stored."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from bridge import clock
from bridge.models.caller import Caller, Session
from bridge.store.access import session_items
from local.server import Server
from local.stripe.simulator import StripeSimulator
from tests.conftest import Environment
from tests.contracts.documents import Wire
from tests.contracts.records import Scan, scan_of
from tests.contracts.shape import Client

PERSON = ("user_id", "email", "name", "phone", "organizations")


@pytest.fixture
def client(environment: Environment, tables: None, stripe_simulator: StripeSimulator) -> Client:
    """A client without credentials. The tables are empty."""
    return Client(environment.gateway)


@pytest.fixture
def sign_in(client: Client) -> Callable[[Caller], Client]:
    """Makes the client of a user, with a session that lasts for a year."""

    def make(caller: Caller) -> Client:
        known = {name: getattr(caller, name) for name in PERSON}
        session = Session(**known, expires_at=clock.now() + timedelta(days=365))
        session_id = f"session_of_{caller.user_id}"
        session_items.put(session_id, session)
        return client.acting(x_session_id=session_id)

    return make


@pytest.fixture
def scan(environment: Environment) -> Scan:
    """Reads every item of every table."""
    return scan_of(environment.template)


@pytest.fixture
def jane(client: Client, demo_data: StripeSimulator) -> Client:
    """The client of user_456, with the demo data that `make start` stores."""
    return client.acting(x_session_id="session_abc123")


@pytest.fixture
def wire(environment: Environment, jane: Client) -> Iterator[Wire]:
    """A connection to a server with the demo data, for requests that are given as text."""
    server = Server(0, environment.gateway.handle)
    server.start()
    yield Wire(server.server_port)
    server.stop()
