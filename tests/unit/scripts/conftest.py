"""A folder in which all agents have lived for a while, and its rebuild: made once, copied for each test."""

import asyncio
import shutil
from pathlib import Path

import pytest

from tests.unit.scripts.rebuild_running import lived, moved, rebuilt
from tests.unit.scripts.rebuild_world import START, World, settings_in
from vigia.events.feedback import Outcome
from vigia.events.mutes import Muted, MuteLifted
from vigia.events.problems import Problem
from vigia.settings import Settings
from vigia.stores.base import LaneId
from vigia.streaming.intake import encoded

SEED = 3
TOGETHER = ("mail", "news", "print")
"""Services that depend on one thing."""


@pytest.fixture(scope="session")
def life_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything has been applied and rebuilt here; not to be changed."""
    folder = tmp_path_factory.mktemp("life")
    (folder / "feedback.toml").write_text("[others]\na_day = 12\n")
    entries = (f'[[service]]\nname = "{name}"\nteam = "payments"\ndepends_on = ["queue"]\n' for name in TOGETHER)
    (folder / "catalog.toml").write_text("\n".join([Path("config/catalog.toml").read_text(), *entries]))
    settings = life_in(folder)
    lived(settings, SEED, 400)
    contradicted(settings)
    grouped(settings)
    muted(settings)
    moved(settings, LaneId("metrics", 0), "metrics", 0)
    rebuilt(settings)
    return folder


@pytest.fixture
def life(life_once: Path, tmp_path: Path) -> Settings:
    """The settings of a copy of it."""
    shutil.copytree(life_once, tmp_path / "life")
    return life_in(tmp_path / "life")


def life_in(folder: Path) -> Settings:
    """Return the settings of that life: its senders have a limit, which some reach, and some services one cause."""
    files = {f"VIGIA_{name.upper()}": str(folder / f"{name}.toml") for name in ("feedback", "catalog")}
    return settings_in(folder, **files)


def contradicted(settings: Settings) -> None:
    """Let a deployment be said to have failed and not to, which random events seldom do."""
    world = World(settings)
    for number, failed in enumerate((True, False, True)):
        said = Outcome(source="ci", external_id="1", scope="contrary", at=START + number, failed=failed, label="defect")
        world.append("feedback", encoded(said), key=b"contrary")
    asyncio.run(world.drain())
    world.close()


def grouped(settings: Settings) -> None:
    """Let three services that depend on one thing have problems at one time, of which one stays."""
    world = World(settings)
    for version, status in ((1, "open"), (2, "resolved")):
        for service in TOGETHER if version == 1 else TOGETHER[:2]:
            problem = Problem(
                problem_id=f"of {service}",
                service=service,
                detector="high_error_rate",
                severity="P2",
                status=status,  # type: ignore[arg-type] # one of its values
                opened_at=START,
                at=START + version,
                why="it fails",
                series_id="s",
                metric="error_rate",
                version=version,
            )
            world.append("problems", encoded(problem), key=service.encode())
        asyncio.run(world.drain())
    world.close()


def muted(settings: Settings) -> None:
    """Let a person mute a service twice, and lift one of the two."""
    world = World(settings)
    said = {"service": "mail", "at": START, "by": "maria", "reason": "the queue is moved"}
    mutes = [Muted(mute_id=name, since=START, until=START + 3_600, **said) for name in ("m", "n")]  # type: ignore[arg-type]
    lifted = MuteLifted(mute_id="m", **said)  # type: ignore[arg-type]
    for value in (*map(encoded, mutes), encoded(lifted)):
        world.append("mutes", value, key=b"mail")
    asyncio.run(world.drain())
    world.close()
