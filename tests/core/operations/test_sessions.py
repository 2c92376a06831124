"""Operators write and revoke sessions. Source: docs/api/native.md, section 2 (B7)."""

from datetime import timedelta

import pytest

from bridge import clock
from bridge.bodies.operator import SessionEvent
from bridge.core.operations import sessions
from bridge.models.caller import PrefetchIds
from bridge.store.access import session_items

pytestmark = pytest.mark.usefixtures("tables")
SESSION = "a-session-of-sixteen-or-more"


def test_b7_session_is_written_replaced_and_revoked() -> None:
    ends = clock.now() + timedelta(hours=1)
    event = SessionEvent(session_id=SESSION, user_id="user_1", expires_at=ends)
    sessions.put_session(event)
    sessions.put_session(event.model_copy(update={"organizations": {"org_1": "member"}}))
    session, expires, _ = session_items.read(SESSION, PrefetchIds())
    assert session
    assert (session.user_id, session.organizations) == ("user_1", {"org_1": "member"})
    assert expires == int(ends.timestamp())
    for _ in range(2):  # the second time there is none any more
        sessions.revoke_session(SESSION)
        assert session_items.read(SESSION, PrefetchIds())[0] is None
