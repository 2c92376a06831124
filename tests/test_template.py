"""template.yaml against the tree, and against the designs: names, routes, rights, protection."""

import ast
import base64
import json
import re
import tomllib
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from local import template
from local.intrinsics import Resolver
from tests.policies import DOCUMENT, FUNCTIONS, PARAMETERS, RESOURCES, ROOT, grants, of_type

BASE = "/bridge-payment"
SHOP = "/v1/public-api/organizations/{organization_id}"
INSTRUMENT = f"{SHOP}/customers/{{id}}/payment-instruments/{{instrument_id}}"
ROUTES = {  # contracts/bridge.md, sections 3, 4 and 6; monri.md 3, 5; payments-ai.md 1 to 4
    f"POST {BASE}/customers": "native/create_customer",
    f"GET {BASE}/customers/{{id}}": "native/get_customer",
    f"GET {BASE}/customers": "native/list_customers",
    f"PUT {BASE}/customers/{{id}}": "native/update_customer",
    f"DELETE {BASE}/customers/{{id}}": "native/delete_customer",
    f"POST {BASE}/payments/intents": "native/create_payment_intent",
    f"PUT {BASE}/payments/intents/{{id}}": "native/update_payment_intent",
    f"PATCH {BASE}/payments/intents/{{id}}": "native/update_payment_intent",
    f"POST {BASE}/payments/confirm/{{id}}": "native/confirm_payment",
    f"POST {BASE}/payments/intents/{{id}}/confirm": "native/confirm_payment",
    f"POST {BASE}/payments/{{id}}/cancel": "native/cancel_payment",
    f"POST {BASE}/payments/{{id}}/capture": "native/capture_payment",
    f"POST {BASE}/payments/{{id}}/refund": "native/refund_payment",
    f"POST {BASE}/payments/sync/{{id}}": "native/sync_payment",
    f"POST {BASE}/payments/intents/{{id}}/sync": "native/sync_payment",
    f"GET {BASE}/payments/{{id}}": "native/get_payment",
    f"GET {BASE}/payments/intents/{{id}}": "native/get_payment",
    f"GET {BASE}/payments/{{id}}/refunds": "native/list_refunds",
    f"GET {BASE}/payments/{{id}}/timeline": "native/get_timeline",
    f"GET {BASE}/payments": "native/list_payments",
    f"GET {BASE}/payments/guest/{{email}}": "native/list_guest_payments",
    f"POST {BASE}/payment-methods": "native/create_payment_method",
    f"GET {BASE}/payment-methods/{{id}}": "native/get_payment_method",
    f"GET {BASE}/payment-methods": "native/list_payment_methods",
    f"GET {BASE}/payment-methods/customer/{{id}}": "native/list_customer_payment_methods",
    f"PUT {BASE}/payment-methods/{{id}}": "native/update_payment_method",
    f"POST {BASE}/payment-methods/{{id}}/set-default": "native/set_default_payment_method",
    f"DELETE {BASE}/payment-methods/{{id}}": "native/delete_payment_method",
    f"POST {BASE}/addresses": "native/create_address",
    f"GET {BASE}/addresses/{{id}}": "native/get_address",
    f"GET {BASE}/addresses": "native/list_addresses",
    f"PUT {BASE}/addresses/{{id}}": "native/update_address",
    f"DELETE {BASE}/addresses/{{id}}": "native/delete_address",
    f"POST {SHOP}/customers": "payments_ai/create_customer",
    f"POST {SHOP}/customers/": "payments_ai/create_customer",
    f"GET {SHOP}/customers/{{id}}": "payments_ai/get_customer",
    f"GET {SHOP}/customers": "payments_ai/list_customers",
    f"PUT {SHOP}/customers/{{id}}": "payments_ai/update_customer",
    f"PATCH {SHOP}/customers/{{id}}": "payments_ai/update_customer",
    f"DELETE {SHOP}/customers/{{id}}": "payments_ai/delete_customer",
    f"POST {SHOP}/customers/{{id}}/payment-instruments": "payments_ai/create_payment_instrument",
    f"GET {SHOP}/customers/{{id}}/payment-instruments": "payments_ai/list_payment_instruments",
    f"GET {INSTRUMENT}": "payments_ai/get_payment_instrument",
    f"DELETE {INSTRUMENT}": "payments_ai/delete_payment_instrument",
    f"POST {SHOP}/custom-fields": "payments_ai/create_custom_field",
    f"GET {SHOP}/custom-fields": "payments_ai/list_custom_fields",
    f"GET {SHOP}/custom-fields/{{resource}}": "payments_ai/list_custom_fields",
    f"GET {SHOP}/custom-fields/{{resource}}/{{name}}": "payments_ai/get_custom_field",
    f"PUT {SHOP}/custom-fields/{{resource}}/{{name}}": "payments_ai/update_custom_field",
    "POST /v2/oauth": "monri/create_token",
    "POST /v2/customers": "monri/create_customer",
    "GET /v2/customers": "monri/list_customers",
    "GET /v2/customers/{uuid}": "monri/get_customer",
    "POST /v2/customers/{uuid}": "monri/update_customer",
    "DELETE /v2/customers/{uuid}": "monri/delete_customer",
    "GET /v2/customers/{uuid}/payment-methods": "monri/list_payment_methods",
    "GET /v2/merchants/customers/{merchant_customer_id+}": "monri/get_customer_by_merchant_id",
    "POST /oauth/token": "alternative/create_token",  # contracts/alternative.md
    "GET /customers": "alternative/list_customers",
    "POST /customers": "alternative/create_customer",
    "GET /customers/{id}": "alternative/get_customer",
    "DELETE /customers/{id}": "alternative/archive_customer",
    "GET /customers/{id}/payment-methods": "alternative/list_payment_methods",
    "GET /customers/{id}/users": "alternative/list_customer_users",
    "POST /customers/{id}/users": "alternative/create_customer_user",
    f"POST {BASE}/webhooks/stripe": "webhooks/stripe",
    "GET /health": "operations/health",
    "GET /health/live": "operations/health",
    "GET /health/ready": "operations/health",
    "$default": "operations/unmatched",
}

