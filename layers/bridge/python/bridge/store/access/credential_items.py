"""Credentials, stored by the hash of their name, and an entry of each for operators.

The name is what finds a caller: the API key itself, the authenticity token or the client id.
Source: docs/data-model.md, section 2.
"""

from datetime import datetime

import msgspec
from msgspec.structs import replace

from bridge.models.caller import PrefetchIds
from bridge.models.credential import Credential, CredentialKind, Holder
from bridge.models.model import values_of
from bridge.store import dynamodb, keys, prefetch
from bridge.store.dynamodb import NOTHING_PREFETCHED, Item, Prefetched

KEY_OF = {"api_key": keys.api_key, "merchant": keys.merchant, "oauth_client": keys.oauth_client}


def insert(credential: Credential, name: str, secret: str | None) -> None:
    """Write a credential. `secret`: a merchant's key or a client's secret; an API key has none.

    Raises ConditionFailed if the name is taken.
    """
    hashed = keys.digest(name)
    item: Item = {"organization_id": credential.organization_id}
    if credential.kind == "merchant":
        item["merchant_key"] = secret
    elif secret is not None:
        item["secret_hash"] = keys.digest(secret)
    entry = keys.credential_entry(credential.organization_id, credential.id)
    is_new = dynamodb.condition("attribute_not_exists(#pk)")
    dynamodb.transact(
        {
            "credential": dynamodb.put(KEY_OF[credential.kind](hashed), item, is_new),
            "entry": dynamodb.put(entry, values_of(credential) | {"hashed": hashed}),
        }
    )


def find(
    kind: CredentialKind, name: str, prefetch_ids: PrefetchIds | None = None
) -> tuple[Holder | None, Prefetched]:
    """Find a credential by its name, and read what the request needs in the same batch.

    The batch is strongly consistent, so a revoked credential is not found.
    """
    if not name.isascii():  # the names that we make are ASCII
        return None, NOTHING_PREFETCHED
    return find_hashed(kind, keys.digest(name), prefetch_ids)


def find_hashed(
    kind: CredentialKind, hashed: str, prefetch_ids: PrefetchIds | None = None
) -> tuple[Holder | None, Prefetched]:
    """The same by the SHA-256 of a name, in lower-case hex."""
    key = KEY_OF[kind](hashed)
    found = dynamodb.get_all([key, *prefetch.keys_to_prefetch(prefetch_ids or PrefetchIds())])
    item = found.pop(key)
    return (msgspec.convert(item, Holder) if item else None), found


def list_all(organization_id: str) -> list[Credential]:
    """The credentials of an organization, oldest first, also the revoked ones."""
    partition = keys.organization_credentials(organization_id)
    entries = dynamodb.query_all("ledger", partition, "K#")
    return [msgspec.convert(entry, Credential) for entry in entries]


def revoke(organization_id: str, credential_id: str, at: datetime) -> Credential | None:
    """Delete a credential and note the time in its entry. May be repeated.

    Returns the credential as it was first revoked, or None if the organization has none with that
    id.
    """
    key = keys.credential_entry(organization_id, credential_id)
    entry = dynamodb.get(key)
    if entry is None:
        return None
    credential = msgspec.convert(entry, Credential)
    if credential.revoked_at is not None:
        return credential
    revoked = replace(credential, revoked_at=at)
    dynamodb.transact(
        {
            "credential": dynamodb.delete(KEY_OF[credential.kind](entry["hashed"])),
            "entry": dynamodb.put(key, values_of(revoked) | {"hashed": entry["hashed"]}),
        }
    )
    return revoked
