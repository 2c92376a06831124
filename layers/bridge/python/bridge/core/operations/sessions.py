"""Sessions of the table, as operators write and revoke them."""

from pydantic import Field

from bridge.models.caller import Session
from bridge.store.access import session_items


class SessionEvent(Session, frozen=True):
    """A session as operators write it, with the id that its owner will send."""

    session_id: str = Field(min_length=16, max_length=4096, repr=False)


def put_session(event: SessionEvent) -> None:
    """Write a session, or a newer form of it; only the hash of its id is stored."""
    session = Session(**event.model_dump(exclude={"session_id"}))
    session_items.put(event.session_id, session)


def revoke_session(session_id: str) -> None:
    """End a session at once; one that is not there is ended already."""
    session_items.delete(session_id)
