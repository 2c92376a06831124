"""The rights of each function: tables, queue, secrets. As narrow as its task.

Source: docs/data-model.md, section 1.
"""

import re

import pytest

from tests.policies import PARAMETERS, grants
from tests.template.stack import CALLS, NAMES, logical_id

# The rights of each kind of function. After a colon: the partition keys it is limited to.
READS = {"Ledger GetItem", "Ledger BatchGetItem", "Ledger Query"}
CREDENTIALS = {"Secrets GetItem: SE#*", "Secrets BatchGetItem: SE#*"}
SECRET_READS = {"Secrets GetItem: CS#*, SE#*", "Secrets BatchGetItem: CS#*, SE#*"}
LIMITS = {"Ephemeral UpdateItem: RL#*"}
READ = READS | CREDENTIALS | LIMITS
WRITES = READS | {
    *("Ledger PutItem", "Ledger UpdateItem", "Ledger DeleteItem", "Ledger ConditionCheckItem"),
    *("Ephemeral GetItem", "Ephemeral BatchGetItem", "Ephemeral PutItem"),
    *("Ephemeral UpdateItem", "Ephemeral DeleteItem"),
}
TOKEN_WRITES = {"Secrets PutItem: PT#*"}
SECRET_WRITES = {"Secrets PutItem: CS#*", "Secrets DeleteItem: CS#*"} | TOKEN_WRITES
METHODS = {"Secrets GetItem: CS#*, PT#*, SE#*", "Secrets BatchGetItem: CS#*, PT#*, SE#*"}
TOKENS = {"Secrets GetItem: PT#*, SE#*", "Secrets BatchGetItem: PT#*, SE#*"}
WRITE_METHOD = WRITES | CREDENTIALS | TOKENS | TOKEN_WRITES
WRITE_PAYMENT = WRITES | CREDENTIALS | SECRET_READS | SECRET_WRITES | METHODS
CUSTOMER_WRITES = {each for each in WRITES if each.startswith("Ledger ")}
EVENTS = {f"Ledger {action}: P#*" for action in ("GetItem", "Query", "PutItem")}
STREAM = {
    f"Ledger {action}"
    for action in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
}
MERCHANTS = {"Secrets GetItem: MK#*", "Secrets BatchGetItem: MK#*"}
RIGHTS = {
    "native/create_customer": WRITES | CREDENTIALS,
    "native/get_customer": READ,
    "native/list_customers": READ,
    "native/update_customer": WRITES | CREDENTIALS,
    "native/delete_customer": WRITES | CREDENTIALS,
    "native/create_payment_intent": WRITE_PAYMENT,
    "native/update_payment_intent": WRITE_PAYMENT,
    "native/confirm_payment": WRITE_PAYMENT,
    "native/cancel_payment": WRITE_PAYMENT,
    "native/capture_payment": WRITE_PAYMENT,
    "native/refund_payment": WRITE_PAYMENT,
    "native/sync_payment": WRITE_PAYMENT,
    "native/get_payment": READ | SECRET_READS,
    "native/list_refunds": READ | SECRET_READS,
    "native/get_timeline": READ | SECRET_READS,
    "native/list_payments": READ | SECRET_READS,
    "native/list_guest_payments": READ | SECRET_READS,
    "native/create_payment_method": WRITE_METHOD,
    "native/get_payment_method": READ | TOKENS,
    "native/list_payment_methods": READ | TOKENS,
    "native/list_customer_payment_methods": READ | TOKENS,
    "native/update_payment_method": WRITE_METHOD,
    "native/set_default_payment_method": WRITE_METHOD,
    "native/delete_payment_method": WRITE_METHOD,
    "native/create_address": WRITES | CREDENTIALS,
    "native/get_address": READ,
    "native/list_addresses": READ,
    "native/update_address": WRITES | CREDENTIALS,
    "native/delete_address": WRITES | CREDENTIALS,
    "payments_ai/create_customer": WRITES,
    "payments_ai/get_customer": READS | LIMITS,
    "payments_ai/list_customers": READS | LIMITS,
    "payments_ai/update_customer": WRITES,
    "payments_ai/delete_customer": WRITES,
    "payments_ai/create_payment_instrument": WRITE_METHOD,
    "payments_ai/list_payment_instruments": READS | LIMITS,
    "payments_ai/get_payment_instrument": READS | LIMITS,
    "payments_ai/delete_payment_instrument": WRITE_METHOD,
    "payments_ai/create_custom_field": WRITES,
    "payments_ai/list_custom_fields": READS | LIMITS,
    "payments_ai/get_custom_field": READS | LIMITS,
    "payments_ai/update_custom_field": WRITES,
    "monri/create_token": MERCHANTS,
    "monri/create_customer": CUSTOMER_WRITES | MERCHANTS,
    "monri/list_customers": READS | MERCHANTS,
    "monri/list_payment_methods": READS | MERCHANTS,
    "monri/get_customer": READS | MERCHANTS,
    "monri/get_customer_by_merchant_id": READS | MERCHANTS,
    "monri/update_customer": CUSTOMER_WRITES | MERCHANTS,
    "monri/delete_customer": CUSTOMER_WRITES | MERCHANTS,
    "alternative/create_token": {"Ledger GetItem: OC#*", "Ledger BatchGetItem: OC#*"},
    "alternative/list_customers": READS,
    "alternative/create_customer": CUSTOMER_WRITES,
    "alternative/get_customer": READS,
    "alternative/archive_customer": CUSTOMER_WRITES,
    "alternative/list_payment_methods": READS,
    "alternative/list_customer_users": READS,
    "alternative/create_customer_user": CUSTOMER_WRITES,
    "webhooks/stripe": set(),
    "operations/health": {"Ledger GetItem: HEALTH"},
    "operations/unmatched": set(),
    "operations/put_session": {"Secrets PutItem: SE#*"},
    "operations/revoke_session": {"Secrets DeleteItem: SE#*"},
    "operations/create_credential": {
        "Ledger PutItem: K#*, OC#*, O#*#K",
        "Secrets PutItem: MK#*",
    },
    "operations/list_credentials": {"Ledger Query: O#*#K"},
    "operations/revoke_credential": {
        *("Ledger GetItem: O#*#K", "Ledger PutItem: O#*#K", "Ledger DeleteItem: K#*, OC#*"),
        "Secrets DeleteItem: MK#*",
    },
    "operations/inspect_payment": READS,
    "operations/synchronize_payment": WRITES | SECRET_WRITES,
    "jobs/reconcile_payments": READS | {"Ledger UpdateItem: P#*", "Ledger PutItem: PW#*"},
    "jobs/read_event_log": {
        *("Ledger GetItem: PW#*", "Ledger PutItem: PW#*"),
        "Ephemeral BatchGetItem: W#*",
    },
    "jobs/process_queue_message": WRITES | SECRET_WRITES,
    "operations/replay_events": EVENTS,
    "jobs/sweep_payments": WRITES | SECRET_WRITES | EVENTS | {"Ledger/index/due Query"},
    "jobs/deliver_events": EVENTS | STREAM,
    "jobs/finish_deletion": CUSTOMER_WRITES
    | {"Ledger/index/due Query", "Secrets GetItem: PT#*", "Secrets DeleteItem: PT#*"},
}
# Who sends to the queue: functions that make money calls, whose outcome may be unknown; the webhook
# function, and the job that finds lost webhooks; the queue worker and the sweep.
SENDERS = {name for name, rights in RIGHTS.items() if rights >= WRITE_PAYMENT} | {
    *("webhooks/stripe", "jobs/read_event_log", "jobs/process_queue_message"),
    "jobs/sweep_payments",
}
# They read a provider's lists.
LISTING = {"jobs/reconcile_payments", "jobs/read_event_log"}
# They store customers only. A payment makes the customer at the provider.
OTHER_APIS = ("monri/", "alternative/", "payments_ai/")
WRITING = {"PutItem", "UpdateItem", "DeleteItem"}


