"""The page /_local/ in plain HTML: the simulators' records, their switches, the events."""

import html
import json
from collections.abc import Sequence
from typing import Any

from local.stripe.dashboard import ACTIONS, METHOD_ACTIONS
from local.stripe.faults import KINDS
from local.stripe.routes import OPERATIONS
from local.stripe.signing import TAMPERS

OPERATION_NAMES = list(dict.fromkeys(each.name for each in OPERATIONS))
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 80rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100% } td, th { padding: .3rem .6rem; text-align: left;
vertical-align: top; border-bottom: 1px solid #ddd; width: 25% }
form { margin: .4rem 0 } pre { margin: 0 } td form { display: inline }
"""


def render(prefix: str, state: dict[str, Any], offset_s: int) -> str:
    """The page for a state as in `/_local/state`. `offset_s`: how far the clock was moved."""
    stripe, urls = state["stripe"], state["simulators"]
    bank = f"{urls['stripe']}/_sim/3ds"
    listings = [(name, rows) for name, rows in stripe.items() if _is_listing(rows)]
    tables = "".join(_table(name, rows, prefix, bank) for name, rows in listings)
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Bridge, local</title>
<style>{STYLE}</style>
<h1>Bridge Payments, local</h1>
<p>What the simulators hold; the same as <a href="{prefix}state">JSON</a>.
Stripe answers at {_text(urls["stripe"])}, Flowless at {_text(urls["flowless"])}.</p>
<h2>Switches</h2>
<form method="post" action="{prefix}fault">The next
<input name="times" value="1" size="2" aria-label="times"> × {_select("operation", OPERATION_NAMES)}
at Stripe {_select("kind", list(KINDS))} <button>Set</button></form>
<form method="post" action="{prefix}clock">Move the clock by
<input name="seconds" value="3600" size="7" aria-label="seconds"> seconds
<button>Move</button> (so far {offset_s})</form>
<form method="post" action="{prefix}sweep"><button>Run the sweep now</button></form>
<h2>Stripe's dashboard</h2>
{_dashboard(prefix, stripe["payment_intents"])}
{_saved(prefix, stripe["payment_methods"])}
<h2>Stripe's webhooks</h2>
{_webhooks(prefix, stripe["webhooks"])}
{tables}
{_table("events on our bus", state["events"], prefix, bank)}</html>"""


def _dashboard(prefix: str, intents: Sequence[dict[str, Any]]) -> str:
    """The form for what a person does at Stripe's dashboard, without our API."""
    known = "".join(f'<option value="{_text(each["id"])}">' for each in reversed(intents[-100:]))
    return f"""<form method="post" action="{prefix}dashboard">
{_select("action", list(ACTIONS))} <input name="payment_intent" list="intents" size="32"
placeholder="pi_…" aria-label="payment intent"><datalist id="intents">{known}</datalist>
amount <input name="amount" size="8" placeholder="all" aria-label="amount">
a dispute is closed as {_select("outcome", ["won", "lost"])} <button>Act</button></form>"""


def _saved(prefix: str, methods: Sequence[dict[str, Any]]) -> str:
    """The form for what happens to a saved card at Stripe or at its bank."""
    attached = [each["id"] for each in reversed(methods) if each["customer"]][:100]
    known = "".join(f'<option value="{_text(each)}">' for each in attached)
    return f"""<form method="post" action="{prefix}method">
{_select("action", list(METHOD_ACTIONS))} <input name="payment_method" list="methods" size="32"
placeholder="pm_…" aria-label="payment method"><datalist id="methods">{known}</datalist>
<button>Act</button></form>"""


def _webhooks(prefix: str, webhooks: dict[str, Any]) -> str:
    where = f"Events go to {_text(webhooks['url'])}." if webhooks["url"] else "No endpoint is set."
    return f"""<p>{where}</p>
<form method="post" action="{prefix}webhooks">
<label><input type="checkbox" name="pause"{_checked(webhooks["pause"])}> pause</label>
<label><input type="checkbox" name="reorder"{_checked(webhooks["reorder"])}> any order</label>
<label><input name="duplicate" size="2" value="{webhooks["duplicate"]}"> further copies</label>
<label>delayed by <input name="delay_ms" size="5" value="{webhooks["delay_ms"]}"> ms</label>
<label>share lost <input name="drop" size="4" value="{webhooks["drop"]:g}"> (0 to 1)</label>
<label>tampered with {_select("tamper", list(TAMPERS), webhooks["tamper"])}</label>
<button>Set</button></form>
{_resend(prefix, "all", "Send all again")}"""


def _resend(prefix: str, event: str, label: str) -> str:
    return f"""<form method="post" action="{prefix}resend">
<button name="event" value="{_text(event)}">{label}</button></form>"""


def _is_listing(value: Any) -> bool:
    return isinstance(value, list) and all("id" in row for row in value)


def _table(name: str, rows: Any, prefix: str, bank: str) -> str:
    """A table of records, newest first. `bank` is the address of the 3-D Secure pages."""
    if not rows:
        return f"<h2>{_text(name)}</h2><p>None.</p>"
    lines = "".join(_row(row, prefix, bank) for row in reversed(rows))
    return f"<h2>{_text(name)} ({len(rows)})</h2><table>{lines}</table>"


def _row(row: dict[str, Any], prefix: str, bank: str) -> str:
    """A record's id, amount or subject, and status. The whole record is folded away."""
    about = f"{row['amount']} {row.get('currency', '')}" if "amount" in row else ""
    standing = _text(row.get("status") or row.get("email") or row.get("detail-type") or "")
    if row.get("status") == "requires_action":
        standing += f' <a href="{_text(bank)}/{_text(row["id"])}">authenticate</a>'
    if "deliveries" in row:
        about = f"{row['type']} {row['object']}"
        standing += " " + _resend(prefix, row["id"], "send again")
    whole = _text(json.dumps(row, indent=2, default=str))
    return (
        f"<tr><td>{_text(row['id'])}<td>{_text(about)}<td>{standing}"
        f"<td><details><summary>all of it</summary><pre>{whole}</pre></details>"
    )


def _select(name: str, options: Sequence[str], chosen: str = "") -> str:
    lines = "".join(
        f'<option value="{option}"{" selected" if option == chosen else ""}>'
        f"{option or 'nothing'}</option>"
        for option in options
    )
    return f'<select name="{name}" aria-label="{name}">{lines}</select>'


def _checked(on: bool) -> str:
    return " checked" if on else ""


def _text(value: object) -> str:
    return html.escape(str(value))
