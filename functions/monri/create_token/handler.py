"""POST /v2/oauth: a bearer token for a merchant's key."""

from bridge.api_adapters import monri
from bridge.inbound import Request, public


@public(monri.render_error, body_limit=monri.BODY_LIMIT)
def handler(request: Request) -> object:
    return monri.render_token(monri.issue_token(request))
