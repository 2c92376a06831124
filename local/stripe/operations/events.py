"""/v1/events. Source: Stripe API reference, "Events"."""

from fnmatch import fnmatchcase

from local.stripe import listing
from local.stripe.call import Call, Operation
from local.stripe.errors import invalid, no_such
from local.stripe.resources.json import Json


def fetch(call: Call) -> Json:
    event = call.world.events.get(call.path["id"])
    if event is None:
        raise no_such("event", call.path["id"], "id", status=404)
    return event.render()


def list_all(call: Call) -> Json:
    """`type` may end in a star: `charge.*`."""
    kind, kinds = call.params.text("type"), call.params.texts("types")
    if kind is not None and kinds:
        raise invalid("You may only specify one of type, types.", "types")
    wanted = kinds or [kind or "*"]
    held = [
        each
        for each in call.world.events.values()
        if any(fnmatchcase(each.type, pattern) for pattern in wanted)
    ]
    return listing.page(held, call.params, "/v1/events", "event")


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
