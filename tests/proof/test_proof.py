"""A small part of the proof runs with every test run. `make prove` plays thousands of schedules.

Source: docs/payment-correctness.md, section 10.
"""

from datetime import date
from random import Random

import pytest

from local import database
from tests.conftest import Environment
from tests.proof.drawing import draw
from tests.proof.mutations import KEPT, Mutation
from tests.proof.truth import prove

pytestmark = [pytest.mark.race, pytest.mark.usefixtures("dynamodb_local", "tables")]

SEEDS = 150  # a broken rule must be found within so many, which are others each day


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 40, 10))
def test_every_payment_ends_in_the_provider_state_whatever_goes_wrong(
    first: int, environment: Environment
) -> None:
    for seed in range(first, first + 10):
        played = prove(draw(seed), environment.stripe)
        assert not played.wrong, f"{played.schedule}\n{played.wrong}"


@pytest.mark.parametrize("seed", range(40, 46))
def test_same_seed_gives_same_schedule_and_same_calls(seed: int, environment: Environment) -> None:
    def played() -> object:
        play = prove(draw(seed), environment.stripe)
        sent = [(each.operation, each.status) for each in environment.stripe.requests]
        return play.schedule, play.count, sorted(sent, key=str)

    assert played() == played()


@pytest.mark.slow
@pytest.mark.parametrize("mutation", KEPT, ids=lambda mutation: mutation.__name__)
def test_a_broken_rule_is_found_out(
    mutation: Mutation, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutation(monkeypatch)
    seeds = Random(f"{mutation.__name__} {date.today()}").sample(range(20_000), SEEDS)  # noqa: DTZ011
    caught = next((seed for seed in seeds if prove(draw(seed), environment.stripe).wrong), None)
    database.clear()  # what a broken rule leaves behind must not disturb the next test
    assert caught is not None, f"{mutation.__name__} was not found by the seeds {seeds}"
