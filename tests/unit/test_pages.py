"""The pages written by hand lead somewhere: their links, the tests they name, and the SQL they tell people to run."""

import ast
import re
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.contract.summaries_rows import commit, take
from vigia.stores.base import LaneId
from vigia.stores.sql.summaries import open_summaries

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
DESIGN = ROOT / "docs" / "design.md"
EXIT_CODES = ROOT / "docs" / "runbooks" / "exit-codes.md"


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_link_to_a_file_leads_to_one(page):
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    dead = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert not dead


def test_the_design_is_where_the_code_says_it_is():
    for name in ("README.md", "docker-compose.yml", "pyproject.toml"):
        assert "docs/design.md" in (ROOT / name).read_text(encoding="utf-8")
    assert DESIGN.is_file()


def test_every_room_is_in_the_designs_table():
    package = ROOT / "vigia"
    rooms = [f"{path.parent.name}/" for path in package.glob("*/__init__.py")] + ["topics.py"]
    table = DESIGN.read_text(encoding="utf-8")
    assert not [room for room in rooms if f"| `vigia/{room}` |" not in table]


def test_every_test_that_the_design_names_exists():
    named = re.findall(r"`(test_\w+\.py)::(\w+)`", DESIGN.read_text(encoding="utf-8"))
    assert len(named) > 12
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not any(name in functions(path) for path in (ROOT / "tests").rglob(file))
    ]
    assert not missing


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


def test_the_sql_that_sets_a_lanes_offset_changes_that_one_alone(tmp_path):
    summaries = open_summaries(f"sqlite:///{tmp_path}/summaries.db")
    summaries.migrate()
    lane, other = LaneId("metrics", 3), LaneId("metrics", 2)
    offsets = {"metrics": 7, "ai-decisions": 5}
    for one in (lane, other):
        commit(summaries, take(summaries, one), lane={"offsets": offsets})
    before = summaries.read_lane(lane)
    (statement,) = re.findall(r"```sql\n(.+?)```", EXIT_CODES.read_text(encoding="utf-8"), re.DOTALL)
    engine = create_engine(f"sqlite:///{tmp_path}/summaries.db")
    with engine.begin() as connection:
        assert connection.execute(text(statement)).rowcount == 1
    engine.dispose()
    after, untouched = summaries.read_lane(lane), summaries.read_lane(other)
    summaries.close()
    assert before is not None
    assert after is not None
    assert untouched is not None
    assert (after.offsets, after.version) == ({**offsets, "metrics": 4711}, before.version + 1)
    assert untouched.offsets == offsets
