"""What strikes a running system at random moments, and what mends it again; all of it drawn from one seed.

The seed decides which strikes come, in what order, after which pauses and for how long. It cannot decide where in its
work a process is struck: a failing seed is likely, not sure, to fail again.
"""

import heapq
import itertools
import random
import signal
import time
from collections.abc import Callable

from tests.faults.crew import Crew
from tests.support.own_stack import OwnStack
from tests.support.tcp_proxy import MARIADB_COMMIT, When

PAUSE = (0.2, 3.0)
"""Seconds from one strike to the next: many fall into the recovery from those before."""

AWAY = (0.0, 3.0)
"""Seconds from the end of a server until it is started again."""

LATE = (1.0, 3.0)
"""Seconds that the broker's answers are late; less than the session timeout."""

Mend = tuple[float, Callable[[], object]]
"""After how many seconds, and what is done then."""


class Strikes:
    """Strikes `extra` times more than there are kinds, each kind at least once.

    `session` is the group's session timeout, and `timeout` is Cassandra's for a request, both in seconds.
    """

    def __init__(
        self, rnd: random.Random, extra: int, stack: OwnStack, crew: Crew, *, session: float, timeout: float
    ) -> None:
        self._random = rnd
        self._stack = stack
        self._crew = crew
        self._session = session
        self._timeout = timeout
        self.commits_lost = 0
        kinds: dict[str, Callable[[], Mend | None]] = {
            "worker killed": lambda: self._signal(signal.SIGKILL),
            "worker asked to stop": lambda: self._signal(signal.SIGTERM),
            "worker paused": self._pause,
            "kafka killed": lambda: self._kill("kafka"),
            "cassandra killed": lambda: self._kill("cassandra"),
            "mariadb killed": lambda: self._kill("mariadb"),
            "connection lost before COMMIT": lambda: self._lose_commit("before"),
            "connection lost after COMMIT": lambda: self._lose_commit("after"),
            "cassandra answers after the timeout": lambda: self._hold("cassandra", self._beyond_timeout()),
            "cassandra's answers lost": lambda: self._hold("cassandra", self._beyond_timeout(), lose=True),
            "kafka answers late": lambda: self._hold("kafka", rnd.uniform(*LATE)),
        }
        chosen = [*kinds, *rnd.choices(list(kinds), k=extra)]
        rnd.shuffle(chosen)
        self._coming = [(name, kinds[name]) for name in chosen]
        self._next = time.monotonic() + rnd.uniform(*PAUSE)
        self._mends: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()
        self._paused: set[int] = set()

    @property
    def over(self) -> bool:
        """Whether everything has struck and was mended."""
        return not self._coming and not self._mends

    def go_on(self) -> str | None:
        """Do what is due by now; returns the name of the strike, if there was one."""
        now = time.monotonic()
        while self._mends and self._mends[0][0] <= now:
            heapq.heappop(self._mends)[2]()
        if not self._coming or now < self._next:
            return None
        self._next = now + self._random.uniform(*PAUSE)
        name, strike = self._coming.pop()
        mend = strike()
        if mend is not None:
            heapq.heappush(self._mends, (now + mend[0], next(self._numbers), mend[1]))
        return name

    def _signal(self, number: int) -> None:
        self._crew.workers[self._some_worker()].process.send_signal(number)

    def _pause(self) -> Mend:
        worker = self._crew.workers[self._some_worker()]
        worker.process.send_signal(signal.SIGSTOP)
        self._paused.add(worker.pid)

        def wake() -> None:
            self._paused.discard(worker.pid)
            worker.process.send_signal(signal.SIGCONT)

        return self._session + self._random.uniform(1.0, 3.0), wake

    def _some_worker(self) -> int:
        """Return the place of one that is not paused."""
        places = [place for place, worker in enumerate(self._crew.workers) if worker.pid not in self._paused]
        return self._random.choice(places or range(len(self._crew.workers)))

    def _kill(self, name: str) -> Mend:
        server = self._stack.servers[name]
        server.kill()
        return self._random.uniform(*AWAY), server.start

    def _lose_commit(self, when: When) -> None:
        self._stack.proxies["mariadb"].cut_at(MARIADB_COMMIT, when)
        self.commits_lost += 1

    def _hold(self, name: str, seconds: float, *, lose: bool = False) -> Mend:
        proxy = self._stack.proxies[name]
        proxy.hold_answers()
        return seconds, lambda: proxy.release(lose=lose)

    def _beyond_timeout(self) -> float:
        return self._timeout + self._random.uniform(0.5, 2.0)