# The rights of each kind of function, with the partition keys after a colon: data-model.md 1.
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
KEEPS = {each for each in WRITES if each.startswith("Ledger ")}
EVENTS = {f"Ledger {action}: P#*" for action in ("GetItem", "Query", "PutItem")}
STREAM = {
    f"Ledger {action}"
    for action in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
}
MERCHANTS = {"Secrets GetItem: MK#*", "Secrets BatchGetItem: MK#*"}
KEEPS = {each for each in WRITES if each.startswith("Ledger ")}
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
    "monri/create_customer": KEEPS | MERCHANTS,
    "monri/list_customers": READS | MERCHANTS,
    "monri/list_payment_methods": READS | MERCHANTS,
    "monri/get_customer": READS | MERCHANTS,
    "monri/get_customer_by_merchant_id": READS | MERCHANTS,
    "monri/update_customer": KEEPS | MERCHANTS,
    "monri/delete_customer": KEEPS | MERCHANTS,
    "alternative/create_token": {"Ledger GetItem: OC#*", "Ledger BatchGetItem: OC#*"},
    "alternative/list_customers": READS,
    "alternative/create_customer": KEEPS,
    "alternative/get_customer": READS,
    "alternative/archive_customer": KEEPS,
    "alternative/list_payment_methods": READS,
    "alternative/list_customer_users": READS,
    "alternative/create_customer_user": KEEPS,
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
    "jobs/reconcile_payments": WRITES | SECRET_WRITES,
    "jobs/process_queue_message": WRITES | SECRET_WRITES,
    "operations/replay_events": EVENTS,
    "jobs/sweep_payments": WRITES | SECRET_WRITES | EVENTS | {"Ledger/index/due Query"},
    "jobs/deliver_events": EVENTS | STREAM,
    "jobs/finish_deletion": KEEPS
    | {"Ledger/index/due Query", "Secrets GetItem: PT#*", "Secrets DeleteItem: PT#*"},
}
# Who sends to the queue: whoever makes money calls, whose outcome may be unknown; and its worker.
SENDERS = {name for name, rights in RIGHTS.items() if rights >= WRITE_PAYMENT} | {
    *("webhooks/stripe", "jobs/process_queue_message", "jobs/sweep_payments"),
}
OTHER_APIS = (
    "monri/",
    "alternative/",
    "payments_ai/",
)  # they keep customers; a payment makes them at a provider
WRITING = {"PutItem", "UpdateItem", "DeleteItem"}

