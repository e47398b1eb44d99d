"""Changes, as git records them: who changed which files when, by how many lines, and what the message says."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from vigia.events.times import EARLIEST, LATEST
from vigia.feeds.git.command import DIFF_OPTIONS, Git, GitError

MAX_MESSAGE = 10_000
"""Characters of a message that are looked at."""

_BEGIN = b"\x1e"
"""Goes before each commit; an entry of a file begins with a digit, `-` or a newline."""

_FORMAT = "--format=%x1e%H%x00%P%x00%at%x00%ct%x00%aN%x00%B"
_FIELDS = 6


class FileChange(NamedTuple):
    """What a change did to one file. One that is binary, or too large to be looked at, is no text and has no lines."""

    path: str
    before: str
    """Its path before the change: another one when it was renamed."""
    added: int
    deleted: int
    is_text: bool = True


class Change(NamedTuple):
    """A commit: times in epoch seconds, `author` a name (as .mailmap maps it), files as compared with its
    first parent.
    """

    sha: str
    parents: tuple[str, ...]
    authored_at: float
    committed_at: float
    author: str
    message: str
    files: tuple[FileChange, ...]


def listed(git: Git, commits: Sequence[str]) -> Iterator[Change]:
    """Yield the changes of these commits (ids), in this order; raises GitError. A merge has no files of its own."""
    shas = (commit.encode() + b"\n" for commit in commits)
    yield from _parsed(git.chunks(["log", "--no-walk=unsorted", "--stdin", *_shown()], shas) if commits else ())


def between(git: Git, arguments: Sequence[str]) -> Iterator[Change]:
    """Yield the changes that `git log` with these arguments selects, in its order; raises GitError."""
    yield from _parsed(git.chunks(["log", *_shown(), *arguments]))


def _shown() -> list[str]:
    return ["-z", "--numstat", _FORMAT, *DIFF_OPTIONS]


def _parsed(chunks: Iterable[bytes]) -> Iterator[Change]:
    header: list[bytes] = []
    files: list[FileChange] = []
    parts = tokens(chunks)
    for token in parts:
        if token.startswith(_BEGIN):
            if header:
                yield _change(header, files)
            header, files = [token[1:], *(next(parts, b"") for _ in range(_FIELDS - 1))], []
        elif token.strip(b"\n"):
            added, deleted, path = _three(token.lstrip(b"\n"))
            before = path or _path(next(parts, b""))
            after = path or _path(next(parts, b""))
            files.append(FileChange(after, before, _count(added), _count(deleted), is_text=added != b"-"))
    if header:
        yield _change(header, files)


def _change(header: list[bytes], files: list[FileChange]) -> Change:
    sha, parents, authored, committed, author, message = header
    return Change(
        sha=sha.decode("ascii"),
        parents=tuple(parents.decode("ascii").split()),
        authored_at=epoch(authored),
        committed_at=epoch(committed),
        author=author.decode("utf-8", "replace"),
        message=message[:MAX_MESSAGE].decode("utf-8", "replace"),
        files=tuple(files),
    )


def _three(token: bytes) -> tuple[bytes, bytes, str]:
    added, _, rest = token.partition(b"\t")
    deleted, tab, path = rest.partition(b"\t")
    if not tab:
        raise GitError(f"git log answers with a line that is no count of lines: {token[:80]!r}")
    return added, deleted, _path(path)


def _path(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _count(text: bytes) -> int:
    return int(text) if text.isdigit() else 0


def epoch(text: bytes) -> float:
    """Return a time as git prints it in epoch seconds; 0 for one before 1970, and for none, as damaged commits have."""
    return min(float(text), LATEST - 1) if text.isdigit() else EARLIEST


def tokens(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what NULs separate in the output of a command."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\0")
        yield from whole
    if rest:
        yield rest
