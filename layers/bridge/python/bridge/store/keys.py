"""The one builder of keys. Source: design/data-model.md, section 2.

Items are keyed by an id's suffix as given; pointers sort by the record's uid, which for all
records but the demo data is the same 26 characters.
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


def provider_payments(provider_payment_id: str) -> list[Key]:
    """The same where nobody says which provider it is."""
    return [provider_payment(each, provider_payment_id) for each in get_args(ProviderId)]


def client_secret(payment_id: str) -> Key:
    return Key("secrets", f"CS#{suffix(payment_id)}", "CS")


def customer(customer_id: str) -> Key:
    return Key("ledger", f"C#{suffix(customer_id)}", "C")


def automatic_customer(user_id: str, provider_id: str, organization_id: str | None) -> Key:
    """The first customer a user made at a provider, in one organization or in none (B18)."""
    scope = f"#{organization_id}" if organization_id else ""
    return Key("ledger", user(user_id), f"AUTO#{provider_id}{scope}")


def customer_counter(organization_id: str, month: str, part: int) -> Key:
    return Key("ledger", customer_counters(organization_id), f"{month}#{part}")


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


def api_key(hashed: str) -> Key:
    """These three are named by the SHA-256 of the text that a caller sends."""
    return Key("ledger", f"K#{hashed}", "K")


def oauth_client(hashed: str) -> Key:
    return Key("ledger", f"OC#{hashed}", "OC")


def merchant(hashed: str) -> Key:
    return Key("secrets", f"MK#{hashed}", "MK")


def organization_credentials(organization_id: str) -> str:
    return f"O#{organization_id}#K"


def credential_entry(organization_id: str, credential_id: str) -> Key:
    """The line that operators see of a credential; it stays when the credential is revoked."""
    partition = organization_credentials(organization_id)
    return Key("ledger", partition, f"K#{suffix(credential_id)}")


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


def organization_payments(organization_id: str, shard: int) -> str:
    """Shard 0 is the only one until an organization outgrows a partition (data-model.md 4)."""
    return f"O#{organization_id}#P#{shard}"


def organization_customers(organization_id: str, shard: int) -> str:
    return f"O#{organization_id}#C#{shard}"


def organization_methods(organization_id: str, shard: int) -> str:
    return f"O#{organization_id}#M#{shard}"


def organization_addresses(organization_id: str, shard: int) -> str:
    return f"O#{organization_id}#A#{shard}"


def deleted_customers(organization_id: str, shard: int) -> str:
    return f"O#{organization_id}#X#{shard}"


def customer_counters(organization_id: str) -> str:
    return f"O#{organization_id}#N"


def external_id(organization_id: str, external_id: str) -> Key:
    return Key("ledger", f"X#{organization_id}#{digest(external_id)}", "X")


def customer_user(customer_id: str, user_id: str) -> Key:
    """A person at a customer's; not a user of ours."""
    return Key("ledger", f"C#{suffix(customer_id)}", f"U#{suffix(user_id)}")


def custom_fields(organization_id: str) -> str:
    return f"O#{organization_id}#F"


def custom_field(organization_id: str, resource: str, name: str) -> Key:
    """A name has up to 255 characters of any kind."""
    return Key("ledger", custom_fields(organization_id), f"F#{resource}#{digest(name)}")


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
