"""How long the simulated providers train is set for all three at once, and for a while."""

from __future__ import annotations

import msgspec

from local.simulated_providers import SimulatedProviders, simulated_providers
from local.simulators.pace import Pace

USUAL = Pace(training=3)


def paces(providers: SimulatedProviders) -> list[Pace]:
    return [providers.openai.pace, providers.bedrock.pace, providers.databricks.scheduler.pace]


def test_all_three_train_for_so_long_within_the_block_and_as_before_it_afterwards() -> None:
    with simulated_providers(USUAL) as providers:
        with providers.training_for(600):
            assert paces(providers) == [msgspec.structs.replace(USUAL, training=600)] * 3
        assert paces(providers) == [USUAL] * 3
