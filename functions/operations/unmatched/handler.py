"""The $default route: 308 to the clean path for stray slashes, else 404.

The body is in the form of the API whose path it is. Source: docs/api/native.md, section 1.
"""

from importlib import import_module

from bridge.api_adapters import native
from bridge.inbound import Request, Response, public

OTHER_APIS = {
    "/v1/public-api/": "payments_ai.wire",
    "/v2/": "monri",
    "/customers/": "alternative",
    "/oauth/": "alternative",
}


@public(native.render_error)
def handler(request: Request) -> Response:
    path = "/".join(("", *filter(None, request.path.split("/")), ""))
    name = next((OTHER_APIS[each] for each in OTHER_APIS if path.startswith(each)), "native")
    answer: Response = import_module(f"bridge.api_adapters.{name}").render_unmatched(request)
    return answer
