"""The $default route: 308 to the clean path for stray slashes, else 404, in a dialect's words."""

from importlib import import_module

from bridge.api_adapters import native
from bridge.inbound import Answer, Request, public

NEIGHBOURS = {
    "/v1/public-api/": "payments_ai.wire",
    "/v2/": "monri",
    "/customers/": "alternative",
    "/oauth/": "alternative",
}


@public(native.render_error)
def handler(request: Request) -> Answer:
    path = "/".join(("", *filter(None, request.path.split("/")), ""))
    name = next((NEIGHBOURS[each] for each in NEIGHBOURS if path.startswith(each)), "native")
    answer: Answer = import_module(f"bridge.dialects.{name}").render_unmatched(request)
    return answer
