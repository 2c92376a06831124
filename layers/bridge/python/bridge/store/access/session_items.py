"""Sessions, by the hash of their id, in the table `secrets`.

Source: docs/data-model.md, section 2; docs/api/native.md, section 2 (B7).
"""

import msgspec

from bridge.models.caller import PrefetchIds, Session
from bridge.models.model import present_values_of
from bridge.store import dynamodb, keys, prefetch
from bridge.store.dynamodb import Prefetched


def read(session_id: str, prefetch_ids: PrefetchIds) -> tuple[Session | None, int, Prefetched]:
    """Read the session, and what the request needs in the same batch, strongly consistent.

    Returns the session, the second when it ends (0 without a session), and the prefetched items.
    """
    key = keys.session(session_id)
    found = dynamodb.get_all([key, *prefetch.keys_to_prefetch(prefetch_ids)])
    item = found.pop(key)
    if item is None:
        return None, 0, found
    return msgspec.convert(item, Session), item["exp"], found


def put(session_id: str, session: Session) -> None:
    """Write a session, or replace it."""
    item = present_values_of(session) | {"exp": int(session.expires_at.timestamp())}
    dynamodb.write(dynamodb.put(keys.session(session_id), item))


def delete(session_id: str) -> None:
    """Delete a session, if there is one."""
    dynamodb.write(dynamodb.delete(keys.session(session_id)))
