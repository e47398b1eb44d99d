"""The pages written by hand lead somewhere: their links, the tests they name, and what they tell people to type."""

import ast
import re
import shlex
from pathlib import Path

import pytest

from scripts import lanes

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


def test_the_command_that_moves_a_lane_can_be_typed_as_the_page_has_it():
    (command,) = re.findall(r"`python -m scripts\.lanes (move .+?)`", EXIT_CODES.read_text(encoding="utf-8"))
    options = lanes.parser().parse_args(shlex.split(command))
    assert (options.agent, options.partition, options.topic, options.offset) == ("metrics", 3, "metrics", 4711)
