"""The $default route: 308 to the clean path for stray slashes, else 404.

The body is in the form of the API whose path it is. Source: docs/api/native.md, section 1.
"""

from importlib import import_module

from bridge.api_adapters.native import wire
from bridge.inbound import Request, Response, public

OTHER_APIS = {
    "/v1/public-api/": "payments_ai",
    "/v2/": "monri",
    "/customers/": "alternative",
    "/oauth/": "alternative",
}


@public(wire.render_error)
def handler(request: Request) -> Response:
    path = "/".join(("", *filter(None, request.path.split("/")), ""))
    name = next((OTHER_APIS[each] for each in OTHER_APIS if path.startswith(each)), "native")
    answer: Response = import_module(f"bridge.api_adapters.{name}.wire").render_unmatched(request)
    return answer
