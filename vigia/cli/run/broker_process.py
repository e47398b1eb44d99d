"""The embedded broker's process: librdkafka's mock cluster, kept for as long as its parent lives.

Prints its address (`host:port`) as its one line of output, then waits for its standard input to close. It keeps about
5 MB a partition, in memory; every start is an empty cluster.
"""

import sys

from confluent_kafka import Producer

START_SECONDS = 30.0


def main() -> int:
    """Start the cluster, say where it is, and keep it until the parent's end of the pipe closes."""
    producer = Producer({"test.mock.num.brokers": 1})
    brokers = producer.list_topics(timeout=START_SECONDS).brokers.values()
    print(",".join(f"{broker.host}:{broker.port}" for broker in brokers), flush=True)
    while sys.stdin.buffer.read(4096):
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
