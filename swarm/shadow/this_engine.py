"""The engine of this installation, as whoever launches replays or compares would name it."""

from swarm.knowledge import NO_SHELF
from swarm.settings import Settings
from swarm.specialists.select import select_specialist
from swarm.stages.engine import Engine, engine_of
from swarm.stages.house import HouseSettings, house_of
from swarm.store.memory import MemoryStore


def this_engine(settings: Settings) -> tuple[HouseSettings, str]:
    """Return the house of the settings and the version of its engine."""
    return house_of(settings), engine_here(settings).version


def engine_here(settings: Settings) -> Engine:
    """Return the engine of the settings and of the code on the disk."""
    house, store = house_of(settings), MemoryStore()
    thinker = select_specialist(settings.model, store, acknowledge=house.acknowledges)
    return engine_of(house.services(store, thinker, shelf=NO_SHELF))
