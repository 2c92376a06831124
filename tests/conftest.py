"""Fixtures that all tests share: real tables, the Stripe simulator over HTTP, the local gateway.

Nothing of our code is replaced. A test marked `race` or `scale` uses the fixture `dynamodb_local`.
"""

import fcntl
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import settings as hypothesis_settings

from bridge import aws, clock, ssm
from bridge.models.caller import Caller
from bridge.models.run_context import ClientKey, RunContext
from bridge.store.customers import organization_items
from local import bus, database, demo, queues, settings, template
from local.dynamodb_local import url as dynamodb_local_url
from local.flowless import Flowless
from local.functions import Context, Functions
from local.gateway import Gateway
from local.queues import EventSource
from local.stripe.server import serving
from local.stripe.simulator import StripeSimulator

ROOT = Path(__file__).resolve().parent.parent

hypothesis_settings.register_profile("default", deadline=None, max_examples=60, derandomize=True)
hypothesis_settings.register_profile("fuzz", deadline=None, max_examples=2000)
hypothesis_settings.load_profile("default")


class Killed(BaseException):
    """The worker died here. A BaseException, so that no code of ours catches it."""


@dataclass
class Crash:
    """Kills the next worker that reaches the crash point `at` (`bridge.core.rules.crash_points`).

    With `meanwhile` the worker lives, and that function runs at the point instead. It gets the id
    of the record. Source: docs/payment-correctness.md, section 10.
    """

    at: str | None = None
    meanwhile: Callable[[str], object] | None = None

    def on_audit_event(self, event: str, arguments: tuple[Any, ...]) -> None:
        """One crash point is enough: after it, workers live."""
        if event != "bridge.crash_point" or self.at != arguments[0]:
            return
        self.at = None
        if self.meanwhile is None:
            raise Killed(arguments[0])
        self.meanwhile(arguments[1])


_crash = Crash()
sys.addaudithook(lambda event, arguments: _crash.on_audit_event(event, arguments))


@dataclass(frozen=True)
class Environment:
    """Everything that runs beside the tests."""

    template: template.Template
    stripe: StripeSimulator
    flowless: Flowless
    gateway: Gateway
    queues: dict[str, str]
    worker: EventSource


@contextmanager
def open_environment() -> Iterator[Environment]:
    """Start everything, and set the environment variables to it until the context ends."""
    before = dict(os.environ)
    settings.leave_aws(os.environ)
    read = template.read(parameters=settings.parameters({}, "http://127.0.0.1:8787"))
    endpoint = database.start()
    made = queues.start(read.queues)
    bus.start()
    with serving(StripeSimulator()) as stripe, serving(Flowless()) as flowless:
        urls = {
            "aws": database.serve(),
            "dynamodb": endpoint,
            "queue": made["SyncQueue"],
            "stripe": stripe.url,
            "flowless": flowless.url,
        }
        os.environ.update(settings.variables(read.environment, before, urls))
        for name, value in settings.made_up_secrets().items():
            path = f"{os.environ['SECRETS_PREFIX']}/{name}"
            database.client("ssm").put_parameter(Name=path, Value=value, Type="SecureString")
        functions = Functions(read.functions)
        synced = read.functions["JobsProcessQueueMessage"]
        worker = EventSource(functions, synced, synced.polls[0], made["SyncQueue"])
        yield Environment(read, stripe, flowless, Gateway(read, functions), made, worker)
        os.environ.clear()
        os.environ.update(before)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests come first, so that the last ones of a parallel run are short."""
    long = ("slow", "scale", "race")
    items.sort(key=lambda item: not any(map(item.get_closest_marker, long)))


@pytest.fixture(scope="session")
def environment() -> Iterator[Environment]:
    with open_environment() as opened:
        yield opened


@pytest.fixture
def tables(environment: Environment) -> Iterator[None]:
    """Empty tables and empty queues; afterwards the clock is right again."""
    database.clear()
    queues.clear()
    organization_items._kept.clear()
    yield
    clock.set_offset(0)
    _crash.at = _crash.meanwhile = None


@pytest.fixture
def stripe_simulator(environment: Environment) -> StripeSimulator:
    environment.stripe.reset()
    return environment.stripe


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes a folder once for all processes of a parallel run: `made_once("layers", make)`."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def make_once(name: str, make: Callable[[Path], None]) -> Path:
        folder, done = shared / name, shared / f"{name}.done"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                folder.mkdir()
                make(folder)
                done.touch()
        return folder

    return make_once


DEMO_DATA_KEPT_S = 30  # its payments are due a minute after they were made


@dataclass
class DemoData:
    """The demo data of `make start`. It is made now and then; tests in between get a copy."""

    environment: Environment
    made_at: float = 0
    restore: tuple[Callable[[], None], ...] = ()

    def put(self) -> None:
        """Put it into the empty tables and simulators."""
        stripe, flowless = self.environment.stripe, self.environment.flowless
        if self.restore and time.monotonic() < self.made_at + DEMO_DATA_KEPT_S:
            for bring_back in self.restore:
                bring_back()
            return
        self.made_at = time.monotonic()
        demo.seed(stripe, flowless)
        if items := database.save():
            sessions = dict(flowless.sessions)
            self.restore = (items, stripe.save(), lambda: flowless.sessions.update(sessions))


@pytest.fixture(scope="session")
def saved_demo_data(environment: Environment) -> DemoData:
    return DemoData(environment)


@pytest.fixture
def demo_data(
    saved_demo_data: DemoData, tables: None, stripe_simulator: StripeSimulator, flowless: Flowless
) -> Iterator[StripeSimulator]:
    """The records whose ids are in the documents and the event files."""
    saved_demo_data.put()
    yield stripe_simulator
    flowless.reset()


@pytest.fixture
def flowless(environment: Environment) -> Flowless:
    return environment.flowless


@pytest.fixture
def subscriber(environment: Environment) -> Callable[[], list[dict[str, Any]]]:
    """The events that arrived on the bus since the test began, in their order."""
    bus.start()
    return bus.events


@pytest.fixture
def crash() -> Crash:
    """Set `at` to the crash point where the next worker dies with Killed."""
    return _crash


@pytest.fixture
def later(stripe_simulator: StripeSimulator) -> Callable[[float], None]:
    """Move our clock and the provider's forward together, by seconds."""
    moved = 0.0

    def move(seconds: float) -> None:
        nonlocal moved
        moved += seconds
        clock.set_offset(moved)
        stripe_simulator.advance(seconds)

    return move


