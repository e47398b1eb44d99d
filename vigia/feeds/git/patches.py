"""Which lines each step of a main line removed and added, as `git log -p` shows them without context.

What a file contains is taken by the counts that each hunk announces, so no content can be mistaken for a heading.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from vigia.feeds.git.command import DIFF_OPTIONS, Git

_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_ESCAPED = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r"}


class Hunk(NamedTuple):
    """Lines that were replaced: `start` is how many lines of the old file lie before them."""

    start: int
    removed: list[bytes]
    added: list[bytes]


class Patch(NamedTuple):
    """What a step did to one file; `readable` is false when it is binary before or after, or too large."""

    before: str
    after: str
    hunks: list[Hunk]
    readable: bool = True


class _Open:
    """A file's patch while it is read."""

    def __init__(self, heading: bytes) -> None:
        # a name stands there twice, and only those of renames differ: they have lines of their own
        middle = len(heading) // 2
        self.before, self.after = _path(heading[:middle], 2), _path(heading[middle + 1 :], 2)
        self.hunks: list[Hunk] = []
        self.readable = True

    def closed(self) -> Patch:
        return Patch(self.before, self.after, self.hunks, self.readable)


def patches(git: Git, head: str) -> Iterator[tuple[str, list[Patch]]]:
    """Yield each step of the main line of `head` (ids, oldest first) with its patches against its first parent."""
    shown = [
        "--patch",
        "--unified=0",
        "--diff-algorithm=histogram",
        "--src-prefix=a/",
        "--dst-prefix=b/",
        *DIFF_OPTIONS,
    ]
    walk = ["--first-parent", "--diff-merges=first-parent", "--topo-order", "--reverse", "--format=commit %H"]
    sha = ""
    found: list[Patch] = []
    current: _Open | None = None
    lines = git.lines(["log", *walk, *shown, head, "--"])
    for line in lines:
        if line.startswith(b"@@ ") and current is not None:
            current.hunks.append(_hunk(line, lines))
        elif line.startswith((b"diff --git ", b"commit ")):
            if current is not None:
                found.append(current.closed())
                current = None
            if line.startswith(b"diff"):
                current = _Open(line[len(b"diff --git ") :])
                continue
            if sha:
                yield sha, found
            sha, found = line[len(b"commit ") :].decode("ascii"), []
        elif current is not None:
            _heading(line, current)
    if current is not None:
        found.append(current.closed())
    if sha:
        yield sha, found


def _heading(line: bytes, current: _Open) -> None:
    if line.startswith(b"rename from "):
        current.before = _path(line[len(b"rename from ") :])
    elif line.startswith(b"rename to "):
        current.after = _path(line[len(b"rename to ") :])
    elif line.startswith(b"Binary files "):
        current.readable = False


def _hunk(heading: bytes, lines: Iterator[bytes]) -> Hunk:
    match = _HUNK.match(heading)
    if match is None:
        raise ValueError(f"git log -p shows a hunk without its place: {heading[:80]!r}")
    start, old, _, new = (1 if group is None else int(group) for group in match.groups())
    removed: list[bytes] = []
    added: list[bytes] = []
    # a remark that the last line has no newline may stand in between
    while len(removed) < old or len(added) < new:
        line = next(lines)
        if line.startswith(b"-"):
            removed.append(line[1:])
        elif line.startswith(b"+"):
            added.append(line[1:])
    # of nothing removed, the place is the line before
    return Hunk(start - 1 if old else start, removed, added)


def _path(name: bytes, prefix: int = 0) -> str:
    """Return a path as git shows it: in quotes, with escapes, when it has unusual characters."""
    if name.startswith(b'"'):
        name = _ESCAPE.sub(_unescaped, name[1:-1])
    return name[prefix:].decode("utf-8", "surrogateescape")


def _unescaped(match: re.Match[bytes]) -> bytes:
    body = match[1]
    return bytes([int(body, 8)]) if body.isdigit() else _ESCAPED.get(body, body)
