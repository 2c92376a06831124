"""The 3-D Secure page of the customer's bank: /_sim/3ds/{pi}, with ?outcome=success or fail.

Without an outcome it offers both. Afterwards it redirects the customer as Stripe does, or shows the
result if there is no return_url. Source: Stripe, "3D Secure", "Redirecting the customer".
"""

from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from werkzeug.wrappers import Request, Response

from local.stripe.account import Account

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>3-D Secure test page</title></head>
<body><h1>3-D Secure test page</h1><p>{text}</p>{links}</body></html>
"""
LINKS = """
<p><a id="success" href="?outcome=success">Complete authentication</a></p>
<p><a id="fail" href="?outcome=fail">Fail authentication</a></p>
"""
PAID = ("succeeded", "requires_capture", "processing")


def three_d_secure(account: Account, request: Request) -> Response:
    """Show the page, or end the authentication and send the customer back."""
    identifier = request.path.removeprefix("/_sim/3ds/")
    world = account.world
    with world.lock:
        intent = world.intents.get(identifier)
        if intent is None:
            return _page(404, f"There is no payment intent {identifier}.")
        outcome = request.args.get("outcome")
        if outcome is None and intent.status == "requires_action":
            amount = f"{intent.amount} {intent.currency.upper()} (smallest unit)"
            return _page(200, f"Payment {identifier} of {amount}.", LINKS)
        if outcome is not None and outcome not in ("success", "fail"):
            return _page(400, "outcome is success or fail.")
        account.authenticate(identifier, success=outcome == "success")
        status = "succeeded" if intent.status in PAID else "failed"
        if intent.return_url is None:
            return _page(200, f"Payment {identifier}: {intent.status}.")
        added = {
            "payment_intent": identifier,
            "payment_intent_client_secret": intent.client_secret,
            "redirect_status": status,
        }
        return _redirect(intent.return_url, added)


def _page(status: int, text: str, links: str = "") -> Response:
    body = PAGE.format(text=escape(text), links=links)
    return Response(body, status=status, mimetype="text/html")


def _redirect(url: str, added: dict[str, str]) -> Response:
    """Add to the query of the merchant's address; its own query and fragment stay."""
    parts = urlsplit(url)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *added.items()])
    return Response(status=303, headers={"Location": urlunsplit(parts._replace(query=query))})
