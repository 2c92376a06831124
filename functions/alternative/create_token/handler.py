"""POST /oauth/token: issue an access token for a client's credentials."""

from bridge.api_adapters import alternative
from bridge.inbound import Request, Response, public


@public(alternative.render_error, body_limit=alternative.BODY_LIMIT)
def handler(request: Request) -> Response:
    return alternative.render_token(alternative.issue_token(request))
