"""A folder in which all agents have lived for a while, and its rebuild: made once, copied for each test."""

import shutil
from pathlib import Path

import pytest

from tests.unit.scripts.rebuild_running import lived, moved, rebuilt
from tests.unit.scripts.rebuild_world import settings_in
from vigia.settings import Settings
from vigia.stores.base import LaneId

SEED = 3


@pytest.fixture(scope="session")
def life_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything has been applied and rebuilt here; not to be changed."""
    folder = tmp_path_factory.mktemp("life")
    settings = settings_in(folder)
    lived(settings, SEED, 400)
    moved(settings, LaneId("metrics", 0), "metrics", 0)
    rebuilt(settings)
    return folder


@pytest.fixture
def life(life_once: Path, tmp_path: Path) -> Settings:
    """The settings of a copy of it."""
    shutil.copytree(life_once, tmp_path / "life")
    return settings_in(tmp_path / "life")