NAMES = sorted(
    str(each.parent.relative_to(ROOT / "functions"))
    for each in ROOT.glob("functions/*/*/handler.py")
)
LOCAL = template.read()


def logical_id(name: str) -> str:
    """`native/create_customer` is NativeCreateCustomer."""
    return "".join(word.title() for word in re.split("[/_]", name))


def event_of(name: str) -> dict[str, Any]:
    event = json.loads((ROOT / "events" / f"{name}.json").read_text(encoding="utf-8"))
    assert isinstance(event, dict)
    return event


def body_of(event: dict[str, Any]) -> bytes:
    """Forms arrive in base64, JSON as text."""
    body = event.get("body", "").encode()
    return base64.b64decode(body) if event["isBase64Encoded"] else body


def routes_of(name: str) -> list[str]:
    """Route keys, the documented one first."""
    routes = LOCAL.functions[logical_id(name)].routes
    return [
        "$default" if each.path == "$default" else f"{each.method} {each.path}" for each in routes
    ]


def calls_in(folder: str) -> Iterator[tuple[str, str]]:
    """Every call of the bundle's code whose first argument is a text: its name and that text."""
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                called = node.func
                name = (
                    called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
                )
                yield name, str(node.args[0].value)


CALLS = list(calls_in("layers/bridge/python/bridge"))


def test_every_function_has_a_resource_of_its_name_and_every_resource_a_folder() -> None:
    assert {name: f"functions/{name}/" for name in NAMES} == {
        name: FUNCTIONS[logical_id(name)]["CodeUri"] for name in NAMES
    }
    assert sorted(FUNCTIONS) == sorted(map(logical_id, NAMES))


def test_every_function_has_an_event_file_and_every_event_file_a_function() -> None:
    events = ROOT.glob("events/*/*.json")
    assert (
        sorted(str(each.relative_to(ROOT / "events").with_suffix("")) for each in events) == NAMES
    )


def test_every_function_has_a_test_file_and_every_test_file_a_function() -> None:
    files = (ROOT / "tests" / "functions").glob("*/test_*.py")
    assert (
        sorted(f"{each.parent.name}/{each.stem.removeprefix('test_')}" for each in files) == NAMES
    )


def test_the_readme_names_every_route_and_every_function() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert dict(readme_routes(readme)) == ROUTES
    named = set(re.findall(r"`([a-z_]+)`", readme))
    assert [name for name in NAMES if name.split("/")[1] not in named] == []


def readme_routes(readme: str) -> Iterator[tuple[str, str]]:
    """Rows of paths and of methods with their function, below a row of a folder with its prefix."""
    folder = prefix = ""
    for line in readme.splitlines():
        if head := re.match(r"\| \*\*`functions/([a-z_]+)`(?:, below `(.+)`)?\*\* ", line):
            folder, prefix = head[1], head[2] or ""
        elif folder and re.match(r"\| .* \| `(\$default|[A-Z]+)` ", line):
            first, second = line.strip("| ").split(" | ")
            paths = [f" {prefix}{path}" for path in re.findall(r"`(/[^`]*)`", first)] or [""]
            for methods, function in re.findall(r"((?:`[A-Z$][A-Za-z]+` )+)`([a-z_]+)`", second):
                for method, path in product(re.findall(r"`([^`]+)`", methods), paths):
                    yield f"{method}{path}", f"{folder}/{function}"
        elif folder:
            return


def test_no_function_brings_its_own_dependencies() -> None:
    assert list(ROOT.glob("functions/**/requirements.txt")) == []


def test_the_routes_are_the_contracts() -> None:
    assert {route: name for name in NAMES for route in routes_of(name)} == ROUTES


