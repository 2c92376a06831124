"""The pages under /_local/: what the simulators hold, their switches, the sweep, the clock.

Source: design/architecture.md, section 4.
"""

import html
import json
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qsl

from bridge import clock
from local.event import Answer, Request, message
from local.flowless import Flowless
from local.schedule import Schedule
from local.stripe.faults import KINDS
from local.stripe.routes import OPERATIONS
from local.stripe.simulator import StripeSimulator

PREFIX = "/_local/"
OPERATION_NAMES = list(dict.fromkeys(each.name for each in OPERATIONS))
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100% } td, th { padding: .3rem .6rem; text-align: left;
vertical-align: top; border-bottom: 1px solid #ddd } form { margin: .4rem 0 } pre { margin: 0 }
"""

Form = dict[str, str]


class Pages:
    """Answers what is under /_local/, and nothing else."""

    def __init__(
        self, stripe: StripeSimulator, flowless: Flowless, schedules: Sequence[Schedule]
    ) -> None:
        self._stripe, self._flowless, self._schedules = stripe, flowless, schedules
        self._offset_s = 0
        self._actions: dict[str, Callable[[Form], None]] = {
            "fault": self._fault,
            "sweep": lambda _: self._sweep(),
            "clock": self._advance,
        }

    def answer(self, request: Request) -> Answer | None:
        """None for every other path: those are the gateway's."""
        if not (request.path + "/").startswith(PREFIX):
            return None
        page = request.path.removeprefix(PREFIX.rstrip("/")).strip("/")
        if request.method == "POST" and page in self._actions:
            return self._act(page, request)
        if request.method != "GET" or page not in ("", "state"):
            return message(404, "Not Found")
        if page == "state":
            return _content("application/json", json.dumps(self.state(), indent=2, default=str))
        return _content("text/html; charset=utf-8", self._overview())

    def state(self) -> dict[str, Any]:
        """What the simulators hold, and where they are."""
        urls = {"stripe": self._stripe.url, "flowless": self._flowless.url}
        sessions = {"sessions": self._flowless.sessions}
        return {"simulators": urls, "stripe": self._stripe.state(), "flowless": sessions}

    def _act(self, action: str, request: Request) -> Answer:
        origin = request.header("origin")
        if origin and origin.partition("://")[2] != request.header("host"):
            return message(403, "Forbidden")  # another site's page has no business here
        form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
        try:
            self._actions[action](form)
        except (KeyError, ValueError) as error:
            return message(400, f"Bad Request: {error}")
        return Answer(303, [("location", PREFIX)])

    def _fault(self, form: Form) -> None:
        self._stripe.fault(form["operation"], form["kind"], times=int(form["times"]))

    def _sweep(self) -> None:
        for schedule in self._schedules:
            schedule.run_once()

    def _advance(self, form: Form) -> None:
        """Both clocks, ours and Stripe's: what expires does so at both."""
        seconds = int(form["seconds"])
        self._offset_s += seconds
        clock.set_offset(self._offset_s)
        self._stripe.advance(seconds)

    def _overview(self) -> str:
        bank = f"{self._stripe.url}/_sim/3ds"
        held = [(name, rows) for name, rows in self._stripe.state().items() if _is_listing(rows)]
        tables = "".join(_table(name, rows, bank) for name, rows in held)
        return f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Bridge, local</title>
<style>{STYLE}</style>
<h1>Bridge Payments, local</h1>
<p>What the simulators hold; the same as <a href="{PREFIX}state">JSON</a>.
Stripe answers at {_text(self._stripe.url)}, Flowless at {_text(self._flowless.url)}.</p>
<h2>Switches</h2>
<form method="post" action="{PREFIX}fault">The next
<input name="times" value="1" size="2" aria-label="times"> × {_select("operation", OPERATION_NAMES)}
at Stripe {_select("kind", list(KINDS))} <button>Set</button></form>
<form method="post" action="{PREFIX}clock">Move the clock by
<input name="seconds" value="3600" size="7" aria-label="seconds"> seconds
<button>Move</button> (so far {self._offset_s})</form>
<form method="post" action="{PREFIX}sweep"><button>Run the sweep now</button></form>
{tables}</html>"""


def _is_listing(held: Any) -> bool:
    return isinstance(held, list) and all("id" in row for row in held)


def _table(name: str, rows: Any, bank: str) -> str:
    """The newest first. `bank` is where the 3-D Secure pages are."""
    if not rows:
        return f"<h2>{_text(name)}</h2><p>None.</p>"
    lines = "".join(_row(row, bank) for row in reversed(rows))
    return f"<h2>{_text(name)} ({len(rows)})</h2><table>{lines}</table>"


def _row(row: dict[str, Any], bank: str) -> str:
    """Its id, what it is worth, how it stands, the rest folded away."""
    worth = f"{row['amount']} {row.get('currency', '')}" if "amount" in row else ""
    standing = _text(row.get("status") or row.get("email") or "")
    if row.get("status") == "requires_action":
        standing += f' <a href="{_text(bank)}/{_text(row["id"])}">authenticate</a>'
    whole = _text(json.dumps(row, indent=2, default=str))
    return (
        f"<tr><td>{_text(row['id'])}<td>{_text(worth)}<td>{standing}"
        f"<td><details><summary>all of it</summary><pre>{whole}</pre></details>"
    )


def _select(name: str, options: Sequence[str]) -> str:
    lines = "".join(f"<option>{option}</option>" for option in options)
    return f'<select name="{name}" aria-label="{name}">{lines}</select>'


def _content(kind: str, text: str) -> Answer:
    return Answer(200, [("content-type", kind), ("cache-control", "no-store")], text.encode())


def _text(value: object) -> str:
    return html.escape(str(value))
