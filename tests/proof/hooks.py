"""Where workers stand, die and are overtaken: one audit hook on the named points of the code."""

import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from bridge import clock
from tests.conftest import Killed


@dataclass
class Plan:
    """What befalls one worker. It is killed also where others kept it past the end of its run."""

    dies: str = ""
    hard: bool = False
    at: str = ""
    meanwhile: Callable[[], None] | None = None
    ends_at: datetime | None = None
    fired: list[str] = field(default_factory=list)

    def hear(self, point: str) -> None:
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
    """The plans of the workers under way. A worker of a thread of its own has its own."""

    def __init__(self) -> None:
        self.stack: list[Plan] = []
        self.own = threading.local()

    def hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if event != "bridge.crash_point":
            return
        plan = getattr(self.own, "plan", None) or (self.stack[-1] if self.stack else None)
        if plan:
            plan.hear(str(arguments[0]))


points = Points()
sys.addaudithook(lambda event, arguments: points.hear(event, arguments))
