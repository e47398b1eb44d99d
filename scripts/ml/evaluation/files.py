"""What the commands read and write: projects, each under a name of its own, and places for results.

Both are checked before anything is played, since a run takes a minute.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from scripts.letters.safe import one_line
from scripts.ml.evaluation.project import Project, Unreadable, read


class Unwritable(Exception):
    """Results could not be written there; says where and why."""


def projects(paths: Sequence[Path]) -> dict[str, Project]:
    """Return the projects of some files by name; raises `Unreadable`."""
    return {name: read(path)._replace(name=name) for name, path in named(paths).items()}


def named(paths: Sequence[Path]) -> dict[str, Path]:
    """Return files by their names without endings. Those of one name get as much of their folders as tells them apart.

    >>> sorted(named([Path("a/one.csv.gz"), Path("a/two.csv"), Path("b/two.csv.gz")]))
    ['a/two', 'b/two', 'one']
    """
    parts = {path: _parts(path) for path in paths}
    if len(set(parts.values())) < len(paths):
        raise Unreadable(f"one of the files is given twice: {', '.join(map(str, paths))}")
    result = {}
    for path, mine in parts.items():
        others = [other for each, other in parts.items() if each != path]
        length = 1
        while any(other[-length:] == mine[-length:] for other in others):
            length += 1
        result["/".join(mine[-length:])] = path
    return result


def _parts(path: Path) -> tuple[str, ...]:
    whole = path.resolve()
    return *whole.parts[:-1], whole.name.removesuffix(".gz").removesuffix(".csv")


def check_file(path: Path) -> None:
    """Raise `Unwritable` unless a file could be written here."""
    if path.is_dir():
        raise Unwritable(f"{path}: is a folder; name a file in it")
    if not path.parent.is_dir():
        raise Unwritable(f"{path}: there is no folder {path.parent}")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise Unwritable(f"{path}: may not be written")


def check_folder(path: Path) -> None:
    """Raise `Unwritable` unless files could be written into this folder, which need not be there yet."""
    there = path
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir():
        raise Unwritable(f"{path}: {there} is no folder")
    if not os.access(there, os.W_OK):
        raise Unwritable(f"{path}: {there} may not be written")


def words(error: object) -> str:
    """Return an error or a path as text, safe for a terminal: names of files are whatever somebody gave them."""
    return one_line(str(error))
