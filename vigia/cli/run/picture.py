"""What the live view shows at one moment, as plain data: gathered in one place, drawn in another."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vigia.cli.run.accounting import INPUT_TOPICS
from vigia.cli.run.supervisor import WorkerStatus
from vigia.events.figures import topic_figure
from vigia.events.summaries import DeploymentSummary, ProblemSummary, ProposalSummary

RATE_SECONDS = 5.0


@dataclass(frozen=True)
class Picture:
    """Everything on the screen. `figures` are this run's own; `lags` and `rates` are per topic."""

    mode: str
    run_id: str
    now: float
    """Wall clock, in epoch seconds."""
    seconds: float
    """Since the run began."""
    figures: Mapping[str, int] = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)
    lags: Mapping[str, int] = field(default_factory=dict)
    deployments: Sequence[DeploymentSummary] = ()
    """The latest by their own time."""
    history: Sequence[DeploymentSummary] = ()
    """Of a recorded history: the latest to be played back, whose own times are long past."""
    problems: Sequence[ProblemSummary] = ()
    proposals: Sequence[ProposalSummary] = ()
    dead_letters: Mapping[str, int] = field(default_factory=dict)
    """Open ones by reason."""
    workers: Sequence[WorkerStatus] = ()
    places: Mapping[str, str] = field(default_factory=dict)
    """Where logs and data are."""
    notice: str = ""
    """The last thing worth saying; empty when all is well."""


class Rates:
    """Events in per second and topic, over the last five seconds."""

    def __init__(self, seconds: float = RATE_SECONDS) -> None:
        self._seconds = seconds
        self._looks: deque[tuple[float, dict[str, int]]] = deque()

    def observe(self, now: float, counts: Mapping[str, int]) -> dict[str, float]:
        """Take a look at cumulative figures at monotonic time `now`; returns the rates."""
        seen = {topic: counts.get(topic_figure(topic, "in"), 0) for topic in INPUT_TOPICS}
        self._looks.append((now, seen))
        while len(self._looks) > 2 and self._looks[1][0] <= now - self._seconds:  # noqa: PLR2004 - a rate needs two
            self._looks.popleft()
        then, before = self._looks[0]
        if now <= then:
            return dict.fromkeys(seen, 0.0)
        return {topic: max(0, count - before[topic]) / (now - then) for topic, count in seen.items()}
