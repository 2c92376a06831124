"""POST /v2/oauth: issue a bearer token for a merchant's authenticity token and key.

Source: docs/api/monri.md, section 3.
"""

from bridge.api_adapters import monri
from bridge.inbound import Request, public


@public(monri.render_error, body_limit=monri.BODY_LIMIT)
def handler(request: Request) -> object:
    """Return 200 with a bearer token."""
    return monri.render_token(monri.issue_token(request))
