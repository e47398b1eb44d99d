"""What a person asked of `vigia run`."""

from dataclasses import dataclass

ONCE_SECONDS = 300.0


@dataclass(frozen=True)
class Options:
    """`timeout` (seconds) is how long a run with `once` may take until its input is drained."""

    once: bool = False
    local: bool = False
    workers: int = 1
    timeout: float = ONCE_SECONDS

    @property
    def mode(self) -> str:
        """How the view names it."""
        return "local stack" if self.local else "embedded broker"
