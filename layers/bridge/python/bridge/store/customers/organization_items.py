"""Settings of an organization. Source: design/data-model.md 2 and 4."""

import zlib
from collections import OrderedDict
from threading import Lock
from typing import NamedTuple

from bridge import clock
from bridge.store import dynamodb, keys

KEPT_S, KEPT_ORGANIZATIONS = 60, 10_000


class Settings(NamedTuple):
    """`read_shards`, `write_shards`: over how many partitions its lists are spread; reading is
    raised first, and never lowered. `cascade_payments`: payments go with a deleted customer."""

    read_shards: int = 1
    write_shards: int = 1
    cascade_payments: bool = False


_kept: OrderedDict[str, tuple[Settings, int]] = OrderedDict()
_lock = Lock()


def settings(organization_id: str) -> Settings:
    """At most a minute old: who raises write_shards waits two minutes after read_shards."""
    now = clock.seconds()
    with _lock:
        kept = _kept.get(organization_id)
    if kept and now < kept[1]:
        return kept[0]
    item = dynamodb.get(keys.organization_settings(organization_id)) or {}
    read = Settings(
        read_shards=int(item.get("read_shards", 1)),
        write_shards=int(item.get("write_shards", 1)),
        cascade_payments=bool(item.get("cascade_payments")),
    )
    with _lock:
        _kept[organization_id] = read, now + KEPT_S
        if len(_kept) > KEPT_ORGANIZATIONS:
            _kept.popitem(last=False)
    return read


def shard_of(organization_id: str | None, uid: str) -> int:
    """Where a new record is listed; it is kept on the record."""
    if organization_id is None:
        return 0
    return zlib.crc32(uid.encode()) % settings(organization_id).write_shards


def shards(organization_id: str) -> range:
    """Where its records may be listed."""
    return range(settings(organization_id).read_shards)
