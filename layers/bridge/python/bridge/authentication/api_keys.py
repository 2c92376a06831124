"""API keys: one opaque text that gives access to one organization.

Only the SHA-256 of a key is stored. An organization may have any number of keys, so an old key can
stay valid beside a new one until it is revoked.
Source: docs/api/payments-ai.md, section 1.2; docs/api/alternative.md, section 2.
"""

from bridge.errors import NotAuthenticated
from bridge.models.caller import Caller, PrefetchIds
from bridge.store.access import credential_items

LONGEST = 512


def authenticate(key: str, prefetch_ids: PrefetchIds | None = None) -> Caller:
    """The caller for the key's organization. Raises NotAuthenticated `credential_invalid`."""
    # The key is found by its hash, and no secret is compared. The time that this takes can only
    # reveal something about the hash, which nobody can choose.
    if key and len(key) <= LONGEST:
        holder, prefetched = credential_items.find("api_key", key, prefetch_ids)
        if holder:
            return Caller(key_of=holder.organization_id, prefetched=prefetched)
    raise NotAuthenticated("the API key is not valid", code="credential_invalid")
