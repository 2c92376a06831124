"""/v1/events. Source: Stripe API reference, "Events", "List all events"."""

from fnmatch import fnmatchcase

from local.stripe import listing
from local.stripe.errors import invalid, no_such
from local.stripe.params import Params
from local.stripe.request import Operation, StripeRequest
from local.stripe.resources.event import Event
from local.stripe.resources.json import Json
from local.stripe.world import World

KEPT_FOR = 30 * 24 * 3600
"""Seconds on the simulated clock that an event can be listed and fetched."""

MAX_TYPES = 20


def fetch(request: StripeRequest) -> Json:
    """Return an event. Raises StripeError 404 for an id that is unknown or too old."""
    event = request.world.events.get(request.path["id"])
    if event is None or not _is_kept(request.world, event):
        raise no_such("event", request.path["id"], "id", status=404)
    return event.render()


def list_all(request: StripeRequest) -> Json:
    """List the events of the last 30 days, by `type`, by `types` or all.

    A `type` can end with a star: `charge.*`. Each of the `types` is one name.
    """
    world, kinds = request.world, _kinds(request.params)
    pattern = request.params.text("type") or "*"
    events = [
        each
        for each in world.events.values()
        if (each.type in kinds if kinds else fnmatchcase(each.type, pattern))
        and _is_kept(world, each)
    ]
    return listing.page(events, request.params, "/v1/events", "event")


def _kinds(params: Params) -> frozenset[str]:
    kinds = params.texts("types")
    if kinds and params.has("type"):
        raise invalid("You may only specify one of type, types.", "types")
    if len(kinds) > MAX_TYPES:
        raise invalid(f"You may specify up to {MAX_TYPES} types, not {len(kinds)}.", "types")
    return frozenset(kinds)


def _is_kept(world: World, event: Event) -> bool:
    return event.created > world.now() - KEPT_FOR


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
