"""A small share of the proof in every run of the tests; `make prove` plays the thousands."""

import pytest

from local import database
from tests.conftest import Environment
from tests.proof.mutations import MUTATIONS, Mutation
from tests.proof.schedules import draw
from tests.proof.truth import prove

pytestmark = [pytest.mark.race, pytest.mark.usefixtures("dynamodb_local", "tables")]

SEEDS = 100  # that a broken rule may survive


@pytest.mark.parametrize("first", range(0, 40, 10))
def test_whatever_happens_every_payment_comes_to_the_truth(
    first: int, environment: Environment
) -> None:
    for seed in range(first, first + 10):
        played = prove(draw(seed), environment.stripe)
        assert not played.wrong, f"{played.schedule}\n{played.wrong}"


@pytest.mark.parametrize("seed", range(40, 46))
def test_a_seed_replays_exactly(seed: int, environment: Environment) -> None:
    def played() -> object:
        told = prove(draw(seed), environment.stripe)
        sent = [(each.operation, each.status) for each in environment.stripe.requests]
        return told.schedule, told.count, sorted(sent, key=str)

    assert played() == played()


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_broken_rule_is_found_out(
    mutation: Mutation, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutation.apply(monkeypatch)
    seeds = range(mutation.seed, mutation.seed + SEEDS)
    caught = next((seed for seed in seeds if prove(draw(seed), environment.stripe).wrong), None)
    database.clear()  # what a broken rule leaves behind is none of the next test's
    assert caught is not None, f"{mutation.name} is not caught by the seeds {seeds}"
