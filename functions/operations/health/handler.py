"""GET /health, /health/live, /health/ready: whether the bundle can answer."""

from bridge.core.operations import health
from bridge.inbound import Request, Response, public, render_plain_error


@public(render_plain_error)
def handler(request: Request) -> Response:
    found = health.check(request.path)
    return Response(found.model_dump(), found.http_status)
