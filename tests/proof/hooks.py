"""Kills or delays workers at the crash points of the code, by one audit hook.

Source: docs/payment-correctness.md, section 10.
"""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from bridge import clock
from bridge.store.payments import payment_items
from tests.conftest import Killed


@dataclass
class Plan:
    """What happens to one worker at crash points, and which locks it took.

    It is also killed if the acts of others kept it past the end of its run, as Lambda would do.
    `keys`: the provider's keys of the attempts whose lock it took.
    """

    dies: str = ""
    hard: bool = False
    at: str = ""
    meanwhile: Callable[[], None] | None = None
    ends_at: datetime | None = None
    fired: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def on_point(self, point: str, record_id: str) -> None:
        """The worker has reached this crash point."""
        if point == "locked" and (row := payment_items.get(record_id)):
            self.keys.append(f"{row.uid}.{row.attempts}")
        if point == self.at and self.meanwhile:
            act, self.meanwhile = self.meanwhile, None
            self.fired.append(f"meanwhile at {point}")
            act()
            if self.ends_at and clock.now() > self.ends_at:
                raise Killed("the platform ended the run")
        if point == self.dies:
            self.dies = ""
            self.fired.append(f"killed at {point}")
            if self.hard:
                os._exit(9)
            raise Killed(point)


class Points:
    """The plans of the workers that run now. A worker in a thread of its own has its own plan."""

    def __init__(self) -> None:
        self.stack: list[Plan] = []
        self.own = threading.local()

    @contextmanager
    def following(self, plan: Plan) -> Iterator[None]:
        """Inside the block the worker follows this plan."""
        self.stack.append(plan)
        try:
            yield
        finally:
            self.stack.pop()

    def on_audit_event(self, event: str, arguments: tuple[object, ...]) -> None:
        """Audit hooks cannot be removed, so this one stays and ignores what has no plan."""
        if event != "bridge.crash_point":
            return
        plan = getattr(self.own, "plan", None) or (self.stack[-1] if self.stack else None)
        if plan:
            plan.on_point(str(arguments[0]), str(arguments[1]))


points = Points()
sys.addaudithook(lambda event, arguments: points.on_audit_event(event, arguments))