def test_every_function_is_in_the_table_of_rights() -> None:
    assert set(NAMES) ^ RIGHTS.keys() == set()


@pytest.mark.parametrize("name", RIGHTS)
def test_function_has_exactly_the_table_rights_of_its_kind(name: str) -> None:
    found = {
        f"{grant.resource} {grant.action.removeprefix('dynamodb:')}"
        + (f": {', '.join(grant.keys)}" if grant.keys else "")
        for grant in grants(logical_id(name))
        if grant.action.startswith("dynamodb:")
    }
    assert found == RIGHTS[name]


@pytest.mark.parametrize(
    "name", [*(n for n in NAMES if re.search("/(get|list|inspect)_", n)), "operations/health"]
)
def test_reading_function_cannot_write_ledger_or_secrets(name: str) -> None:
    writes = [
        grant
        for grant in grants(logical_id(name))
        if grant.resource in ("Ledger", "Secrets")
        and grant.action.removeprefix("dynamodb:") in WRITING
    ]
    assert writes == []


@pytest.mark.parametrize("name", NAMES)
def test_function_has_exactly_the_queue_rights_of_its_kind_and_none_on_dead_letters(
    name: str,
) -> None:
    found = {
        f"{grant.resource} {grant.action}"
        for grant in grants(logical_id(name))
        if grant.action.startswith("sqs:")
    }
    sends = {"SyncQueue sqs:SendMessage"} if name in SENDERS else set()
    takes = {
        f"SyncQueue sqs:{verb}"
        for verb in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
    }
    assert found == sends | (takes if name == "jobs/process_queue_message" else set())


