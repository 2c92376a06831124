"""Sessions by table and by Flowless. Source: contracts/bridge.md, B7."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bridge import clock, config
from bridge.authentication import sessions
from bridge.errors import AuthUnavailable, NotAuthenticated
from bridge.models.caller import Caller, PrefetchIds, Session
from bridge.store.access import session_items
from local.flowless import Flowless

pytestmark = pytest.mark.usefixtures("tables")
Setting = Callable[[str, str], None]
USER = {
    "user_id": "user_1",
    "email": "jane@example.com",
    "name": "Jane",
    "last_name": "Doe",
    "phone": "12345",
    "organizations": {"org_1": "billing"},
}


@pytest.fixture
def by_flowless(flowless: Flowless, setting: Setting) -> Flowless:
    """A Flowless that knows the session of user_1, each test under an id of its own."""
    flowless.reset()
    setting("SESSION_MODE", "flowless")
    return flowless


@pytest.fixture
def session_id(request: pytest.FixtureRequest, by_flowless: Flowless) -> str:
    made = f"session of {request.node.name}"
    by_flowless.sessions[made] = dict(USER)
    return made


def ask(session_id: str) -> Caller:
    return sessions.authenticate(session_id, PrefetchIds(), ip="192.0.2.1", user_agent="curl/8")


def assert_refused(session_id: str) -> None:
    with pytest.raises(NotAuthenticated) as refused:
        ask(session_id)
    assert (refused.value.status, refused.value.code) == (401, "session_invalid")


# --- by table -----------------------------------------------------------------------------------


def put(session_id: str, seconds: float = 3600, **more: object) -> None:
    described = {"user_id": "user_1", "expires_at": clock.now() + timedelta(seconds=seconds)}
    session_items.put(session_id, Session.model_validate(described | more))


def test_b7_a_session_of_the_table_is_a_caller() -> None:
    put("session-1", email="jane@example.com", name="Jane", organizations={"org_1": "owner"})
    caller = ask("session-1")
    assert caller.user_id == "user_1"
    assert (caller.email, caller.name) == ("jane@example.com", "Jane")
    assert caller.organizations == {"org_1": "owner"}
    assert caller.kind == "user"


def test_b7_a_session_of_the_table_ends_at_its_second_and_a_logout_counts_at_once() -> None:
    """Expiry is checked at every read: the table's own sweep is late by days."""
    put("session-1", seconds=100)
    ask("session-1")
    clock.set_offset(98)
    ask("session-1")
    clock.set_offset(101)
    assert_refused("session-1")
    clock.set_offset(0)
    session_items.delete("session-1")
    assert_refused("session-1")


@pytest.mark.parametrize("session_id", ["", "x" * 8193, "nobody's", "\x00", "ünïcode"])
def test_b7_an_id_that_nobody_has_is_refused(session_id: str) -> None:
    assert_refused(session_id)


# --- by Flowless --------------------------------------------------------------------------------


def test_b7_flowless_is_asked_as_its_contract_says(by_flowless: Flowless, session_id: str) -> None:
    caller = ask(session_id)
    (asked,) = by_flowless.requests
    assert (asked.method, asked.path) == ("POST", "/auth/bridge/validate")
    assert asked.headers["X-Session-ID"] == session_id
    assert asked.headers["X-Bridge-Secret"] == config.secret("BRIDGE_VALIDATION_SECRET")
    assert json.loads(asked.body) == {
        "session_id": session_id,
        "validation_mode": "standard",
        "ip": "192.0.2.1",
        "user_agent": "curl/8",
    }
    assert (caller.user_id, caller.email) == ("user_1", "jane@example.com")
    assert (caller.name, caller.phone) == ("Jane Doe", "12345")
    assert caller.organizations == {"org_1": "billing"}


def test_b7_flowless_is_the_default_where_its_address_is_set(
    by_flowless: Flowless, session_id: str, setting: Setting
) -> None:
    setting("SESSION_MODE", "")
    assert ask(session_id).user_id == "user_1"
    setting("FLOWLESS_API_URL", "")
    assert_refused(session_id)  # now it is the table, which does not know it
    put(session_id)
    assert ask(session_id).user_id == "user_1"


