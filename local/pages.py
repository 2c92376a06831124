"""The pages under /_local/: the state of the simulators, their switches, the sweep, the clock.

Source: docs/architecture.md, section 4.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qsl

from bridge import clock
from local import bus, overview
from local.event import Answer, Request, message
from local.flowless import Flowless
from local.schedule import Schedule
from local.stripe.errors import StripeError
from local.stripe.simulator import StripeSimulator

PREFIX = "/_local/"
LATEST_EVENTS = 100

Form = dict[str, str]


class Pages:
    """Answers requests to paths under /_local/, and no others."""

    def __init__(
        self, stripe: StripeSimulator, flowless: Flowless, schedules: Sequence[Schedule]
    ) -> None:
        self._stripe, self._flowless, self._schedules = stripe, flowless, schedules
        self._offset_s = 0
        self._actions: dict[str, Callable[[Form], None]] = {
            "fault": self._fault,
            "sweep": lambda _: self._sweep(),
            "clock": self._advance,
            "dashboard": self._dashboard,
            "method": self._method,
            "webhooks": self._webhooks,
            "resend": self._resend,
        }

    def answer(self, request: Request) -> Answer | None:
        """The page for a path under /_local/. None for any other path: the gateway answers it."""
        if not (request.path + "/").startswith(PREFIX):
            return None
        page = request.path.removeprefix(PREFIX.rstrip("/")).strip("/")
        if request.method == "POST" and page in self._actions:
            return self._act(page, request)
        if request.method != "GET" or page not in ("", "state"):
            return message(404, "Not Found")
        if page == "state":
            return _content("application/json", json.dumps(self.state(), indent=2, default=str))
        return _content(
            "text/html; charset=utf-8", overview.render(PREFIX, self.state(), self._offset_s)
        )

    def state(self) -> dict[str, Any]:
        """The simulators' addresses and their records, and the latest events on the bus."""
        urls = {"stripe": self._stripe.url, "flowless": self._flowless.url}
        sessions = {"sessions": self._flowless.sessions}
        events = {"events": bus.events()[-LATEST_EVENTS:]}
        return {"simulators": urls, "stripe": self._stripe.state(), "flowless": sessions} | events

    def _act(self, action: str, request: Request) -> Answer:
        origin = request.header("origin")
        if origin and origin.partition("://")[2] != request.header("host"):
            return message(403, "Forbidden")  # a page of another site must not use the switches
        form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
        try:
            self._actions[action](form)
        except (KeyError, ValueError, StripeError) as error:
            return message(400, f"Bad Request: {error}")
        return Answer(303, [("location", PREFIX)])

    def _fault(self, form: Form) -> None:
        self._stripe.fault(form["operation"], form["kind"], times=int(form["times"]))

    def _sweep(self) -> None:
        for schedule in self._schedules:
            schedule.run_once()

    def _advance(self, form: Form) -> None:
        """Moves our clock and Stripe's together, so that records expire on both sides."""
        seconds = int(form["seconds"])
        self._offset_s += seconds
        clock.set_offset(self._offset_s)
        self._stripe.advance(seconds)

    def _dashboard(self, form: Form) -> None:
        amount = form.get("amount")
        self._stripe.dashboard(
            form["action"],
            form["payment_intent"],
            int(amount) if amount else None,
            form.get("outcome", ""),
        )

    def _method(self, form: Form) -> None:
        self._stripe.dashboard_method(form["action"], form["payment_method"])

    def _webhooks(self, form: Form) -> None:
        """Sets all switches: a browser sends nothing for a box that is not ticked."""
        self._stripe.webhooks.switch(
            pause="pause" in form,
            reorder="reorder" in form,
            duplicate=int(form["duplicate"]),
            delay_ms=int(form["delay_ms"]),
            drop=float(form["drop"]),
            tamper=form.get("tamper", ""),
        )

    def _resend(self, form: Form) -> None:
        self._stripe.webhooks.resend(form["event"])


def _content(kind: str, text: str) -> Answer:
    return Answer(200, [("content-type", kind), ("cache-control", "no-store")], text.encode())
