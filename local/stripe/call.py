"""What an operation is handed, and what the route table says about it."""

from collections.abc import Callable
from dataclasses import dataclass

from local.stripe.params import Params
from local.stripe.resources.json import Json
from local.stripe.world import World


@dataclass(frozen=True)
class Call:
    """`path`: the ids in the URL by the names of the schema: {"intent": "pi_…"}."""

    world: World
    params: Params
    path: dict[str, str]


@dataclass(frozen=True)
class Operation:
    """`name` is what faults are matched by; `url` is its key in schema.json.

    `modelled` are the parameters that have an effect here. The others of Stripe's form are
    refused, so that nothing is ever ignored silently.
    """

    name: str
    url: str
    run: Callable[[Call], Json]
    modelled: frozenset[str] = frozenset()
