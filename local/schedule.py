"""EventBridge's schedules on one machine: calls a function at its rate, with the real event."""

import re
import sys
import threading
import time
import uuid
from typing import Any

from local.functions import ACCOUNT, REGION, FunctionFailed, Functions, FunctionTimedOut
from local.template import Function

UNITS_S = {"minute": 60, "hour": 3_600, "day": 86_400}


class Schedule(threading.Thread):
    """One function's schedule. A run that takes longer than the period delays the next one."""

    def __init__(self, functions: Functions, function: Function, expression: str) -> None:
        super().__init__(name=f"schedule of {function.name}", daemon=True)
        self._functions, self._name = functions, function.name
        self.period_s = period_of(expression)

    def run(self) -> None:
        while True:
            time.sleep(self.period_s)
            self.run_once()

    def run_once(self) -> None:
        """Call the function now. As in AWS, a failed run is only reported, and not repeated."""
        try:
            self._functions.invoke(self._name, scheduled_event(self._name))
        except (FunctionFailed, FunctionTimedOut) as error:
            print(f"{self._name}: {type(error).__name__}", file=sys.stderr)


def period_of(expression: str) -> int:
    """The seconds of `rate(1 minute)`. Raises ValueError for cron(…), which is not used here."""
    found = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression)
    if not found:
        raise ValueError(f"the local run only knows rate(…), not {expression}")
    return int(found[1]) * UNITS_S[found[2]]


def scheduled_event(rule: str) -> dict[str, Any]:
    """The event that a schedule sends. Source: Amazon EventBridge User Guide, "Scheduled Event"."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "region": REGION,
        "resources": [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{rule}"],
        "detail": {},
    }
