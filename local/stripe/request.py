"""What an operation gets, and what the route table says about it."""

from collections.abc import Callable
from dataclasses import dataclass

from local.stripe.params import Params
from local.stripe.resources.json import Json
from local.stripe.world import World


@dataclass(frozen=True)
class StripeRequest:
    """A checked request. `path`: the ids of the URL by their name there: {"intent": "pi_…"}."""

    world: World
    params: Params
    path: dict[str, str]


@dataclass(frozen=True)
class Operation:
    """One endpoint. Faults match by `name`. `url` is its key in schema.json.

    `modelled`: the parameters that have an effect here. Every other parameter of Stripe's form is
    refused, so that nothing is ignored silently.
    """

    name: str
    url: str
    run: Callable[[StripeRequest], Json]
    modelled: frozenset[str] = frozenset()

    @property
    def writes(self) -> bool:
        """Whether it can change something."""
        return not self.url.startswith("GET ")
