"""Which step each line of each file is from, kept up to date step by step: what `git blame` says, without asking it.

A line whose white space alone changes, or that moves within its hunk, keeps its origin. A renamed file keeps those of
its lines.
"""

from array import array
from collections import defaultdict
from collections.abc import Collection, Iterator

from vigia.feeds.git.patches import Hunk, Patch

UNKNOWN = -1
"""The origin of lines that were never seen to be added, as after a file was binary."""

PROSE = frozenset(
    ".adoc .csv .gitignore .json .lock .log .md .mdx .po .pot .rst .snap .sum .svg .tsv .txt .xliff".split()  # noqa: SIM905
)
"""Files whose lines cannot bring a defect, or are made from others: a repair mostly touches their latest lines."""

PROSE_NAMES = (
    "authors",
    "changelog",
    "changes",
    "contributors",
    "copying",
    "history",
    "license",
    "news",
    "notice",
    "readme",
)

_COMMENTS = (b"#", b"//", b"/*", b"*", b"--", b"<!--", b";", b"%", b'"""', b"'''")


class Origins:
    """The origin of each line, as the number of the step that added it."""

    def __init__(self) -> None:
        self._files: dict[str, array[int]] = {}

    def of(self, path: str) -> list[int]:
        """Return the origins of a file's lines."""
        return list(self._files.get(path, ()))

    def apply(self, number: int, patches: Collection[Patch], *, formatting: bool = False) -> dict[str, set[int]]:
        """Bring the origins up to the step `number`; returns those of the code lines that it removed, by path (the one
        before it). With `formatting`, lines that replace others keep their origins.
        """
        removed: dict[str, set[int]] = {}
        # files may change places: all are taken before any is put
        taken = {patch.before: self._files.pop(patch.before, array("i")) for patch in patches}
        for patch in patches:
            origins = taken[patch.before]
            if not patch.readable:
                continue
            found = set().union(*_applied(origins, patch.hunks, number, formatting=formatting)) - {UNKNOWN, number}
            if found and is_code(patch.before):
                removed[patch.before] = found
            if origins:
                self._files[patch.after] = origins
        return removed


def is_code(path: str) -> bool:
    """Return whether a file's lines count in the search for what a repair mends.

    >>> is_code("vigia/topics.py"), is_code("docs/index.rst"), is_code("CHANGELOG")
    (True, False, False)
    """
    name = path.rpartition("/")[2].lower()
    suffix = name[name.rfind(".") :] if "." in name else ""
    return suffix not in PROSE and not name.startswith(PROSE_NAMES)


def _applied(origins: "array[int]", hunks: list[Hunk], number: int, *, formatting: bool) -> Iterator[set[int]]:
    """Apply hunks to a file's origins, the last one first, so that places before it stay; yields the origins of the
    code lines that each removed.
    """
    for hunk in reversed(hunks):
        end = hunk.start + len(hunk.removed)
        if len(origins) < end:
            origins.extend([UNKNOWN] * (end - len(origins)))
        old = origins[hunk.start : end]
        if not old:
            new = array("i", [number]) * len(hunk.added)
        elif formatting:
            new = array("i", [old[min(index, len(old) - 1)] for index in range(len(hunk.added))])
        else:
            new, gone = _matched(hunk, old, number)
            yield gone
        origins[hunk.start : end] = new


def _matched(hunk: Hunk, old: "array[int]", number: int) -> "tuple[array[int], set[int]]":
    """Return the origins of a hunk's added lines, and of those removed that are not among the added ones."""
    waiting: defaultdict[bytes, list[int]] = defaultdict(list)
    for line, origin in zip(reversed(hunk.removed), reversed(old), strict=True):
        waiting[b"".join(line.split())].append(origin)
    new = array("i")
    for line in hunk.added:
        same = waiting.get(b"".join(line.split()))
        new.append(same.pop() if same else number)
    gone = {origin for line, left in waiting.items() if line and not line.startswith(_COMMENTS) for origin in left}
    return new, gone
