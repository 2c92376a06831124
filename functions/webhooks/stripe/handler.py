"""POST /bridge-payment/webhooks/stripe: verify and queue an event of Stripe.

Source: docs/providers.md, section D.1.
"""

from bridge.core.workers import webhook_intake
from bridge.inbound import Request, public, render_plain_error


@public(render_plain_error, body_limit=webhook_intake.BODY_LIMIT)
def handler(request: Request) -> object:
    webhook_intake.receive("stripe", request.headers, request.body)
    return {"received": True}
