"""A folder in which all agents have lived for a while, and its rebuild: made once, copied for each test."""

import asyncio
import shutil
from pathlib import Path

import pytest

from tests.unit.scripts.rebuild_running import lived, moved, rebuilt
from tests.unit.scripts.rebuild_world import START, World, settings_in
from vigia.events.feedback import Outcome
from vigia.settings import Settings
from vigia.stores.base import LaneId
from vigia.streaming.intake import encoded

SEED = 3


@pytest.fixture(scope="session")
def life_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything has been applied and rebuilt here; not to be changed."""
    folder = tmp_path_factory.mktemp("life")
    (folder / "feedback.toml").write_text("[others]\na_day = 12\n")
    settings = life_in(folder)
    lived(settings, SEED, 400)
    contradicted(settings)
    moved(settings, LaneId("metrics", 0), "metrics", 0)
    rebuilt(settings)
    return folder


@pytest.fixture
def life(life_once: Path, tmp_path: Path) -> Settings:
    """The settings of a copy of it."""
    shutil.copytree(life_once, tmp_path / "life")
    return life_in(tmp_path / "life")


def life_in(folder: Path) -> Settings:
    """Return the settings of that life: its senders have a limit, which some reach."""
    return settings_in(folder, VIGIA_FEEDBACK=str(folder / "feedback.toml"))


def contradicted(settings: Settings) -> None:
    """Let a deployment be said to have failed and not to, which random events seldom do."""
    world = World(settings)
    for number, failed in enumerate((True, False, True)):
        said = Outcome(source="ci", external_id="1", scope="contrary", at=START + number, failed=failed, label="defect")
        world.append("feedback", encoded(said), key=b"contrary")
    asyncio.run(world.drain())
    world.close()
