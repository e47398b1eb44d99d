"""Input in every codec of Kafka, sent by librdkafka as most senders do, is applied by a worker process."""

import time

import pytest

from tests.support import Sender, counts, fresh_environment, wait_until, worker
from tests.support.bad_case import encoded, sample

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
EACH = 50
"""Samples a codec: enough for a batch that is smaller compressed."""


@pytest.fixture(scope="module")
def env(stack, tmp_path_factory):
    with fresh_environment(stack, tmp_path_factory.mktemp("compressed")) as env:
        yield env


def test_samples_in_every_codec_are_applied(env):
    with worker(env) as one:
        now = time.time()
        for name in CODECS:
            with Sender(env, compression_type=name) as sender:
                for number in range(EACH):
                    event = sample(now, metric=name, event_id=f"{name}-{number}")
                    sender.send("metrics", encoded(event), key=b"shop")

        def applied() -> bool:
            assert one.running, f"the worker ended with {one.process.returncode}"
            return counts(env)["metrics.applied"] == EACH * len(CODECS)

        wait_until(applied, 60, "the last sample")
    assert counts(env)["metrics.invalid"] == 0
