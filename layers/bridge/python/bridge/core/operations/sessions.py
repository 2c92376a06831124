"""Operators write and revoke the sessions of our own table (B7, mode `table`).

Source: docs/api/native.md, section 2.
"""

from pydantic import Field

from bridge.models.caller import Session
from bridge.store.access import session_items


class SessionEvent(Session, frozen=True):
    """A session that an operator writes, with the id that its user will send."""

    session_id: str = Field(min_length=16, max_length=4096, repr=False)


def put_session(event: SessionEvent) -> None:
    """Write a session, or replace it. Only the hash of its id is stored."""
    session = Session(**event.model_dump(exclude={"session_id"}))
    session_items.put(event.session_id, session)


def revoke_session(session_id: str) -> None:
    """End a session at once. If there is no such session, do nothing."""
    session_items.delete(session_id)
