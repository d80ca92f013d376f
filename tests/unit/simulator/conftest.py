"""A simulated Solid, its clock and a client of it."""

from collections.abc import AsyncIterator

import pytest

from simulator.service.simulation import Simulation
from tests.unit.simulator.client import Client, Time


@pytest.fixture
def moment() -> Time:
    return Time()


@pytest.fixture
def simulation(moment: Time) -> Simulation:
    return Simulation(clock=moment.clock())


@pytest.fixture
async def solid(simulation: Simulation) -> AsyncIterator[Client]:
    client = Client(simulation)
    async with client.http, client.control:
        yield client
    simulation.close()
