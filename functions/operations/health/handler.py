"""GET /health, /health/live, /health/ready: whether this API can answer."""

from bridge.core.operations import health
from bridge.inbound import Request, Response, public, render_plain_error


@public(render_plain_error)
def handler(request: Request) -> Response:
    result = health.check(request.path)
    return Response({"status": result.status, "version": result.version}, result.http_status)
