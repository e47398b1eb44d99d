"""The one way to run git: by argument lists, never a shell, on a repository that may be hostile.

A repository's own configuration can name programs (external diffs, text converters, signature checks, file monitors)
and change what commands print. All of that is switched off here. Refs, paths and authors are data: what a person gives
is turned into an object id by `resolve` first, which refuses whatever could be taken for an option. Everything is
bounded in time and in bytes.
"""

import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

MAX_BYTES = 256 * 1024 * 1024
"""Most bytes that one command may print, unless more is allowed."""

BIG_FILE = "16m"
"""Larger files count as binary: their lines are not looked at."""

_CHUNK = 256 * 1024
_END_SECONDS = 10.0
_OPTIONS = (
    "--no-pager",
    "--no-replace-objects",
    "--literal-pathspecs",
    *("-c", "core.fsmonitor=false"),
    *("-c", f"core.bigFileThreshold={BIG_FILE}"),
    *("-c", "core.quotePath=true"),
    *("-c", "log.showSignature=false"),
    *("-c", "log.showRoot=true"),
    *("-c", "diff.interHunkContext=0"),
    *("-c", "diff.relative=false"),
)
DIFF_OPTIONS = (
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--ignore-submodules=all",
    "--encoding=UTF-8",
    "--find-renames",
    "-l400",
    "-O/dev/null",
)
"""For each command that shows changes: nothing of the repository's configuration counts, and renames are followed."""

_UNWANTED = ("GIT_DIFF_OPTS", "GIT_EXTERNAL_DIFF", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS")
_NO_QUESTIONS = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_PAGER": "cat", "LC_ALL": "C"}


class GitError(Exception):
    """git failed, or is not there; the message says at what, and what to do."""


class GitTooLong(GitError):
    """The time or the bytes that a command may take were used up."""


class Git:
    """Runs git in one folder.

    `deadline` is a time of `time.monotonic` after which no command goes on, `max_bytes` how much one may print; None
    for no limit. The process of a command that is given up, and whatever it has started, are ended.
    """

    def __init__(self, folder: Path, deadline: float | None = None, max_bytes: int | None = MAX_BYTES) -> None:
        self.folder = folder.absolute()
        self._deadline = deadline
        self._max_bytes = max_bytes

    def text(self, *arguments: str) -> str:
        """Return what a command prints, without the newline at its end; raises GitError."""
        output = b"".join(self.chunks(arguments))
        return output.decode("utf-8", "surrogateescape").rstrip("\n")

    def resolve(self, revision: str) -> str:
        """Return the id of the commit that `revision` names; raises GitError for anything else.

        A revision that begins with `-` is refused: it is meant to be taken for an option.
        """
        if not revision or revision.startswith("-") or "\0" in revision:
            raise GitError(f"{revision!r} is no revision: give a commit, a tag or a branch")
        try:
            return self.text("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        except GitTooLong:
            raise
        except GitError:
            shallow = " (the checkout is shallow: fetch more of its history)" if self.is_shallow() else ""
            raise GitError(f"{self.folder}: there is no commit {revision!r} here{shallow}") from None

    def is_shallow(self) -> bool:
        """Return whether the history was cut off when it was fetched."""
        return self.text("rev-parse", "--is-shallow-repository") == "true"

    def chunks(self, arguments: Sequence[str], stdin: Iterable[bytes] = ()) -> Iterator[bytes]:
        """Yield what a command prints, as it comes, `stdin` being its input; raises GitError."""
        with tempfile.TemporaryFile() as given, self._started(arguments, _filled(given, stdin)) as process:
            printed = 0
            for chunk in self._read(process, arguments[0]):
                printed += len(chunk)
                if self._max_bytes is not None and printed > self._max_bytes:
                    raise GitTooLong(f"git {arguments[0]} prints more than {self._max_bytes:,} bytes")
                yield chunk

    def lines(self, arguments: Sequence[str]) -> Iterator[bytes]:
        """Yield the lines that a command prints, without their newlines, however many they are; raises GitError.

        Only the deadline bounds their number; a line is at most as long as `BIG_FILE`: larger files are not shown.
        """
        with tempfile.TemporaryFile() as given, self._started(arguments, given) as process:
            rest = b""
            for chunk in self._read(process, arguments[0]):
                *whole, rest = (rest + chunk).split(b"\n")
                yield from whole
            if rest:
                yield rest

    def _read(self, process: subprocess.Popen[bytes], command: str) -> Iterator[bytes]:
        assert process.stdout is not None  # noqa: S101 - it was opened with a pipe
        descriptor = process.stdout.fileno()
        with selectors.DefaultSelector() as waiting:
            waiting.register(descriptor, selectors.EVENT_READ)
            while True:
                left = None if self._deadline is None else self._deadline - time.monotonic()
                if left is not None and (left <= 0 or not waiting.select(left)):
                    raise GitTooLong(f"git {command} in {self.folder} takes too long")
                chunk = os.read(descriptor, _CHUNK)
                if not chunk:
                    return
                yield chunk

    @contextmanager
    def _started(self, arguments: Sequence[str], given: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
        environment = {name: value for name, value in os.environ.items() if name not in _UNWANTED} | _NO_QUESTIONS
        with tempfile.TemporaryFile() as said:
            try:
                process = subprocess.Popen(  # noqa: S603 - a list of arguments, no shell
                    ["git", *_OPTIONS, *arguments],  # noqa: S607 - git is where PATH says
                    cwd=self.folder,
                    env=environment,
                    stdin=given,
                    stdout=subprocess.PIPE,
                    stderr=said,
                    start_new_session=True,
                )
            except FileNotFoundError as error:
                missing = f"there is no folder {self.folder}" if not self.folder.is_dir() else "git is not installed"
                raise GitError(missing) from error
            except (NotADirectoryError, PermissionError) as error:
                raise GitError(f"{self.folder}: {error.strerror}") from error
            except (OSError, ValueError) as error:
                raise GitError(f"git {arguments[0]} cannot be started: {error}") from error
            try:
                yield process
                # it has closed its output, so it is at its end
                code = process.wait(_END_SECONDS)
            except BaseException:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise
            finally:
                if process.stdout is not None:
                    process.stdout.close()
            if code:
                said.seek(0)
                words = said.read(2_000).decode("utf-8", "replace").strip()
                raise GitError(f"git {arguments[0]} in {self.folder} ended with {code}: {words or 'without a word'}")


def _filled(given: IO[bytes], parts: Iterable[bytes]) -> IO[bytes]:
    given.writelines(parts)
    given.seek(0)
    return given
