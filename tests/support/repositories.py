"""Small git repositories for tests, by `git fast-import`: dates, authors and merges as wanted, in milliseconds."""

import os
import subprocess
from pathlib import Path

START = 1_600_000_000
"""When the first commit is made, unless a test says otherwise: 2020-09-13."""

HOUR = 3600

Files = dict[str, str | bytes | None]
"""Content by path; None deletes the file."""


class Repository:
    """A repository whose branch `main` is checked out; ids of commits are the same in each run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._clock = START
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        """Run git and return what it prints."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, env=clean_environment(), input=stdin, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode("utf-8", "surrogateescape").strip()

    def commit(
        self,
        files: Files,
        message: str = "a change",
        *,
        author: str = "Ada",
        at: float | None = None,
        written: float | None = None,
        branch: str = "main",
        start: str | None = None,
        merge: str | None = None,
        renames: dict[str, str] | None = None,
    ) -> str:
        """Add a commit to a branch and return its id; `at` and `written` are committer's and author's epoch seconds.

        Without a time it is an hour after the last one. `start` is what a new branch begins at, `merge` the second
        parent.
        """
        self._clock = int(at) if at is not None else self._clock + HOUR
        written = self._clock if written is None else int(written)
        stream: list[str | bytes] = [
            f"commit refs/heads/{branch}\n",
            f"author {author} <{author.encode().hex()}@example.com> {written} +0000\n",
            f"committer {author} <{author.encode().hex()}@example.com> {self._clock} +0000\n",
            _data(message.encode()),
        ]
        tip = self._tip(branch) or start
        if tip:
            stream.append(f"from {tip}\n")
        if merge:
            stream.append(f"merge {merge}\n")
        parts = [part.encode() if isinstance(part, str) else part for part in stream]
        for old, new in (renames or {}).items():
            parts.append(f"R {quoted(old)} {quoted(new)}\n".encode())
        for path, content in files.items():
            if content is None:
                parts.append(f"D {quoted(path)}\n".encode())
            else:
                body = content.encode() if isinstance(content, str) else content
                parts += [f"M 100644 inline {quoted(path)}\n".encode(), _data(body)]
        self.git("fast-import", "--quiet", "--force", stdin=b"".join(parts))
        return self.git("rev-parse", f"refs/heads/{branch}")

    def _tip(self, branch: str) -> str:
        return self.git("for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")


def clean_environment() -> dict[str, str]:
    """Return an environment in which git reads no configuration but the repository's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "VIGIA_"))}
    return kept | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def quoted(path: str) -> str:
    """Return a path as fast-import reads any."""
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def numbered(*lines: object) -> str:
    """Return a file's content: each value on a line of its own."""
    return "".join(f"{line}\n" for line in lines)


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)
