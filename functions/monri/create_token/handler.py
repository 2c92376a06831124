"""POST /v2/oauth: issue a bearer token for a merchant's authenticity token and key.

Source: docs/api/monri.md, section 3.
"""

from bridge.api_adapters.monri import bodies, wire
from bridge.inbound import Request, public


@public(wire.render_error, body_limit=wire.BODY_LIMIT)
def handler(request: Request) -> object:
    """Return 200 with a bearer token."""
    return wire.render_token(bodies.issue_token(request))
