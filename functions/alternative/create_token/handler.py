"""POST /oauth/token: issue an access token for a client's credentials."""

from bridge.api_adapters.alternative import wire
from bridge.inbound import Request, Response, public


@public(wire.render_error, body_limit=wire.BODY_LIMIT)
def handler(request: Request) -> Response:
    return wire.render_token(wire.issue_token(request))
