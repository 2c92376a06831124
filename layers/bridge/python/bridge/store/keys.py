"""The only place that builds keys of items. Source: docs/data-model.md, section 2.

The key of an item contains the suffix of its id, as it is given. Pointers sort by the uid of the
record: the same 26 characters, except for demo data, whose ids are not in order of time.

Functions that return a text return a partition key.
"""

import hashlib
import zlib
from typing import NamedTuple, get_args

from bridge.config import Table
from bridge.models.identifier import suffix
from bridge.models.provider import ProviderId
from bridge.models.text import fold_email

DUE_SHARDS = 8


class Key(NamedTuple):
    """The place of one item: its table, and both parts of its primary key."""

    table: Table
    pk: str
    sk: str


def digest(text: str) -> str:
    """The SHA-256 of a text that a caller chose, in lower-case hex.

    So a key can contain a text of any length and any characters, and no secret can be read in it.
    """
    return hashlib.sha256(text.encode()).hexdigest()


def payment(payment_id: str) -> Key:
    """The row of a payment."""
    return Key("ledger", f"P#{suffix(payment_id)}", "P")


def entry(payment_id: str, sequence: int) -> Key:
    """One timeline entry. Entries sort by their number."""
    return Key("ledger", f"P#{suffix(payment_id)}", f"H#{sequence:010d}")


def refund(payment_id: str, refund_id: str) -> Key:
    """One refund, in the partition of its payment."""
    return Key("ledger", payment(payment_id).pk, f"R#{suffix(refund_id)}")


def payment_id(pk: str) -> str:
    """The payment whose partition it is: `P#123` gives pay_123."""
    return f"pay_{pk.removeprefix('P#')}"


def event_cursor(payment_id: str) -> Key:
    """The event cursor of a payment: up to which entry the bus, our one subscriber, has them."""
    return Key("ledger", f"P#{suffix(payment_id)}", "D#bus")


def event_counter(payment_id: str) -> Key:
    """The event counter of a payment: events that a status check has yet to cover."""
    return Key("ledger", f"P#{suffix(payment_id)}", "B")


def provider_payment(provider_id: str, provider_payment_id: str) -> Key:
    """The pointer from the provider's id of a payment to ours."""
    return Key("ledger", f"PP#{provider_id}#{provider_payment_id}", "PP")


def provider_payments(provider_payment_id: str) -> list[Key]:
    """The same for every provider, if it is not known which one it is."""
    return [provider_payment(each, provider_payment_id) for each in get_args(ProviderId)]


def client_secret(payment_id: str) -> Key:
    """The client secret of a payment."""
    return Key("secrets", f"CS#{suffix(payment_id)}", "CS")


def customer(customer_id: str) -> Key:
    """The row of a customer."""
    return Key("ledger", f"C#{suffix(customer_id)}", "C")


def automatic_customer(user_id: str, provider_id: str, organization_id: str | None) -> Key:
    """The first customer that a user made at a provider, in one organization or in none (B18)."""
    scope = f"#{organization_id}" if organization_id else ""
    return Key("ledger", user(user_id), f"AUTO#{provider_id}{scope}")


def customer_counter(organization_id: str, month: str, part: int) -> Key:
    """One of 8 counters of an organization's customers of a month (`2026-01`)."""
    return Key("ledger", customer_counters(organization_id), f"{month}#{part}")


def job(job_id: str) -> Key:
    """A background job."""
    return Key("ledger", f"J#{suffix(job_id)}", "J")


def job_id(pk: str) -> str:
    """The job whose partition it is: `J#123` gives job_123."""
    return f"job_{pk.removeprefix('J#')}"


def method_owner(method_id: str) -> Key:
    """The owner item of a payment method: it says to which customer it belongs."""
    return Key("ledger", f"M#{suffix(method_id)}", "I")


def method(customer_id: str, method_id: str) -> Key:
    """A saved payment method, in the partition of its customer."""
    return Key("ledger", f"C#{suffix(customer_id)}", f"M#{suffix(method_id)}")


def method_token(method_id: str) -> Key:
    """The provider's token of a payment method."""
    return Key("secrets", f"PT#{suffix(method_id)}", "PT")


def provider_method(provider_id: str, token: str) -> Key:
    """The pointer from a provider's token to our method, so that a token is saved only once."""
    return Key("ledger", f"PM#{provider_id}#{digest(token)}", "PM")


def address_owner(address_id: str) -> Key:
    """The owner item of an address."""
    return Key("ledger", f"A#{suffix(address_id)}", "I")


def address(customer_id: str, address_id: str) -> Key:
    """An address, in the partition of its customer."""
    return Key("ledger", f"C#{suffix(customer_id)}", f"A#{suffix(address_id)}")


def session(session_id: str) -> Key:
    """A session, by the hash of its id."""
    return Key("secrets", f"SE#{digest(session_id)}", "SE")


