"""Laws of the repository: what must hold for every tracked file, whatever it is about."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import grimp
import pytest

import vigia
from scripts.import_rules import direct_faults, far_faults

ROOT = Path(__file__).resolve().parents[2]
LONGEST_WITHOUT_A_REASON = 400
# Put together from pieces, so that this file keeps its own law.
MACHINE_PATHS = re.compile(r"(?<![\w.$}<>/-])/" + r"(?:work|root|home/\w+|Users/\w+|opt/wheels|tmp/venv\w*)(?:/|\b)")
PACKAGE_INDEXES = re.compile(
    "|".join(
        re.escape(host)
        for host in (
            "pypi" + ".org",
            "python" + "hosted.org",
            "repo.maven" + ".apache.org",
            "repo1.maven" + ".org",
            "registry.npm" + "js.org",
            "deb.debian" + ".org",
            "proxy.golang" + ".org",
        )
    )
    + "|--(?:extra-)?index-url[ =]http|--find-links[ =]",
    re.IGNORECASE,
)


def tracked(*patterns: str) -> list[Path]:
    """The files that git knows or would take, as they are in the work tree."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    files = [ROOT / name for name in listed.split("\0") if name]
    return [path for path in files if path.is_file()]


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def source_files() -> list[Path]:
    return tracked("vigia/*.py", "scripts/*.py")


def test_no_file_names_a_path_of_one_machine():
    found = [f"{shown(path)}: {hit[0]}" for path in tracked() for hit in MACHINE_PATHS.finditer(text_of(path))]
    assert not found


def test_no_file_names_the_address_of_a_package_index():
    found = [f"{shown(path)}: {hit[0]}" for path in tracked() for hit in PACKAGE_INDEXES.finditer(text_of(path))]
    assert not found


@pytest.mark.parametrize("text", ["see /" + "work/main", "HOME=/" + "root", '"/' + 'tmp/venv0/bin/pip"'])
def test_a_machine_path_is_recognised(text):
    assert MACHINE_PATHS.search(text)


@pytest.mark.parametrize(
    "text", ["docs/workflow", "</" + "root>", "https://example.org/work/", "the root", "network/root/x", "/workspace"]
)
def test_other_words_are_no_machine_path(text):
    assert not MACHINE_PATHS.search(text)


def test_the_lock_has_hashes_for_every_requirement_and_no_options():
    entries = re.split(r"\n(?=\S)", text_of(ROOT / "requirements.lock"))
    requirements = [entry for entry in entries if not entry.startswith("#")]
    assert len(requirements) > 50
    assert [
        entry for entry in requirements if not re.match(r"[\w.-]+==\S+ \\\n(    --hash=sha256:[0-9a-f]{64})", entry)
    ] == []


def test_every_direct_dependency_is_locked():
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.split(r"[^\w.-]", line)[0].lower().replace("_", "-").replace(".", "-") for line in wanted}
    locked = set(re.findall(r"^([\w.-]+)==", text_of(ROOT / "requirements.lock"), re.MULTILINE))
    assert names <= locked


def test_every_source_file_says_what_it_is_for():
    silent = [
        shown(path)
        for path in source_files()
        if text_of(path).strip() and not ast.get_docstring(ast.parse(text_of(path)))
    ]
    assert not silent


def test_nothing_is_called_utils():
    assert not [shown(path) for path in tracked() if path.stem in {"util", "utils", "helpers", "misc", "common"}]


def test_a_long_file_says_why_it_is_one_file():
    without_reason = []
    for path in tracked("*.py"):
        lines = text_of(path).count("\n")
        docstring = ast.get_docstring(ast.parse(text_of(path))) or ""
        if lines > LONGEST_WITHOUT_A_REASON and "one file" not in docstring.lower():
            without_reason.append(f"{shown(path)}: {lines} lines, and its docstring does not say why it is one file")
    assert not without_reason


def test_decision_records_have_a_number_each_and_are_listed():
    """Numbers are given before records are written, several at a time: one may be missing for a while."""
    folder = ROOT / "docs" / "adr"
    records = sorted(path.name for path in folder.glob("*.md") if path.name != "README.md")
    numbers = [name[:5] for name in records]
    assert all(re.fullmatch(r"\d{4}-", number) for number in numbers)
    assert len(set(numbers)) == len(numbers)
    linked = re.findall(r"\]\(([^)#]+\.md)\)", text_of(folder / "README.md"))
    assert sorted(linked) == records


def test_every_room_has_its_contract():
    """A room that no contract names may import whatever it likes; `app` is the one that may (docs/design.md)."""
    package = ROOT / "vigia"
    rooms = {path.stem for path in package.glob("*.py")} | {path.parent.name for path in package.glob("*/__init__.py")}
    contracts = tomllib.loads(text_of(ROOT / "pyproject.toml"))["tool"]["importlinter"]["contracts"]
    named = {contract["room"] for contract in contracts if contract["type"] == "room"}
    assert rooms - named - {"__init__", "app"} == set()


def test_every_folder_of_code_is_a_package():
    """Without an __init__.py a folder is left out of the graph, and so of the contracts."""
    folders = {path.parent for path in source_files()} | {ROOT / "vigia", ROOT / "scripts"}
    apart = {folder for folder in folders if "migrations" in folder.parts}
    assert not [shown(folder) for folder in folders - apart if not (folder / "__init__.py").is_file()]


class TestRoomContract:
    """The contract type itself, on a made-up graph."""

    @pytest.fixture
    def graph(self):
        graph = grimp.ImportGraph()
        for module in ("vigia", "vigia.a", "vigia.a.deep", "vigia.b", "vigia.b.open", "vigia.b.shut", "vigia.bc"):
            graph.add_module(module)
        graph.add_module("sqlalchemy", is_squashed=True)
        return graph

    @staticmethod
    def connect(graph, importer, imported):
        graph.add_import(importer=importer, imported=imported, line_number=3, line_contents=f"import {imported}")

    def test_an_import_of_a_room_that_is_not_listed_is_a_fault(self, graph):
        self.connect(graph, "vigia.a.deep", "vigia.b.shut")
        assert direct_faults(graph, "vigia.a", {"vigia.b.open"}) == ["vigia.a.deep imports vigia.b.shut (line 3)"]

    def test_what_is_listed_is_allowed_with_all_below_it(self, graph):
        self.connect(graph, "vigia.a.deep", "vigia.b.open")
        self.connect(graph, "vigia.a", "vigia.a.deep")
        assert direct_faults(graph, "vigia.a", {"vigia.b"}) == []

    def test_a_name_that_only_begins_alike_is_another_room(self, graph):
        self.connect(graph, "vigia.a", "vigia.bc")
        assert direct_faults(graph, "vigia.a", {"vigia.b"}) == ["vigia.a imports vigia.bc (line 3)"]

    def test_a_package_that_must_not_be_reached_is_found_behind_an_allowed_room(self, graph):
        self.connect(graph, "vigia.a", "vigia.b")
        self.connect(graph, "vigia.b", "sqlalchemy")
        assert far_faults(graph, "vigia.a", {"sqlalchemy"}) == ["vigia.a -> vigia.b -> sqlalchemy must not be reached"]


def test_the_code_and_the_package_have_one_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == vigia.__version__
