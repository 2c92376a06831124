"""API keys: one opaque text that opens one organization (payments-ai.md 1.2, alternative.md 2).

Only the SHA-256 of a key is stored. An organization may have any number of them, so a new one is
good beside the old one until that is revoked.
"""

from bridge.errors import NotAuthenticated
from bridge.models.caller import Caller, PrefetchIds
from bridge.store.access import credential_items

LONGEST = 512


def authenticate(key: str, prefetch_ids: PrefetchIds | None = None) -> Caller:
    """The organization's caller. Raises NotAuthenticated `credential_invalid`."""
    # Looked up by hash, no secret is compared: what the look-up's time tells is about a hash that
    # nobody can steer.
    if key and len(key) <= LONGEST:
        holder, prefetched = credential_items.find("api_key", key, prefetch_ids)
        if holder:
            return Caller(key_of=holder.organization_id, prefetched=prefetched)
    raise NotAuthenticated("the API key is not valid", code="credential_invalid")
