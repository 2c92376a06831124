"""The $default route: 308 to the clean path for stray slashes, else 404."""

from bridge.dialects import native
from bridge.inbound import Answer, Request, public


@public(native.render_error)
def handler(request: Request) -> Answer:
    return native.render_unmatched(request)
