"""Operators write and revoke the sessions of our own table (B7, mode `table`).

Source: docs/api/native.md, section 2.
"""

from typing import TYPE_CHECKING

from bridge.models.caller import Session
from bridge.store.access import session_items

if TYPE_CHECKING:
    from bridge.bodies.operator import SessionEvent


def put_session(event: "SessionEvent") -> None:
    """Write a session, or replace it. Only the hash of its id is stored."""
    session = Session(**event.model_dump(exclude={"session_id"}))
    session_items.put(event.session_id, session)


def revoke_session(session_id: str) -> None:
    """End a session at once. If there is no such session, do nothing."""
    session_items.delete(session_id)
