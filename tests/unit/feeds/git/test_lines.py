"""The origin of lines, step by step: as `git blame` has it, for any history."""

from random import Random

import pytest

from tests.support.repositories import Repository, numbered
from vigia.feeds.git.command import Git
from vigia.feeds.git.lines import Origins, is_code
from vigia.feeds.git.patches import Hunk, Patch, patches

STRANGE = [
    "with space.py",
    'quo"te.py',
    "new\nline.py",
    "tab\tbed.py",
    "back\\slash.py",
    "b/a b/a.py",
    "ünï.py",
    "a -> b.py",
]


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "r")


def played(repository):
    origins = Origins()
    shas = []
    for number, (sha, changed) in enumerate(patches(Git(repository.folder), "HEAD")):
        origins.apply(number, changed)
        shas.append(sha)
    return origins, shas


def blamed(repository, path, *options):
    found = repository.git("blame", "--first-parent", "--root", "-l", "-s", *options, "HEAD", "--", path)
    return [line.split()[0].lstrip("^") for line in found.splitlines()]


def random_history(repository, seed):
    """Unique lines come, go and change; files are renamed, deleted, made binary and text again; branches are merged."""
    random = Random(seed)
    content: dict[str, list[str]] = {"a.py": ["first"]}
    serial = iter(range(10**6))
    repository.commit({"a.py": numbered("first")})
    for number in range(25):
        files: dict[str, str | bytes | None] = {}
        renames = {}
        path = random.choice(["a.py", "b.py", "d/c.py"])
        kind = random.random()
        if kind < 0.15 and path in content:
            new = f"d/moved{number}.py"
            content[new] = content.pop(path)
            renames[path] = new
            path = new
        elif kind < 0.25 and path in content:
            del content[path]
            repository.commit({path: None})
            continue
        lines = content.setdefault(path, [])
        for _ in range(random.randint(0 if renames else 1, 4)):
            place = random.randint(0, len(lines))
            if random.random() < 0.4:
                del lines[place : place + random.randint(1, 3)]
            lines[place:place] = [f"line {next(serial)}" for _ in range(random.randint(1, 3))]
        files[path] = numbered(*lines)
        if random.random() < 0.25:
            tip = repository.git("rev-parse", "main")
            branch = f"side{number}"
            side = repository.commit(files, branch=branch, start=tip, renames=renames)
            repository.commit({"a-note.txt": f"{number}\n"})
            repository.commit(files, merge=side, renames=renames)
        else:
            repository.commit(files, renames=renames)
    return content


@pytest.mark.parametrize("seed", range(5))
def test_origins_are_those_that_blame_finds(repository, seed):
    content = random_history(repository, seed)
    origins, shas = played(repository)
    for path, lines in content.items():
        assert len(origins.of(path)) == len(lines)
        assert [shas[number] for number in origins.of(path)] == blamed(repository, path), path


@pytest.mark.parametrize("path", STRANGE)
def test_a_file_may_have_any_name(repository, path):
    repository.commit({path: numbered(1, 2)})
    repository.commit({path: numbered(1, 3, 2)})
    repository.commit({}, renames={path: f"moved/{path}"})
    repository.commit({f"moved/{path}": numbered(0, 1, 3, 2), path: numbered(9)})
    origins, _ = played(repository)
    assert (origins.of(f"moved/{path}"), origins.of(path)) == ([3, 0, 1, 0], [3])


def test_content_that_looks_like_a_patch_is_content(repository):
    tricky = numbered(
        "diff --git a/x b/x", "@@ -1 +1 @@", "commit " + "0" * 40, "-- a/b", "++ b/b", "\\ No newline at end of file"
    )
    repository.commit({"a.py": tricky})
    repository.commit({"a.py": tricky + tricky})
    repository.commit({"a.py": "end"})
    repository.commit({"b.py": "begin"})
    assert [len(changed) for _, changed in patches(Git(repository.folder), "HEAD")] == [1, 1, 1, 1]
    origins, _ = played(repository)
    assert (origins.of("a.py"), origins.of("b.py")) == ([2], [3])


