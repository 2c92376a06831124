"""Rate limits: counters of fixed windows in the table `ephemeral`.

Source: docs/data-model.md, section 2.
"""

from typing import Any, NamedTuple

from bridge import config
from bridge.store import dynamodb, keys


class Limit(NamedTuple):
    """At most `at_most` uses by one subject in each window of `window_s` seconds."""

    rule: str
    subject: str
    window_s: int
    at_most: int


def take(limit: Limit, now: int) -> bool:
    """Count one use at the second `now`. Returns False if the window is full.

    Also False if DynamoDB throttles the counter: then there are surely too many uses. A limit of 0
    is off: always True.
    """
    if not limit.at_most:
        return True
    try:
        dynamodb.write(_count(limit, now))
    except (dynamodb.ConditionFailed, dynamodb.Throttled):
        return False
    return True


def _count(limit: Limit, now: int) -> dict[str, Any]:
    window = now // limit.window_s
    guard = dynamodb.condition("attribute_not_exists(#n) OR #n < :most", most=limit.at_most)
    names = guard["ExpressionAttributeNames"] | {"#exp": "exp"}
    values = guard["ExpressionAttributeValues"] | dynamodb.typed(
        {":one": 1, ":exp": (window + 1) * limit.window_s}
    )
    return {
        "Update": {
            "TableName": config.table_name("ephemeral"),
            "Key": dynamodb.key_of(keys.limit(limit.rule, limit.subject, window)),
            "UpdateExpression": "ADD #n :one SET #exp = :exp",
            **guard,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }
    }