@pytest.fixture
def setting(
    monkeypatch: pytest.MonkeyPatch, environment: Environment
) -> Callable[[str, str], None]:
    """Change one environment variable for one test."""
    return monkeypatch.setenv


@pytest.fixture
def put_secret(environment: Environment) -> Iterator[Callable[[str, str], None]]:
    """Change a secret in SSM for one test. This process uses the old value until it reads again."""
    before: dict[str, str] = {}

    def write(name: str, value: str) -> None:
        path = f"{os.environ['SECRETS_PREFIX']}/{name}"
        database.client("ssm").put_parameter(
            Name=path, Value=value, Type="SecureString", Overwrite=True
        )

    def put(name: str, value: str) -> None:
        before.setdefault(name, ssm.secret(name))
        write(name, value)

    yield put
    for name, value in before.items():
        write(name, value)
    ssm.forget_secrets()


@pytest.fixture
def event() -> Callable[[str], dict[str, Any]]:
    """Reads the event file of a function: `event("native/create_customer")`."""
    return lambda name: json.loads((ROOT / "events" / f"{name}.json").read_text())


@pytest.fixture
def context(environment: Environment) -> Callable[[str], Context]:
    """Lambda's context for a function of the template, by its logical id."""
    return lambda name: Context(environment.template.functions[name])


def lacks(required_by: str, what: str) -> NoReturn:
    """Skip a test because this machine lacks something.

    If the environment variable `required_by` is set, the test fails instead.
    """
    if os.environ.get(required_by):
        pytest.fail(f"{required_by} is set: {what}")
    pytest.skip(what)


@pytest.fixture
def dynamodb_local(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """DynamoDB Local instead of moto, for one test. Skipped if Java is missing."""
    if not (url := dynamodb_local_url()):
        lacks("BRIDGE_REQUIRE_RACE", "DynamoDB Local needs Java and `make dynamodb-local`")
    monkeypatch.setenv("DYNAMODB_ENDPOINT", url)
    aws.client.cache_clear()
    database.start()
    database.clear()
    yield
    monkeypatch.undo()
    aws.client.cache_clear()
    database.start()


def run_context(
    key: str | None = None, *, seconds: float = 25, fingerprint: str = "f"
) -> RunContext:
    """A run of an API function that ends in `seconds`, with the client's key if one is given."""
    client_key = ClientKey(key=key, fingerprint=fingerprint) if key else None
    ends_at = clock.now() + timedelta(seconds=seconds)
    return RunContext(cause="api", ends_at=ends_at, client_key=client_key, source_ip="198.51.100.7")


def sweep_run() -> RunContext:
    """A run of the sweep, which ends in 55 seconds."""
    return RunContext(cause="sweep", ends_at=clock.now() + timedelta(seconds=55))


USER = Caller(
    user_id="user_456",
    email="jane.doe@example.com",
    name="Jane Doe",
    organizations={"org_456": "admin", "org_789": "admin"},
)
KEY = Caller(key_of="org_456")
STRANGER = Caller(user_id="user_789", email="sam.poe@example.com")


def together(count: int, act: Callable[[int], Any]) -> list[Any]:
    """Run `act` in `count` threads at once. Returns their results or exceptions, in order."""
    barrier = threading.Barrier(count)
    results: list[Any] = [None] * count

    def run(number: int) -> None:
        barrier.wait()
        try:
            results[number] = act(number)
        except Exception as error:  # noqa: BLE001 - a test checks what each of them got
            results[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