@pytest.mark.parametrize("name", [name for name in NAMES if name in ROUTES.values()])
def test_an_http_event_is_what_the_gateway_sends_on_a_route_of_its_function(name: str) -> None:
    event = event_of(name)
    about = event["requestContext"]
    key, http = event["routeKey"], about["http"]
    assert event["version"] == "2.0"
    assert key == about["routeKey"] == routes_of(name)[0]
    assert event["rawPath"] == http["path"]
    assert [each for each in event["headers"] if each != each.lower()] == []
    assert int(event["headers"]["content-length"]) == len(body_of(event))
    if key != "$default":
        method, path = key.split(" ")
        pairs = list(zip(path.split("/"), event["rawPath"].split("/"), strict=True))
        assert http["method"] == method
        assert [sent for wanted, sent in pairs if wanted != sent and wanted[0] != "{"] == []
        named = {wanted.strip("{+}"): sent for wanted, sent in pairs if wanted[:1] == "{"}
        assert event.get("pathParameters", {}) == named


def test_the_reconciliation_runs_every_day() -> None:
    assert LOCAL.functions["JobsReconcilePayments"].schedules == ("rate(1 day)",)
    assert event_of("jobs/reconcile_payments")["detail-type"] == "Scheduled Event"


@pytest.mark.parametrize("name", ["jobs/sweep_payments", "jobs/finish_deletion"])
def test_what_is_due_is_looked_for_every_minute(name: str) -> None:
    assert LOCAL.functions[logical_id(name)].schedules == ("rate(1 minute)",)
    assert event_of(name)["detail-type"] == "Scheduled Event"


def test_the_ledgers_stream_rings_for_new_entries_of_timelines_alone() -> None:
    (ring,) = FUNCTIONS["JobsDeliverEvents"]["Events"].values()
    assert ring["Type"] == "DynamoDB"
    assert ring["Properties"]["Stream"] == {"Fn::GetAtt": ["Ledger", "StreamArn"]}
    assert RESOURCES["Ledger"]["Properties"]["StreamSpecification"] == {
        "StreamViewType": "KEYS_ONLY"
    }
    (pattern,) = ring["Properties"]["FilterCriteria"]["Filters"]
    assert json.loads(pattern["Pattern"]) == {
        "eventName": ["INSERT"],
        "dynamodb": {"Keys": {"sk": {"S": [{"prefix": "H#"}]}}},
    }
    (record,) = event_of("jobs/deliver_events")["Records"]
    assert record["dynamodb"].keys().isdisjoint({"NewImage", "OldImage"})


@pytest.mark.parametrize("name", NAMES)
def test_a_function_has_the_rights_of_its_kind_on_the_tables_and_no_more(name: str) -> None:
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
def test_a_reading_function_cannot_write_the_ledger_or_secrets(name: str) -> None:
    writes = [
        grant
        for grant in grants(logical_id(name))
        if grant.resource in ("Ledger", "Secrets")
        and grant.action.removeprefix("dynamodb:") in WRITING
    ]
    assert writes == []


@pytest.mark.parametrize("name", NAMES)
def test_a_function_uses_the_queue_as_its_kind_does_and_nobody_the_dead_letters(name: str) -> None:
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


def test_a_message_has_time_is_tried_eight_times_and_is_kept_when_it_fails() -> None:
    """Six times the worker's time, so that no message is out twice at once."""
    queue, worker = RESOURCES["SyncQueue"]["Properties"], FUNCTIONS["JobsProcessQueueMessage"]
    assert queue["VisibilityTimeout"] == 6 * worker["Timeout"] == 360
    dead = {"Fn::GetAtt": ["SyncDeadLetters", "Arn"]}
    assert queue["RedrivePolicy"] == {"deadLetterTargetArn": dead, "maxReceiveCount": 8}
    letters = RESOURCES["SyncDeadLetters"]
    assert letters["UpdateReplacePolicy"] == "Retain"
    assert letters["Properties"]["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert {each["SqsManagedSseEnabled"] for each in of_type("AWS::SQS::Queue").values()} == {True}
    source = worker["Events"]["Queue"]["Properties"]
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "QueueWorkers"}}


