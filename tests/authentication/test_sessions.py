"""Sessions by table and by Flowless. Source: docs/api/native.md, section 2 (B7)."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import msgspec
import pytest
from werkzeug.wrappers import Response

from bridge import clock, ssm
from bridge.authentication import sessions
from bridge.errors import AuthUnavailable, NotAuthenticated
from bridge.models.caller import Caller, PrefetchIds, Session
from bridge.store.access import session_items
from local.flowless import Flowless
from local.stripe.server import Server

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
IN_AN_HOUR = datetime.now(UTC) + timedelta(hours=1)
IDS = count()
SignIn = Callable[..., Caller]


@pytest.fixture
def by_flowless(flowless: Flowless, setting: Setting) -> Flowless:
    """Flowless checks the sessions."""
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


def put(session_id: str, seconds: float = 3600, **more: object) -> None:
    described = {"user_id": "user_1", "expires_at": clock.now() + timedelta(seconds=seconds)}
    session_items.put(session_id, msgspec.convert(described | more, Session))


def test_b7_session_of_the_table_returns_its_user() -> None:
    put("session-1", email="jane@example.com", name="Jane", organizations={"org_1": "owner"})
    caller = ask("session-1")
    assert caller.user_id == "user_1"
    assert (caller.email, caller.name) == ("jane@example.com", "Jane")
    assert caller.organizations == {"org_1": "owner"}
    assert caller.kind == "user"


def test_b7_session_of_the_table_is_refused_after_its_end_or_a_logout() -> None:
    """The end is checked at every read, because DynamoDB deletes expired items days later."""
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
def test_b7_unknown_session_id_is_refused(session_id: str) -> None:
    assert_refused(session_id)


def test_b7_flowless_gets_the_documented_request(by_flowless: Flowless, session_id: str) -> None:
    caller = ask(session_id)
    (request,) = by_flowless.requests
    assert (request.method, request.path) == ("POST", "/auth/bridge/validate")
    assert request.headers["X-Session-ID"] == session_id
    assert request.headers["X-Bridge-Secret"] == ssm.secret("BRIDGE_VALIDATION_SECRET")
    assert json.loads(request.body) == {
        "session_id": session_id,
        "validation_mode": "standard",
        "ip": "192.0.2.1",
        "user_agent": "curl/8",
    }
    assert (caller.user_id, caller.email) == ("user_1", "jane@example.com")
    assert (caller.name, caller.phone) == ("Jane Doe", "12345")
    assert caller.organizations == {"org_1": "billing"}


def test_b7_flowless_is_the_default_if_its_address_is_set(
    by_flowless: Flowless, session_id: str, setting: Setting
) -> None:
    setting("SESSION_MODE", "")
    assert ask(session_id).user_id == "user_1"
    setting("FLOWLESS_API_URL", "")
    assert_refused(session_id)  # now the table is used, which does not have it
    put(session_id)
    assert ask(session_id).user_id == "user_1"


def test_b7_session_of_flowless_is_kept_for_a_minute(
    by_flowless: Flowless, session_id: str
) -> None:
    ask(session_id)
    by_flowless.sessions.clear()
    clock.set_offset(58)
    assert ask(session_id).user_id == "user_1"
    assert len(by_flowless.requests) == 1
    clock.set_offset(61)
    assert_refused(session_id)
    assert len(by_flowless.requests) == 2


def test_b7_session_of_flowless_is_not_kept_beyond_its_end(
    by_flowless: Flowless, session_id: str
) -> None:
    ends = clock.now() + timedelta(seconds=20)
    by_flowless.sessions[session_id]["expires_at"] = ends
    ask(session_id)
    clock.set_offset(18)
    ask(session_id)
    assert len(by_flowless.requests) == 1
    clock.set_offset(21)
    assert_refused(session_id)  # the simulator's clock did not move: it still accepts the id
    assert len(by_flowless.requests) == 2


def test_b7_refusal_of_flowless_is_not_kept(by_flowless: Flowless, session_id: str) -> None:
    known = by_flowless.sessions.pop(session_id)
    assert_refused(session_id)
    by_flowless.sessions[session_id] = known
    assert ask(session_id).user_id == "user_1"


@pytest.mark.parametrize("kind", ["down", "500", "html_502", "garbage"])
def test_b7_failed_request_to_flowless_is_repeated_once(
    by_flowless: Flowless, session_id: str, kind: Any
) -> None:
    by_flowless.fault(kind)
    assert ask(session_id).user_id == "user_1"
    assert len(by_flowless.requests) == 2


@pytest.mark.parametrize("kind", ["down", "500", "html_502", "garbage"])
def test_b7_failing_flowless_is_a_503_and_not_a_401(
    by_flowless: Flowless, session_id: str, kind: Any
) -> None:
    by_flowless.fault(kind, times=None)
    with pytest.raises(AuthUnavailable) as failed:
        ask(session_id)
    assert (failed.value.status, failed.value.code) == (503, "auth_unavailable")
    assert failed.value.retry_after
    assert len(by_flowless.requests) == 2


@pytest.mark.slow
def test_b7_flowless_response_after_two_seconds_is_too_late(
    by_flowless: Flowless, session_id: str
) -> None:
    by_flowless.fault("slow", seconds=2.6)
    assert ask(session_id).user_id == "user_1"
    assert len(by_flowless.requests) == 2


def test_b7_unreachable_flowless_is_a_503(session_id: str, setting: Setting) -> None:
    setting("FLOWLESS_API_URL", "http://127.0.0.1:9")
    with pytest.raises(AuthUnavailable):
        ask(session_id)


def test_b7_flowless_is_not_called_without_its_secret(
    by_flowless: Flowless, session_id: str, setting: Setting
) -> None:
    setting("SECRETS_PREFIX", "/nowhere")
    with pytest.raises(AuthUnavailable):
        ask(session_id)
    assert by_flowless.requests == []


def test_b7_two_kept_sessions_stay_separate(by_flowless: Flowless, session_id: str) -> None:
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
def test_b9_memberships_may_be_a_map_or_a_list(
    by_flowless: Flowless, session_id: str, organizations: object, expected: dict[str, str]
) -> None:
    by_flowless.sessions[session_id]["organizations"] = organizations
    assert ask(session_id).organizations == expected


@pytest.fixture
def sign_in(setting: Callable[[str, str], None]) -> Iterator[SignIn]:
    """Sign in while Flowless gives a chosen response. Each call uses a session id of its own,
    because sessions are kept by their ids."""
    responses: list[Response] = []
    server = Server(lambda environ, start: responses[-1](environ, start), 0)
    server.start()
    setting("SESSION_MODE", "flowless")
    setting("FLOWLESS_API_URL", server.url + "/")

    def authenticate(body: object, status: int = 200, session_id: str | None = None) -> Caller:
        responses.append(Response(json.dumps(body), status, mimetype="application/json"))
        known = f"session {next(IDS)}" if session_id is None else session_id
        return sessions.authenticate(known, PrefetchIds(), ip="192.0.2.1", user_agent="")

    yield authenticate
    server.stop()
    clock.set_offset(0)


def flowless_body(user: object = None, **more: Any) -> dict[str, Any]:
    return {"success": True, "user": user or {"id": "user_1"}} | more


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"success": False, "error": "no"}, 200),
        ({"success": "true", "user": {"id": "user_1"}}, 200),
        ({}, 200),
        (flowless_body(), 401),
        (flowless_body(), 403),
        (flowless_body(expires_at="2020-01-01T00:00:00Z"), 200),
    ],
)
def test_b7_flowless_response_without_success_is_a_401(
    sign_in: SignIn, body: object, status: int
) -> None:
    with pytest.raises(NotAuthenticated) as refused:
        sign_in(body, status)
    assert refused.value.code == "session_invalid"


@pytest.mark.parametrize(
    "body",
    [
        {"success": True},
        flowless_body(["user_1"]),
        flowless_body("user_1"),
        flowless_body({"email": "jane@example.com"}),
        flowless_body({"id": "user_1", "name": 5}),
        flowless_body({"id": "user_1", "organizations": ["org_1"]}),
        flowless_body({"id": "user_1", "organizations": "org_1"}),
        flowless_body(expires_at="tomorrow"),
        flowless_body(expires_at=[1]),
        flowless_body(expires_at=1e300),
        [],
    ],
)
def test_b7_unreadable_success_of_flowless_is_a_503(sign_in: SignIn, body: object) -> None:
    with pytest.raises(AuthUnavailable):
        sign_in(body)


@pytest.mark.parametrize("session_id", ["a\nb", "a\r\nX-Bridge-Secret: b", "€", "\x00", "a\x7f"])
def test_b7_session_id_that_fits_no_header_is_a_401_without_a_request(
    sign_in: SignIn, session_id: str
) -> None:
    with pytest.raises(NotAuthenticated):
        sign_in(flowless_body(), session_id=session_id)


@pytest.mark.parametrize(
    "expires_at",
    [
        IN_AN_HOUR.isoformat(),
        IN_AN_HOUR.replace(tzinfo=None).isoformat(),
        int(IN_AN_HOUR.timestamp()),
        int(IN_AN_HOUR.timestamp() * 1000),
    ],
    ids=["text", "text without zone", "seconds", "milliseconds"],
)
def test_b7_expires_at_is_read_as_text_seconds_or_milliseconds(
    sign_in: SignIn, expires_at: object
) -> None:
    ends = flowless_body(expires_at=expires_at)
    assert sign_in(ends).user_id == "user_1"
    clock.set_offset(3601)
    with pytest.raises(NotAuthenticated):
        sign_in(ends)


@pytest.mark.parametrize(
    "body",
    [
        flowless_body({"id": 5, "organizations": {"org_1": "billing"}}),
        flowless_body({"id": 5}, organizations={"org_1": "billing"}),
        flowless_body({"id": 5}, organizations=[{"id": "org_1", "role": "billing", "more": 1}]),
    ],
)
def test_b9_memberships_are_read_from_the_user_or_beside_it(sign_in: SignIn, body: object) -> None:
    caller = sign_in(body)
    assert (caller.user_id, caller.organizations) == ("5", {"org_1": "billing"})
    assert (caller.name, caller.email) == (None, None)
