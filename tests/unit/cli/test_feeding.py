"""Feeds run to their end, or are ended; an error in one is the run's."""

import threading
from functools import partial
from typing import Any

import pytest

from vigia.cli.run.feeding import FeedFailed, Feeds, in_order, paced
from vigia.events.deployments import Deployment
from vigia.events.feedback import Outcome
from vigia.events.samples import Sample
from vigia.feeds.send import DeliveryFailed, FeedStopped

SAMPLE = ("metrics", "a", Sample(service="a", metric="m", ts=1.0, value=2.0))


def deployment(number):
    event = Deployment(source="ci", external_id=str(number), service="a", stage="started", at=1.0, scope="a")
    return ("deployments", "a", event)


def outcome(number):
    event = Outcome(source="ci", external_id=str(number), scope="a", failed=False, label="defect", at=2.0)
    return ("feedback", "a", event)


class Sender:
    def __init__(self):
        self.sent = []
        self.flushed = None

    def send(self, topic, key, event):
        self.sent.append((topic, key, event))

    def flush(self, timeout):
        if self.flushed:
            raise self.flushed


@pytest.fixture
def stop():
    return threading.Event()


def run(sender, stop, **feeds):
    running = Feeds(sender, {name: partial(iter, feed) for name, feed in feeds.items()}, stop)
    running.start()
    for thread in running._threads:
        thread.join(10)
    return running


def test_all_feeds_are_sent_to_their_end(stop):
    sender = Sender()
    running = run(sender, stop, one=[SAMPLE] * 3, two=[deployment(1), deployment(2)])
    assert not running.running()
    assert len(sender.sent) == 5
    assert running.deployments() == [(deployment(number)[2].deployment_id, "a") for number in (2, 1)]


def test_an_error_in_a_feed_is_raised_with_its_name(stop):
    def broken():
        yield SAMPLE
        raise KeyError("disk")

    running = run(Sender(), stop, host=broken())
    with pytest.raises(FeedFailed, match="the feed host failed: 'disk'"):
        running.running()


def test_a_feed_that_is_stopped_while_it_waits_has_not_failed(stop):
    class Stopped(Sender):
        def send(self, topic, key, event):
            raise FeedStopped

    assert not run(Stopped(), stop, host=[SAMPLE]).running()


def test_what_was_not_acknowledged_fails_the_run(stop):
    sender = Sender()
    sender.flushed = DeliveryFailed("3 records")
    with pytest.raises(FeedFailed, match="3 records"):
        run(sender, stop).flush()


def test_an_endless_feed_ends_when_it_is_told_to(stop):
    def endless():
        while True:
            yield SAMPLE

    sender: Any = Sender()
    running = Feeds(sender, {"host": endless}, stop)
    running.start()
    assert running.running()
    running.stop()
    assert not running.running()


def test_a_paced_feed_pauses_after_each_event_and_ends_when_told_to():
    pauses = iter([False, False, True])
    assert list(paced([SAMPLE] * 5, 20.0, lambda seconds: seconds == 0.05 and next(pauses))) == [SAMPLE] * 3


class TestInOrder:
    @pytest.fixture
    def order(self):
        def order(*feed):
            told: list[str] = []
            for _, _, event in in_order(feed, lambda topic: told.append(f"wait for {topic}")):
                assert isinstance(event, Deployment | Outcome | Sample)
                told.append(f"{type(event).__name__} {getattr(event, 'external_id', event.service)}")
            return told

        return order

    def test_an_outcome_waits_for_its_deployment_to_be_applied(self, order):
        assert order(deployment(1), outcome(1)) == ["Deployment 1", "wait for deployments", "Outcome 1"]

    def test_a_sample_waits_for_the_deployments_of_its_service_alone(self, order):
        other = ("metrics", "b", Sample(service="b", metric="m", ts=1.0, value=2.0))
        told = order(deployment(1), other, SAMPLE, SAMPLE)
        assert told == ["Deployment 1", "Sample b", "wait for deployments", "Sample a", "Sample a"]

    def test_one_wait_serves_all_deployments_before_it(self, order):
        told = order(deployment(1), deployment(2), outcome(2), outcome(1), deployment(3), outcome(3))
        assert [number for number, word in enumerate(told) if word.startswith("wait")] == [2, 6]

    def test_an_outcome_of_another_deployment_needs_no_wait(self, order):
        assert order(deployment(1), outcome(7)) == ["Deployment 1", "Outcome 7"]