def test_lines_with_carriage_returns_and_without_a_last_newline_are_lines(repository):
    repository.commit({"a.py": "one\r\ntwo\rstill two\nthree"})
    repository.commit({"a.py": "one\r\ntwo\rstill two\nthree\n"})
    origins, _ = played(repository)
    # that the last one has a newline now is white space
    assert origins.of("a.py") == [0, 0, 0]


def test_white_space_and_moves_within_a_hunk_keep_their_origin():
    origins = Origins()
    origins.apply(0, [Patch("a.py", "a.py", [Hunk(0, [], [b"if x:", b"run()", b"stop()"])])])
    origins.apply(1, [Patch("a.py", "a.py", [Hunk(3, [], [b"end()"])])])
    removed = origins.apply(
        2, [Patch("a.py", "a.py", [Hunk(1, [b"run()", b"stop()", b"end()"], [b"  end()", b"\trun( )", b"go()"])])]
    )
    assert origins.of("a.py") == [0, 1, 0, 2]
    assert removed == {"a.py": {0}}


def test_only_lines_of_code_are_found_when_they_are_removed():
    origins = Origins()
    for path in ("a.py", "CHANGELOG.md", "docs/x.rst"):
        origins.apply(0, [Patch(path, path, [Hunk(0, [], [b"# why", b"", b"  ", b"run()"])])])
        origins.apply(1, [Patch(path, path, [Hunk(4, [], [b"stop()"])])])
    comments = [Patch("a.py", "a.py", [Hunk(0, [b"# why", b"", b"  "], [])])]
    assert origins.apply(2, comments) == {}
    rest = [Patch("a.py", "a.py", [Hunk(0, [b"run()", b"stop()"], [])])]
    prose = [
        Patch(path, path, [Hunk(0, [b"# why", b"", b"  ", b"run()", b"stop()"], [])])
        for path in ("CHANGELOG.md", "docs/x.rst")
    ]
    assert origins.apply(3, [*rest, *prose]) == {"a.py": {0, 1}}


def test_a_step_of_formatting_leaves_origins_as_they_were():
    origins = Origins()
    origins.apply(0, [Patch("a.py", "a.py", [Hunk(0, [], [b"a", b"b"])])])
    origins.apply(1, [Patch("a.py", "a.py", [Hunk(2, [], [b"c"])])])
    origins.apply(
        2,
        [Patch("a.py", "a.py", [Hunk(1, [b"b", b"c"], [b"(b,", b"c", b")"]), Hunk(3, [], [b"new"])])],
        formatting=True,
    )
    assert origins.of("a.py") == [0, 0, 1, 1, 2]


def test_files_that_change_places_keep_their_lines():
    origins = Origins()
    origins.apply(0, [Patch("a.py", "a.py", [Hunk(0, [], [b"a"])])])
    origins.apply(1, [Patch("b.py", "b.py", [Hunk(0, [], [b"b", b"b"])])])
    origins.apply(2, [Patch("a.py", "b.py", []), Patch("b.py", "a.py", [])])
    assert (origins.of("a.py"), origins.of("b.py")) == ([1, 1], [0])


def test_of_a_file_that_was_binary_no_origin_is_known(repository):
    repository.commit({"a.py": numbered(*range(5))})
    repository.commit({"a.py": b"\0\1"})
    repository.commit({"a.py": numbered(*range(8))})
    repository.commit({"a.py": numbered(*range(7), "x")})
    origins = Origins()
    found = [
        origins.apply(number, changed) for number, (_, changed) in enumerate(patches(Git(repository.folder), "HEAD"))
    ]
    assert found == [{}, {}, {}, {}]
    assert origins.of("a.py") == [-1] * 7 + [3]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("a.py", True),
        ("Makefile", True),
        ("x/y.go", True),
        (".gitignore", False),
        ("CHANGES", False),
        ("a/package-lock.json", False),
    ],
)
def test_prose_and_what_is_made_is_no_code(path, code):
    assert is_code(path) == code
