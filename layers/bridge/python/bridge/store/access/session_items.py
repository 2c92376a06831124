"""Sessions, under the hash of their id, in the `secrets` table. Source: data-model.md 2; B7."""

from bridge.models.caller import PrefetchIds, Session
from bridge.store import dynamodb, keys, prefetch
from bridge.store.dynamodb import Prefetched


def read(session_id: str, prefetch_ids: PrefetchIds) -> tuple[Session | None, int, Prefetched]:
    """The session, when it ends (seconds), and what the request names: one consistent batch."""
    key = keys.session(session_id)
    found = dynamodb.get_all([key, *prefetch.keys_to_prefetch(prefetch_ids)])
    item = found.pop(key)
    if item is None:
        return None, 0, found
    return Session.model_validate(item), item["exp"], found


def put(session_id: str, session: Session) -> None:
    """Write a session, or a newer form of it."""
    item = session.model_dump(exclude_none=True) | {"exp": int(session.expires_at.timestamp())}
    dynamodb.write(dynamodb.put(keys.session(session_id), item))


def delete(session_id: str) -> None:
    dynamodb.write(dynamodb.delete(keys.session(session_id)))
