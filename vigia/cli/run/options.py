"""What a person asked of `vigia run`."""

from dataclasses import dataclass
from pathlib import Path

ONCE_SECONDS = 300.0
NEWEST = 1_000
"""Steps of a repository that are played back, unless said otherwise."""


@dataclass(frozen=True)
class Options:
    """`timeout` (seconds) is how long a run with `once` may take until its input is drained. With `repo`, the `newest`
    steps of that git repository are played back instead of the recorded history.
    """

    once: bool = False
    local: bool = False
    workers: int = 1
    timeout: float = ONCE_SECONDS
    repo: Path | None = None
    newest: int = NEWEST

    @property
    def mode(self) -> str:
        """How the view names it."""
        return "local stack" if self.local else "embedded broker"
