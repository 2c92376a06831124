"""The one builder of keys. Source: design/data-model.md, section 2.

Items are keyed by an id's suffix as given; pointers sort by the record's uid, which for all
records but the demo data is the same 26 characters.
"""

import hashlib
import zlib
from typing import NamedTuple

from bridge.config import Table
from bridge.models.identifier import suffix
from bridge.models.text import fold_email

DUE_SHARDS = 8


class Key(NamedTuple):
    """One item: its table, and both parts of its primary key."""

    table: Table
    pk: str
    sk: str


def digest(text: str) -> str:
    """What a caller chose goes into a key by its hash: any length, any character, no secret."""
    return hashlib.sha256(text.encode()).hexdigest()


def payment(payment_id: str) -> Key:
    return Key("ledger", f"P#{suffix(payment_id)}", "P")


def entry(payment_id: str, sequence: int) -> Key:
    return Key("ledger", f"P#{suffix(payment_id)}", f"H#{sequence:010d}")


def refund(payment_id: str, refund_id: str) -> Key:
    return Key("ledger", payment(payment_id).pk, f"R#{suffix(refund_id)}")


def payment_id(pk: str) -> str:
    """Whose partition it is: `P#123` is pay_123's."""
    return f"pay_{pk.removeprefix('P#')}"


def event_cursor(payment_id: str) -> Key:
    """How far the events of a payment have been delivered to the bus, our one subscriber."""
    return Key("ledger", f"P#{suffix(payment_id)}", "D#bus")


def provider_payment(provider_id: str, provider_payment_id: str) -> Key:
    return Key("ledger", f"PP#{provider_id}#{provider_payment_id}", "PP")


def client_secret(payment_id: str) -> Key:
    return Key("secrets", f"CS#{suffix(payment_id)}", "CS")


def customer(customer_id: str) -> Key:
    return Key("ledger", f"C#{suffix(customer_id)}", "C")


def automatic_customer(user_id: str, provider_id: str, organization_id: str | None) -> Key:
    """The first customer a user made at a provider, in one organization or in none (B18)."""
    scope = f"#{organization_id}" if organization_id else ""
    return Key("ledger", user(user_id), f"AUTO#{provider_id}{scope}")


def customer_counter(organization_id: str, month: str, part: int) -> Key:
    return Key("ledger", f"O#{organization_id}#N", f"{month}#{part}")


def job(job_id: str) -> Key:
    return Key("ledger", f"J#{suffix(job_id)}", "J")


def job_id(pk: str) -> str:
    return f"job_{pk.removeprefix('J#')}"


def method_owner(method_id: str) -> Key:
    return Key("ledger", f"M#{suffix(method_id)}", "I")


def method(customer_id: str, method_id: str) -> Key:
    return Key("ledger", f"C#{suffix(customer_id)}", f"M#{suffix(method_id)}")


def method_token(method_id: str) -> Key:
    return Key("secrets", f"PT#{suffix(method_id)}", "PT")


def provider_method(provider_id: str, token: str) -> Key:
    """Which method of ours a provider's token is: one token is saved once."""
    return Key("ledger", f"PM#{provider_id}#{digest(token)}", "PM")


def address_owner(address_id: str) -> Key:
    return Key("ledger", f"A#{suffix(address_id)}", "I")


def address(customer_id: str, address_id: str) -> Key:
    return Key("ledger", f"C#{suffix(customer_id)}", f"A#{suffix(address_id)}")


def session(session_id: str) -> Key:
    return Key("secrets", f"SE#{digest(session_id)}", "SE")


def record(scope: str, client_key: str) -> Key:
    return Key("ephemeral", f"I#{scope}#{digest(client_key)}", "I")


def webhook(provider_id: str, event_id: str) -> Key:
    return Key("ephemeral", f"W#{provider_id}#{event_id}", "W")


def limit(rule: str, subject: str, window: int) -> Key:
    return Key("ephemeral", f"RL#{rule}#{digest(subject)}#{window}", "RL")


def organization_settings(organization_id: str) -> Key:
    return Key("ledger", f"O#{organization_id}", "CFG")


def user(user_id: str) -> str:
    return f"U#{user_id}"


def guest(email: str) -> str:
    return f"G#{digest(fold_email(email))}"


def organization_payments(organization_id: str) -> str:
    """Shard 0: the only one until an organization outgrows a partition (data-model.md 4)."""
    return f"O#{organization_id}#P#0"


def organization_customers(organization_id: str) -> str:
    return f"O#{organization_id}#C#0"


def organization_methods(organization_id: str) -> str:
    return f"O#{organization_id}#M#0"


def organization_addresses(organization_id: str) -> str:
    return f"O#{organization_id}#A#0"


def deleted_customers(organization_id: str) -> str:
    return f"O#{organization_id}#X#0"


def customer_payments(customer_id: str) -> str:
    return f"C#{suffix(customer_id)}#P"


def payment_pointer(partition: str, uid: str) -> Key:
    return Key("ledger", partition, f"P#{uid}")


def customer_pointer(partition: str, uid: str) -> Key:
    return Key("ledger", partition, f"C#{uid}")


def method_pointer(partition: str, uid: str) -> Key:
    return Key("ledger", partition, f"M#{uid}")


def address_pointer(partition: str, uid: str) -> Key:
    return Key("ledger", partition, f"A#{uid}")


def due_partition(identifier: str) -> str:
    return f"D#{zlib.crc32(identifier.encode()) % DUE_SHARDS}"


def due_partitions() -> list[str]:
    return [f"D#{shard}" for shard in range(DUE_SHARDS)]
