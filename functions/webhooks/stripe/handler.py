"""POST /bridge-payment/webhooks/stripe: Stripe says that something has happened."""

from bridge.core import webhooks
from bridge.inbound import Request, public, render_plain_error


@public(render_plain_error, body_limit=webhooks.BODY_LIMIT)
def handler(request: Request) -> object:
    webhooks.receive("stripe", request.headers, request.body)
    return {"received": True}