@pytest.mark.parametrize(
    ("metric", "queue"),
    [
        ("ApproximateNumberOfMessagesVisible", "SyncDeadLetters"),
        ("ApproximateAgeOfOldestMessage", "SyncQueue"),
    ],
)
def test_an_alarm_rings_for_a_dead_letter_and_for_a_queue_that_waits(
    metric: str, queue: str
) -> None:
    alarms = of_type("AWS::CloudWatch::Alarm").values()
    (alarm,) = [each for each in alarms if each["MetricName"] == metric]
    assert alarm["Dimensions"] == [
        {"Name": "QueueName", "Value": {"Fn::GetAtt": [queue, "QueueName"]}}
    ]
    assert alarm["Threshold"] == (900 if queue == "SyncQueue" else 0)


def test_stripes_bus_is_there_where_its_source_is_named_and_only_its_rule_may_send() -> None:
    parts = ("StripeBus", "StripeRule", "StripeRuleMaySend")
    assert {RESOURCES[each]["Condition"] for each in parts} == {"HasStripeBus"}
    named = {"StripeEventSource": "aws.partner/stripe.com/ed_1"}
    for given, expected in (({}, False), (named, True)):
        assert Resolver(DOCUMENT, given, {}).holds("HasStripeBus") is expected
    policies = of_type("AWS::SQS::QueuePolicy")
    assert list(policies) == ["StripeRuleMaySend"]
    (statement,) = policies["StripeRuleMaySend"]["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    rule = {"Fn::GetAtt": ["StripeRule", "Arn"]}
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": rule}}


@pytest.mark.parametrize("name", NAMES)
def test_nobody_may_scan_and_nothing_is_granted_by_wildcard(name: str) -> None:
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
def test_secrets_are_reached_by_prefix_only_and_their_key_through_dynamodb_only(name: str) -> None:
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


def test_only_functions_that_call_providers_may_read_their_keys() -> None:
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
        if "Ledger PutItem" in rights
        and (rights >= WRITE_METHOD or not name.startswith(OTHER_APIS))
    )
    webhooks = f"{PARAMETERS}STRIPE_WEBHOOK_SECRET"
    assert [name for name in NAMES if webhooks in secrets[name]] == ["webhooks/stripe"]


def test_the_settings_that_the_code_reads_are_those_that_the_template_declares() -> None:
    readers = {"setting", "number", "listed", "provider_base_url"}
    read = {text for called, text in CALLS if called in readers} | {
        *("LEDGER_TABLE", "EPHEMERAL_TABLE", "SECRETS_TABLE"),  # config.table_name
    }
    declared = set(DOCUMENT["Globals"]["Function"]["Environment"]["Variables"])
    assert {name for name in declared if not name.startswith("POWERTOOLS_")} == read
    assert [name for name, each in FUNCTIONS.items() if "Environment" in each] == []


