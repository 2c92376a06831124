"""/v1/events. Source: Stripe API reference, "Events"."""

from fnmatch import fnmatchcase

from local.stripe import listing
from local.stripe.errors import invalid, no_such
from local.stripe.request import Operation, StripeRequest
from local.stripe.resources.json import Json


def fetch(request: StripeRequest) -> Json:
    """Return an event. Raises StripeError 404 for an unknown id."""
    event = request.world.events.get(request.path["id"])
    if event is None:
        raise no_such("event", request.path["id"], "id", status=404)
    return event.render()


def list_all(request: StripeRequest) -> Json:
    """List events by `type` or `types`. A type can end with a star: `charge.*`."""
    kind, kinds = request.params.text("type"), request.params.texts("types")
    if kind is not None and kinds:
        raise invalid("You may only specify one of type, types.", "types")
    patterns = kinds or [kind or "*"]
    events = [
        each
        for each in request.world.events.values()
        if any(fnmatchcase(each.type, pattern) for pattern in patterns)
    ]
    return listing.page(events, request.params, "/v1/events", "event")


OPERATIONS = (
    Operation(
        "list_events",
        "GET /v1/events",
        list_all,
        frozenset(
            {"created", "ending_before", "expand", "limit", "starting_after", "type", "types"}
        ),
    ),
    Operation("fetch_event", "GET /v1/events/{id}", fetch, frozenset({"expand"})),
)
