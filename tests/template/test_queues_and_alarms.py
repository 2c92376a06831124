"""The queue, schedules, the stream, Stripe's event bus, and the alarms.

Source: docs/deployment.md, section 6.
"""

import json

import pytest

from local.intrinsics import Resolver
from tests.policies import DOCUMENT, FUNCTIONS, RESOURCES, of_type
from tests.template.stack import CALLS, LOCAL, event_of, logical_id


@pytest.mark.parametrize(
    ("name", "period"),
    [
        ("jobs/sweep_payments", "1 minute"),
        ("jobs/finish_deletion", "1 minute"),
        ("jobs/read_event_log", "1 hour"),
        ("jobs/reconcile_payments", "1 day"),
    ],
)
def test_job_runs_at_its_rate(name: str, period: str) -> None:
    assert LOCAL.functions[logical_id(name)].schedules == (f"rate({period})",)
    assert event_of(name)["detail-type"] == "Scheduled Event"


@pytest.mark.parametrize("name", ["jobs/read_event_log", "jobs/reconcile_payments"])
def test_job_that_reads_a_providers_lists_has_the_longest_time(name: str) -> None:
    assert LOCAL.functions[logical_id(name)].timeout_s == 900


def test_stream_triggers_delivery_for_new_timeline_entries_only() -> None:
    (trigger,) = FUNCTIONS["JobsDeliverEvents"]["Events"].values()
    assert trigger["Type"] == "DynamoDB"
    assert trigger["Properties"]["Stream"] == {"Fn::GetAtt": ["Ledger", "StreamArn"]}
    assert RESOURCES["Ledger"]["Properties"]["StreamSpecification"] == {
        "StreamViewType": "KEYS_ONLY"
    }
    (pattern,) = trigger["Properties"]["FilterCriteria"]["Filters"]
    assert json.loads(pattern["Pattern"]) == {
        "eventName": ["INSERT"],
        "dynamodb": {"Keys": {"sk": {"S": [{"prefix": "H#"}]}}},
    }
    (record,) = event_of("jobs/deliver_events")["Records"]
    assert record["dynamodb"].keys().isdisjoint({"NewImage", "OldImage"})


def test_message_is_tried_eight_times_and_then_stored_for_14_days() -> None:
    """Invisible for six times the worker's timeout, so no message is handled twice at once."""
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
def test_alarm_fires_for_a_dead_letter_and_for_an_old_message(metric: str, queue: str) -> None:
    alarms = of_type("AWS::CloudWatch::Alarm").values()
    (alarm,) = [each for each in alarms if each["MetricName"] == metric]
    assert alarm["Dimensions"] == [
        {"Name": "QueueName", "Value": {"Fn::GetAtt": [queue, "QueueName"]}}
    ]
    assert alarm["Threshold"] == (900 if queue == "SyncQueue" else 0)


def test_stripe_bus_exists_if_its_source_is_set_and_only_its_rule_may_send() -> None:
    parts = ("StripeBus", "StripeRule", "StripeRuleMaySend")
    assert {RESOURCES[each]["Condition"] for each in parts} == {"HasStripeBus"}
    given_source = {"StripeEventSource": "aws.partner/stripe.com/ed_1"}
    for given, expected in (({}, False), (given_source, True)):
        assert Resolver(DOCUMENT, given, {}).holds("HasStripeBus") is expected
    policies = of_type("AWS::SQS::QueuePolicy")
    assert list(policies) == ["StripeRuleMaySend"]
    (statement,) = policies["StripeRuleMaySend"]["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    rule = {"Fn::GetAtt": ["StripeRule", "Arn"]}
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": rule}}


def test_every_metric_has_an_alarm_on_the_topic() -> None:
    alarms = of_type("AWS::CloudWatch::Alarm")
    counted = {text for called, text in CALLS if called == "measure"}
    watched = {each["MetricName"] for each in alarms.values()}
    queues = {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"}
    assert watched == counted | queues | {"5xx", "Errors", "IteratorAge", "function_errors"}
    for each in alarms.values():
        assert each["AlarmActions"] == [{"Ref": "Alarms"}]


def test_alarm_fires_if_work_is_overdue_or_the_sweep_does_not_run() -> None:
    alarm = RESOURCES["OverdueWorkAlarm"]["Properties"]
    assert (alarm["Threshold"], alarm["Statistic"]) == (900, "Maximum")
    assert alarm["TreatMissingData"] == "breaching"


def test_metrics_of_each_stage_have_their_own_namespace() -> None:
    namespace = {"Fn::Sub": "Bridge/${Stage}"}
    variables = DOCUMENT["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["POWERTOOLS_METRICS_NAMESPACE"] == namespace
    for each in of_type("AWS::CloudWatch::Alarm").values():
        assert each["Namespace"] in (namespace, "AWS/Lambda", "AWS/ApiGateway", "AWS/SQS")