@pytest.mark.parametrize("name", NAMES)
def test_no_function_may_scan_and_no_right_is_a_wildcard(name: str) -> None:
    for grant in grants(logical_id(name)):
        assert "*" not in grant.action
        assert "Scan" not in grant.action
        assert grant.action.startswith("xray:Put") or grant.resource != "*"
        assert (
            not grant.resource.endswith("*")
            or grant.resource == "FunctionLogs:*"
            or grant.resource == "*"
        )


@pytest.mark.parametrize("name", NAMES)
def test_secrets_table_is_limited_to_prefixes_and_its_key_to_dynamodb(name: str) -> None:
    given = grants(logical_id(name))
    on_table = [grant for grant in given if grant.resource == "Secrets"]
    on_key = [grant for grant in given if grant.resource == "SecretsKey"]
    for grant in on_table:
        assert grant.keys
        assert grant.condition["Null"] == {"dynamodb:LeadingKeys": "false"}
    for grant in on_key:
        assert "dynamodb." in grant.condition["StringEquals"]["kms:ViaService"]["Fn::Sub"]
    writes = any(grant.action.removeprefix("dynamodb:") in WRITING for grant in on_table)
    expected = {"kms:Decrypt"} if on_table else set()
    assert {grant.action for grant in on_key} == expected | (
        {"kms:GenerateDataKey"} if writes else set()
    )


def test_only_functions_that_call_providers_may_read_provider_secrets() -> None:
    secrets = {
        name: {
            grant.resource
            for grant in grants(logical_id(name))
            if grant.action == "ssm:GetParameter"
        }
        for name in NAMES
    }
    read = {text for called, text in CALLS if called == "secret"}
    assert set().union(*secrets.values()) == {f"{PARAMETERS}{each}" for each in read}
    provider_key = f"{PARAMETERS}STRIPE_SECRET_KEY"
    assert sorted(name for name in NAMES if provider_key in secrets[name]) == sorted(
        name
        for name, rights in RIGHTS.items()
        if name in LISTING
        or (
            "Ledger PutItem" in rights
            and (rights >= WRITE_METHOD or not name.startswith(OTHER_APIS))
        )
    )
    webhooks = f"{PARAMETERS}STRIPE_WEBHOOK_SECRET"
    assert [name for name in NAMES if webhooks in secrets[name]] == ["webhooks/stripe"]