def test_b7_a_positive_answer_is_kept_for_a_minute(by_flowless: Flowless, session_id: str) -> None:
    ask(session_id)
    by_flowless.sessions.clear()
    clock.set_offset(58)
    assert ask(session_id).user_id == "user_1"
    assert len(by_flowless.requests) == 1
    clock.set_offset(61)
    assert_refused(session_id)
    assert len(by_flowless.requests) == 2


def test_b7_it_is_never_kept_past_its_own_end(by_flowless: Flowless, session_id: str) -> None:
    ends = clock.now() + timedelta(seconds=20)
    by_flowless.sessions[session_id]["expires_at"] = ends
    ask(session_id)
    clock.set_offset(18)
    ask(session_id)
    assert len(by_flowless.requests) == 1
    clock.set_offset(21)
    assert_refused(session_id)  # the stand-in's clock has not moved: it still says yes
    assert len(by_flowless.requests) == 2


def test_b7_a_refusal_is_not_kept(by_flowless: Flowless, session_id: str) -> None:
    known = by_flowless.sessions.pop(session_id)
    assert_refused(session_id)
    by_flowless.sessions[session_id] = known
    assert ask(session_id).user_id == "user_1"


@pytest.mark.parametrize("kind", ["down", "500", "html_502", "garbage"])
def test_b7_one_try_that_fails_is_repeated_once(
    by_flowless: Flowless, session_id: str, kind: Any
) -> None:
    by_flowless.fault(kind)
    assert ask(session_id).user_id == "user_1"
    assert len(by_flowless.requests) == 2


@pytest.mark.parametrize("kind", ["down", "500", "html_502", "garbage"])
def test_b7_flowless_in_trouble_is_503_and_nobody_is_called_invalid(
    by_flowless: Flowless, session_id: str, kind: Any
) -> None:
    by_flowless.fault(kind, times=None)
    with pytest.raises(AuthUnavailable) as failed:
        ask(session_id)
    assert (failed.value.status, failed.value.code) == (503, "auth_unavailable")
    assert failed.value.retry_after
    assert len(by_flowless.requests) == 2


def test_b7_an_answer_that_takes_more_than_two_seconds_is_none(
    by_flowless: Flowless, session_id: str
) -> None:
    by_flowless.fault("slow", seconds=2.6)
    assert ask(session_id).user_id == "user_1"
    assert len(by_flowless.requests) == 2


def test_b7_flowless_unreachable_is_503(session_id: str, setting: Setting) -> None:
    setting("FLOWLESS_API_URL", "http://127.0.0.1:9")
    with pytest.raises(AuthUnavailable):
        ask(session_id)


def test_b7_without_its_secret_flowless_is_not_asked(
    by_flowless: Flowless, session_id: str, setting: Setting
) -> None:
    setting("SECRETS_PREFIX", "/nowhere")
    with pytest.raises(AuthUnavailable):
        ask(session_id)
    assert by_flowless.requests == []


def test_b7_two_sessions_are_kept_apart(by_flowless: Flowless, session_id: str) -> None:
    by_flowless.sessions[other := f"{session_id} 2"] = {"user_id": "user_2"}
    assert [ask(each).user_id for each in (session_id, other) * 2] == ["user_1", "user_2"] * 2
    assert ask(other).email is None


@pytest.mark.parametrize(
    ("organizations", "expected"),
    [
        ({}, {}),
        ({"org_1": "owner", "org_2": "member"}, {"org_1": "owner", "org_2": "member"}),
        ([{"id": "org_1", "role": "admin", "name": "One"}], {"org_1": "admin"}),
    ],
)
def test_b9_memberships_come_as_a_map_or_a_list(
    by_flowless: Flowless, session_id: str, organizations: object, expected: dict[str, str]
) -> None:
    by_flowless.sessions[session_id]["organizations"] = organizations
    assert ask(session_id).organizations == expected