def api_key(hashed: str) -> Key:
    """An API key. `hashed`: the SHA-256 of the text that a caller sends, as in the next two."""
    return Key("ledger", f"K#{hashed}", "K")


def oauth_client(hashed: str) -> Key:
    """An OAuth client, by the hash of its client id."""
    return Key("ledger", f"OC#{hashed}", "OC")


def merchant(hashed: str) -> Key:
    """A merchant, by the hash of its authenticity token."""
    return Key("secrets", f"MK#{hashed}", "MK")


def organization_credentials(organization_id: str) -> str:
    """The partition of an organization's credential entries."""
    return f"O#{organization_id}#K"


def credential_entry(organization_id: str, credential_id: str) -> Key:
    """What operators see of a credential. It stays when the credential is revoked."""
    partition = organization_credentials(organization_id)
    return Key("ledger", partition, f"K#{suffix(credential_id)}")


def record(scope: str, client_key: str) -> Key:
    """The idempotency record of a client's key. `scope`: a payment or a caller."""
    return Key("ephemeral", f"I#{scope}#{digest(client_key)}", "I")


def webhook(provider_id: str, event_id: str) -> Key:
    """The item that remembers a provider's event."""
    return Key("ephemeral", f"W#{provider_id}#{event_id}", "W")


def provider_walk(provider_id: str, kind: str) -> Key:
    """How far one kind of a provider's lists is read."""
    return Key("ledger", f"PW#{provider_id}", kind.upper())


def limit(rule: str, subject: str, window: int) -> Key:
    """The counter of a rate limit, for one subject in one window."""
    return Key("ephemeral", f"RL#{rule}#{digest(subject)}#{window}", "RL")


def organization_settings(organization_id: str) -> Key:
    """The settings of an organization."""
    return Key("ledger", f"O#{organization_id}", "CFG")


def user(user_id: str) -> str:
    """The partition of a user's pointers."""
    return f"U#{user_id}"


def guest(email: str) -> str:
    """The partition of a guest's pointers, by the hash of the folded e-mail."""
    return f"G#{digest(fold_email(email))}"


def organization_payments(organization_id: str, shard: int) -> str:
    """The partition of an organization's payments.

    There is only shard 0 until an organization is too big for one partition.
    Source: docs/data-model.md, section 4.
    """
    return f"O#{organization_id}#P#{shard}"


def organization_customers(organization_id: str, shard: int) -> str:
    """The partition of an organization's customers."""
    return f"O#{organization_id}#C#{shard}"


def organization_methods(organization_id: str, shard: int) -> str:
    """The partition of an organization's payment methods."""
    return f"O#{organization_id}#M#{shard}"


def organization_addresses(organization_id: str, shard: int) -> str:
    """The partition of an organization's addresses."""
    return f"O#{organization_id}#A#{shard}"


def deleted_customers(organization_id: str, shard: int) -> str:
    """The partition of an organization's deleted customers."""
    return f"O#{organization_id}#X#{shard}"


def customer_counters(organization_id: str) -> str:
    """The partition of an organization's counters."""
    return f"O#{organization_id}#N"


def external_id(organization_id: str, external_id: str) -> Key:
    """The claim of an external id: only one customer of an organization can have it."""
    return Key("ledger", f"X#{organization_id}#{digest(external_id)}", "X")


def customer_user(customer_id: str, user_id: str) -> Key:
    """A contact: a person at a customer, not one of our users."""
    return Key("ledger", f"C#{suffix(customer_id)}", f"U#{suffix(user_id)}")


def custom_fields(organization_id: str) -> str:
    """The partition of an organization's custom fields."""
    return f"O#{organization_id}#F"


def custom_field(organization_id: str, resource: str, name: str) -> Key:
    """The definition of a custom field, by the hash of its name (up to 255 of any characters)."""
    return Key("ledger", custom_fields(organization_id), f"F#{resource}#{digest(name)}")


def customer_payments(customer_id: str) -> str:
    """The partition of a customer's payments."""
    return f"C#{suffix(customer_id)}#P"


def payment_pointer(partition: str, uid: str) -> Key:
    """The pointer to a payment in one of its lists."""
    return Key("ledger", partition, f"P#{uid}")


def customer_pointer(partition: str, uid: str) -> Key:
    """The pointer to a customer in one of its lists."""
    return Key("ledger", partition, f"C#{uid}")


def method_pointer(partition: str, uid: str) -> Key:
    """The pointer to a payment method in one of its lists."""
    return Key("ledger", partition, f"M#{uid}")


def address_pointer(partition: str, uid: str) -> Key:
    """The pointer to an address in one of its lists."""
    return Key("ledger", partition, f"A#{uid}")


def due_partition(identifier: str) -> str:
    """The shard of the index `due` for a payment or job; always the same one for one id."""
    return f"D#{zlib.crc32(identifier.encode()) % DUE_SHARDS}"


def due_partitions() -> list[str]:
    """All shards of the index `due`."""
    return [f"D#{shard}" for shard in range(DUE_SHARDS)]
