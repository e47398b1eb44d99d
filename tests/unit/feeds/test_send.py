"""The sender counts what was acknowledged and never runs ahead of the consumers."""

from collections import Counter

import msgspec
import pytest

from vigia.events.samples import Sample
from vigia.feeds.send import DeliveryFailed, FeedStopped, Sender


class Message:
    def __init__(self, partition, offset):
        self._place = partition, offset

    def partition(self):
        return self._place[0]

    def offset(self):
        return self._place[1]


class Broker:
    """Acknowledges at each poll whatever came before; one partition a key."""

    def __init__(self):
        self.ends: Counter[tuple[str, int]] = Counter()
        self.taken = []
        self.pending = []
        self.refuse = None
        self.full = 0
        self.deaf = False

    def produce(self, topic, value, key, *, on_delivery):
        if self.full:
            self.full -= 1
            raise BufferError
        self.pending.append((topic, key, value, on_delivery))

    def poll(self, timeout):
        if self.deaf:
            return 0
        pending, self.pending = self.pending, []
        for topic, key, value, on_delivery in pending:
            if self.refuse:
                on_delivery(self.refuse, None)
                continue
            partition = int(key)
            on_delivery(None, Message(partition, self.ends[topic, partition]))
            self.ends[topic, partition] += 1
            self.taken.append((topic, key, value))
        return len(pending)

    def flush(self, timeout):
        self.poll(0)
        return len(self.pending)


class Consumer:
    """Is behind; each pause lets it take one more record of every partition."""

    def __init__(self, broker):
        self.broker = broker
        self.positions: Counter[tuple[str, int]] = Counter()
        self.pauses = 0
        self.moves = True
        self.worst = 0

    def read(self):
        return self.positions

    def pause(self, seconds):
        self.pauses += 1
        for partition, end in self.broker.ends.items():
            self.worst = max(self.worst, end - self.positions[partition])
            if self.moves and self.positions[partition] < end:
                self.positions[partition] += 1
        return self.pauses > 1_000


@pytest.fixture(autouse=True)
def no_time_between_looks(monkeypatch):
    monkeypatch.setattr("vigia.feeds.send.POSITIONS_SECONDS", 0.0)


@pytest.fixture
def broker():
    return Broker()


@pytest.fixture
def consumer(broker):
    return Consumer(broker)


def sender(broker, consumer, **options):
    return Sender(broker, consumer.read, consumer.pause, **options)


def sample(**fields):
    return Sample(**{"service": "0", "metric": "m", "ts": 1.0, "value": 2.0, **fields})


def send_many(feed):
    for _ in range(100):
        feed.send("metrics", "0", sample())


def test_a_packed_sample_counts_its_points_and_a_record_of_several_events_all_of_them(broker, consumer):
    feed = sender(broker, consumer)
    feed.send("metrics", "0", sample(ts=None, value=None, points=[(1.0, 1.0), (2.0, 1.0), (3.0, 1.0)]))
    feed.send("metrics", "0", [sample(), sample()])
    feed.flush(1.0)
    assert feed.sent == {"metrics": 5}
    assert len(broker.taken) == 2
    assert [each["ts"] for each in msgspec.json.decode(broker.taken[1][2])] == [1.0, 1.0]


def test_nothing_is_counted_before_the_broker_has_it(broker, consumer):
    broker.deaf = True
    feed = sender(broker, consumer)
    feed.send("metrics", "0", sample())
    assert feed.sent == {}
    with pytest.raises(DeliveryFailed, match="1 records within"):
        feed.flush(1.0)


def test_no_partition_gets_more_records_ahead_of_its_consumer_than_the_limit(broker, consumer):
    feed = sender(broker, consumer, max_records=10)
    for number in range(100):
        feed.send("metrics", str(number % 2), sample())
    feed.flush(1.0)
    assert feed.sent == {"metrics": 100}
    assert 0 < consumer.worst <= 10


def test_no_partition_gets_more_bytes_ahead_of_its_consumer_than_the_limit(broker, consumer):
    feed = sender(broker, consumer, max_bytes=1_000)
    size = len(msgspec.json.encode(sample()))
    for _ in range(100):
        feed.send("metrics", "0", sample())
    assert 0 < consumer.worst <= 1_000 // size + 1


def test_a_consumer_that_stands_still_holds_the_feed_until_it_is_stopped(broker, consumer):
    consumer.moves = False
    feed = sender(broker, consumer, max_records=5)
    with pytest.raises(FeedStopped):
        send_many(feed)
    assert feed.sent == {"metrics": 5}


def test_what_is_under_way_counts_as_not_consumed(broker, consumer):
    broker.deaf = True
    feed = sender(broker, consumer, max_records=3)
    with pytest.raises(FeedStopped):
        send_many(feed)
    assert len(broker.pending) == 3


def test_a_refused_record_is_not_counted_and_stops_the_feed(broker, consumer):
    broker.refuse = "too large"
    feed = sender(broker, consumer)
    feed.send("metrics", "0", sample())
    with pytest.raises(DeliveryFailed, match="metrics: too large"):
        feed.send("metrics", "0", sample())
    with pytest.raises(DeliveryFailed):
        feed.flush(1.0)
    assert (feed.sent, feed.failures) == ({}, 1)


def test_a_full_queue_of_the_client_is_waited_for(broker, consumer):
    broker.full = 3
    feed = sender(broker, consumer)
    feed.send("metrics", "0", sample())
    feed.flush(1.0)
    assert (feed.sent, consumer.pauses) == ({"metrics": 1}, 3)


def test_topics_are_sent_under_their_name_on_the_broker_and_counted_under_ours(broker, consumer):
    feed = sender(broker, consumer, physical=lambda topic: f"test-{topic}")
    feed.send("metrics", "0", sample())
    feed.flush(1.0)
    assert broker.taken[0][0] == "test-metrics"
    assert feed.sent == {"metrics": 1}
