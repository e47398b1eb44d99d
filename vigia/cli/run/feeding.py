"""The feeds of a run, each in a thread, all through one `Sender`."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from vigia.events.base import Event
from vigia.events.deployments import Deployment
from vigia.events.feedback import Outcome
from vigia.events.samples import Sample
from vigia.feeds.send import DeliveryFailed, FeedStopped, Pause, Sender

FLUSH_SECONDS = 30.0
KEPT_DEPLOYMENTS = 60

Feed = Iterable[tuple[str, str, Event | Sequence[Event]]]

logger = logging.getLogger(__name__)


class FeedFailed(Exception):
    """A feed has ended with an error; the message names it."""


class Feeds:
    """Runs feeds by name until they are used up or told to end."""

    def __init__(self, sender: Sender, feeds: Mapping[str, Callable[[], Feed]], stop: threading.Event) -> None:
        self._sender = sender
        self._stop = stop
        self._failures: dict[str, BaseException] = {}
        self._deployments: deque[tuple[str, str]] = deque(maxlen=KEPT_DEPLOYMENTS)
        self._threads = [
            threading.Thread(target=self._run, args=(name, feed), name=f"feed-{name}", daemon=True)
            for name, feed in feeds.items()
        ]

    def start(self) -> None:
        """Start all feeds."""
        for thread in self._threads:
            thread.start()

    def deployments(self) -> list[tuple[str, str]]:
        """Return (deployment_id, scope) of the deployments sent last, newest first."""
        return list(self._deployments)[::-1]

    def running(self) -> bool:
        """Return whether a feed still has something to send; raises FeedFailed when one has ended with an error."""
        for name, error in self._failures.items():
            raise FeedFailed(f"the feed {name} failed: {error}") from error
        return any(thread.is_alive() for thread in self._threads)

    def flush(self) -> None:
        """Return once all that was sent is acknowledged; raises FeedFailed."""
        try:
            self._sender.flush(FLUSH_SECONDS)
        except DeliveryFailed as error:
            raise FeedFailed(str(error)) from error

    def stop(self, seconds: float = 5.0) -> None:
        """Tell all feeds to end, and wait for them."""
        self._stop.set()
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self, name: str, feed: Callable[[], Feed]) -> None:
        try:
            for topic, key, event in feed():
                if self._stop.is_set():
                    return
                self._sender.send(topic, key, event)
                if isinstance(event, Deployment) and (event.deployment_id, event.scope) not in self._deployments:
                    self._deployments.append((event.deployment_id, event.scope))
        except FeedStopped:
            return
        except Exception as error:  # any error of a feed is the run's, not only the thread's
            self._failures[name] = error
            logger.exception("the feed %s failed", name)


def in_order(feed: Feed, wait_until_consumed: Callable[[str], None]) -> Feed:
    """Yield a feed's events so that outcomes, and samples of its service, are sent only after a deployment was applied.

    Topics keep no order between them. An outcome that comes first waits and a second one replaces it there, so how many
    are learned would depend on the order in which a worker happens to read two topics. And minutes that are sent in a
    moment would show a problem before it is known what was deployed ahead of it.
    """
    unseen: dict[str, str] = {}
    for topic, key, event in feed:
        if isinstance(event, Deployment):
            unseen[event.deployment_id] = event.service
        elif (isinstance(event, Outcome) and event.deployment_id in unseen) or (
            isinstance(event, Sample) and event.service in unseen.values()
        ):
            wait_until_consumed("deployments")
            unseen.clear()
        yield topic, key, event


def paced(feed: Feed, per_second: float, pause: Pause) -> Iterator[tuple[str, str, Event | Sequence[Event]]]:
    """Yield a feed's events at a watchable pace; ends when `pause` says so."""
    for item in feed:
        yield item
        if pause(1 / per_second):
            return
