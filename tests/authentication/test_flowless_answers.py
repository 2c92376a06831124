"""Answers of Flowless that its stand-in does not give. Source: contracts/bridge.md, B7 (b)."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from werkzeug.wrappers import Response

from bridge import clock
from bridge.authentication import sessions
from bridge.errors import AuthUnavailable, NotAuthenticated
from bridge.models.caller import Caller, PrefetchIds
from local.stripe.server import Server

IN_AN_HOUR = datetime.now(UTC) + timedelta(hours=1)
IDS = count()
Ask = Callable[..., Caller]


@pytest.fixture
def ask(setting: Callable[[str, str], None]) -> Iterator[Ask]:
    """Sign in where Flowless gives this answer; its positive answers are kept by session id."""
    answers: list[Response] = []
    server = Server(lambda environ, start: answers[-1](environ, start), 0)
    server.start()
    setting("SESSION_MODE", "flowless")
    setting("FLOWLESS_API_URL", server.url + "/")

    def sign_in(body: object, status: int = 200, session_id: str | None = None) -> Caller:
        answers.append(Response(json.dumps(body), status, mimetype="application/json"))
        known = f"answer {next(IDS)}" if session_id is None else session_id
        return sessions.authenticate(known, PrefetchIds(), ip="192.0.2.1", user_agent="")

    yield sign_in
    server.stop()
    clock.set_offset(0)


def answer(user: object = None, **more: Any) -> dict[str, Any]:
    return {"success": True, "user": user or {"id": "user_1"}} | more


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"success": False, "error": "no"}, 200),
        ({"success": "true", "user": {"id": "user_1"}}, 200),
        ({}, 200),
        (answer(), 401),
        (answer(), 403),
        (answer(expires_at="2020-01-01T00:00:00Z"), 200),
    ],
)
def test_b7_what_is_no_success_is_a_401(ask: Ask, body: object, status: int) -> None:
    with pytest.raises(NotAuthenticated) as refused:
        ask(body, status)
    assert refused.value.code == "session_invalid"


@pytest.mark.parametrize(
    "body",
    [
        {"success": True},
        answer(["user_1"]),
        answer("user_1"),
        answer({"email": "jane@example.com"}),
        answer({"id": "user_1", "name": 5}),
        answer({"id": "user_1", "organizations": ["org_1"]}),
        answer({"id": "user_1", "organizations": "org_1"}),
        answer(expires_at="tomorrow"),
        answer(expires_at=[1]),
        answer(expires_at=1e300),
        [],
    ],
)
def test_b7_a_success_that_cannot_be_read_is_a_503(ask: Ask, body: object) -> None:
    with pytest.raises(AuthUnavailable):
        ask(body)


@pytest.mark.parametrize("session_id", ["a\nb", "a\r\nX-Bridge-Secret: b", "€", "\x00", "a\x7f"])
def test_b7_an_id_that_fits_no_header_is_a_401_and_nobody_is_asked(
    ask: Ask, session_id: str
) -> None:
    with pytest.raises(NotAuthenticated):
        ask(answer(), session_id=session_id)


@pytest.mark.parametrize(
    "expires_at",
    [
        IN_AN_HOUR.isoformat(),
        IN_AN_HOUR.replace(tzinfo=None).isoformat(),
        int(IN_AN_HOUR.timestamp()),
        int(IN_AN_HOUR.timestamp() * 1000),
    ],
)
def test_b7_an_end_is_read_as_text_seconds_or_milliseconds(ask: Ask, expires_at: object) -> None:
    ends = answer(expires_at=expires_at)
    assert ask(ends).user_id == "user_1"
    clock.set_offset(3601)
    with pytest.raises(NotAuthenticated):
        ask(ends)


@pytest.mark.parametrize(
    "body",
    [
        answer({"id": 5, "organizations": {"org_1": "billing"}}),
        answer({"id": 5}, organizations={"org_1": "billing"}),
        answer({"id": 5}, organizations=[{"id": "org_1", "role": "billing", "more": 1}]),
    ],
)
def test_b9_memberships_are_the_users_or_the_answers(ask: Ask, body: object) -> None:
    caller = ask(body)
    assert (caller.user_id, caller.organizations) == ("5", {"org_1": "billing"})
    assert (caller.name, caller.email) == (None, None)
