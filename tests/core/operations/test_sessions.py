"""Operators write and revoke sessions. Source: docs/api/native.md, section 2 (B7)."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from bridge import clock
from bridge.core.operations import sessions
from bridge.models.caller import PrefetchIds
from bridge.store.access import session_items

pytestmark = pytest.mark.usefixtures("tables")
SESSION = "a-session-of-sixteen-or-more"


def test_b7_session_is_written_replaced_and_revoked() -> None:
    ends = clock.now() + timedelta(hours=1)
    event = sessions.SessionEvent(session_id=SESSION, user_id="user_1", expires_at=ends)
    sessions.put_session(event)
    sessions.put_session(event.model_copy(update={"organizations": {"org_1": "member"}}))
    session, expires, _ = session_items.read(SESSION, PrefetchIds())
    assert session
    assert (session.user_id, session.organizations) == ("user_1", {"org_1": "member"})
    assert expires == int(ends.timestamp())
    for _ in range(2):  # the second time there is none any more
        sessions.revoke_session(SESSION)
        assert session_items.read(SESSION, PrefetchIds())[0] is None


@pytest.mark.parametrize(
    ("length", "is_valid"), [(15, False), (16, True), (4096, True), (4097, False)]
)
def test_b7_session_id_must_have_16_to_4096_characters(length: int, *, is_valid: bool) -> None:
    described = {"session_id": "x" * length, "user_id": "user_1", "expires_at": clock.now()}
    if is_valid:
        assert len(sessions.SessionEvent.model_validate(described).session_id) == length
        return
    with pytest.raises(ValidationError):
        sessions.SessionEvent.model_validate(described)


def test_session_id_is_not_in_the_text_of_the_event() -> None:
    event = sessions.SessionEvent(session_id=SESSION, user_id="user_1", expires_at=clock.now())
    assert SESSION not in repr(event)
