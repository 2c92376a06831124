"""The control plane below /_sim/, which Stripe does not have.

Source: docs/providers.md, section G (Common).
"""

import json
from collections.abc import Callable
from dataclasses import fields
from typing import Any  # JSON bodies of the control plane

from werkzeug.wrappers import Request, Response

from local.stripe import dashboard, pages
from local.stripe.account import Account
from local.stripe.errors import StripeError
from local.stripe.faults import Fault

Control = Callable[[Account, dict[str, Any]], object]
OPTIONS = {each.name for each in fields(Fault) if each.init}


def answer(account: Account, request: Request) -> Response:
    """Run a control and return its result as JSON; 400 for a body that makes no sense."""
    if request.path.startswith("/_sim/3ds/"):
        return pages.three_d_secure(account, request)
    control = ROUTES.get((request.method, request.path))
    if control is None:
        return _json({"error": f"no control {request.method} {request.path}"}, 404)
    try:
        given = json.loads(request.get_data() or b"{}")
        return _json(control(account, given), 200)
    except StripeError as error:
        return _json(error.body(), error.status)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return _json({"error": f"{type(error).__name__}: {error}"}, 400)


def _add_fault(account: Account, given: dict[str, Any]) -> object:
    """{match: {operation, method, path, nth}, kind, times} and the further fields of Fault."""
    options = {key: value for key, value in given.items() if key != "match"} | given.get(
        "match", {}
    )
    unknown = options.keys() - OPTIONS
    if unknown:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    account.faults.add(Fault(**options))
    return account.faults.listed()


def _clear_faults(account: Account, _: dict[str, Any]) -> object:
    account.faults.clear()
    return []


def _reset(account: Account, _: dict[str, Any]) -> object:
    account.reset()
    return {}


def _advance(account: Account, given: dict[str, Any]) -> object:
    account.advance(float(given.get("advance", 0)))
    return {"now": account.world.now()}


def _dashboard(account: Account, given: dict[str, Any]) -> object:
    """{action, payment_intent, amount, outcome}, the last two only where the action has them; or
    {action, payment_method}."""
    if "payment_method" in given:
        return dashboard.act_on_method(account.world, **given)
    return dashboard.act(account.world, **given)


def _webhooks(account: Account, given: dict[str, Any]) -> object:
    """{url, secrets} and any of the switches. What is not sent stays as it is."""
    webhooks = account.webhooks
    switches = {name: value for name, value in given.items() if name not in ("url", "secrets")}
    webhooks.switch(**switches)
    if "url" in given or "secrets" in given:
        webhooks.point(given.get("url", webhooks.url), given.get("secrets", webhooks.secrets))
    return webhooks.render()


def _resend(account: Account, given: dict[str, Any]) -> object:
    """{event}: its id, or "all"."""
    return {"sent": account.webhooks.resend(given["event"])}


def _browser_attach(account: Account, given: dict[str, Any]) -> object:
    return account.browser_attach(
        given["payment_intent"], given["client_secret"], given["payment_method"]
    )


def _browser_confirm(account: Account, given: dict[str, Any]) -> object:
    return account.browser_confirm(
        given["payment_intent"],
        given["client_secret"],
        given["payment_method"],
        given.get("return_url"),
    )


def _json(body: object, status: int) -> Response:
    return Response(json.dumps(body, indent=2), status=status, mimetype="application/json")


ROUTES: dict[tuple[str, str], Control] = {
    ("GET", "/_sim/state"): lambda account, _: account.state(),
    ("GET", "/_sim/requests"): lambda account, _: [each.render() for each in account.log.listed()],
    ("GET", "/_sim/faults"): lambda account, _: account.faults.listed(),
    ("POST", "/_sim/faults"): _add_fault,
    ("DELETE", "/_sim/faults"): _clear_faults,
    ("POST", "/_sim/reset"): _reset,
    ("POST", "/_sim/clock"): _advance,
    ("POST", "/_sim/dashboard"): _dashboard,
    ("GET", "/_sim/webhooks"): lambda account, _: account.webhooks.render(),
    ("POST", "/_sim/webhooks"): _webhooks,
    ("POST", "/_sim/webhooks/resend"): _resend,
    ("POST", "/_sim/browser/attach"): _browser_attach,
    ("POST", "/_sim/browser/confirm"): _browser_confirm,
}