def test_every_metric_has_an_alarm_that_reaches_the_topic() -> None:
    alarms = of_type("AWS::CloudWatch::Alarm")
    counted = {text for called, text in CALLS if called == "measure"}
    watched = {each["MetricName"] for each in alarms.values()}
    queues = {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"}
    assert watched == counted | queues | {"5xx", "Errors", "IteratorAge", "function_errors"}
    for each in alarms.values():
        assert each["AlarmActions"] == [{"Ref": "Alarms"}]


def test_an_alarm_rings_when_work_is_overdue_or_the_sweep_is_silent() -> None:
    alarm = RESOURCES["OverdueWorkAlarm"]["Properties"]
    assert (alarm["Threshold"], alarm["Statistic"]) == (900, "Maximum")
    assert alarm["TreatMissingData"] == "breaching"


def test_our_metrics_are_kept_apart_by_stage() -> None:
    namespace = {"Fn::Sub": "Bridge/${Stage}"}
    variables = DOCUMENT["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["POWERTOOLS_METRICS_NAMESPACE"] == namespace
    for each in of_type("AWS::CloudWatch::Alarm").values():
        assert each["Namespace"] in (namespace, "AWS/Lambda", "AWS/ApiGateway", "AWS/SQS")


@pytest.mark.parametrize(
    ("parameters", "protected"),
    [({}, False), ({"Stage": "prod"}, True), ({"Mode": "live"}, True)],
)
def test_production_tables_are_protected(parameters: dict[str, str], protected: bool) -> None:
    resolver = Resolver(DOCUMENT, parameters, {})
    tables = {
        name: resolver.resolve(each) for name, each in of_type("AWS::DynamoDB::Table").items()
    }
    recovery = {name: each["PointInTimeRecoverySpecification"] for name, each in tables.items()}
    assert sorted(tables) == ["Ephemeral", "Ledger", "Secrets"]
    assert {each["DeletionProtectionEnabled"] for each in tables.values()} == {protected}
    assert recovery["Ledger"]["PointInTimeRecoveryEnabled"] is protected
    for name in ("Ephemeral", "Secrets"):  # a backup would keep what was deleted
        assert recovery[name]["PointInTimeRecoveryEnabled"] is False
    for name in tables:
        assert RESOURCES[name]["DeletionPolicy"] == "RetainExceptOnCreate"


def test_only_what_may_be_forgotten_expires() -> None:
    tables = of_type("AWS::DynamoDB::Table")
    expiry = {"AttributeName": "exp", "Enabled": True}
    assert {name: each.get("TimeToLiveSpecification") for name, each in tables.items()} == {
        "Ledger": None,
        "Ephemeral": expiry,
        "Secrets": expiry,
    }


def test_secrets_have_a_key_of_their_own_that_rotates() -> None:
    encryption = {
        name: each.get("SSESpecification") for name, each in of_type("AWS::DynamoDB::Table").items()
    }
    assert encryption["Ledger"] is encryption["Ephemeral"] is None
    assert encryption["Secrets"]["KMSMasterKeyId"] == {"Fn::GetAtt": ["SecretsKey", "Arn"]}
    assert RESOURCES["SecretsKey"]["Properties"]["EnableKeyRotation"] is True


def test_the_creations_and_the_open_listing_are_throttled_on_their_own() -> None:
    api = RESOURCES["Api"]["Properties"]
    throttled = {
        f"POST {BASE}/payments/intents",
        f"POST {BASE}/customers",
        f"GET {BASE}/payments/guest/{{email}}",
    }
    assert set(api["RouteSettings"]) == throttled
    for each in [api["DefaultRouteSettings"], *api["RouteSettings"].values()]:
        assert each["ThrottlingRateLimit"] < each["ThrottlingBurstLimit"]


def test_logs_expire_and_hold_no_path_and_no_query() -> None:
    for each in of_type("AWS::Logs::LogGroup").values():
        assert each["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    line = RESOURCES["Api"]["Properties"]["AccessLogSettings"]["Format"]
    fields = set(json.loads(line).values())
    assert {
        field for field in fields if re.search("path|query|header|authorizer", field.lower())
    } == set()


def test_browsers_of_named_origins_may_send_what_the_contract_reads() -> None:
    cors = RESOURCES["Api"]["Properties"]["CorsConfiguration"]
    assert cors["AllowOrigins"] == {"Ref": "CorsOrigins"}
    assert "*" not in DOCUMENT["Parameters"]["CorsOrigins"]["Default"]
    wanted = {"authorization", "content-type", "idempotency-key", "x-guest-token", "x-session-id"}
    assert wanted <= set(cors["AllowHeaders"])
    assert {"idempotent-replayed", "retry-after", "x-request-id"} <= set(cors["ExposeHeaders"])
    assert {route.split()[0] for route in ROUTES} - {"$default"} == set(cors["AllowMethods"])


def test_a_function_ends_before_the_gateway_gives_up() -> None:
    for name, function in LOCAL.functions.items():
        most = 900 if name == "JobsReconcilePayments" else 60
        assert function.timeout_s <= (25 if function.routes else most), name


def test_the_release_is_the_projects() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert DOCUMENT["Parameters"]["Version"]["Default"] == project["version"]


def test_no_secret_is_resolved_into_the_template() -> None:
    assert "{{resolve:" not in Path(ROOT / "template.yaml").read_text(encoding="utf-8")
