"""Whatever a sender compresses with can be read: the sender chooses, and a batch that cannot be read stops a worker."""

import pytest
from aiokafka import codec

PAYLOAD = b'{"service": "shop", "metric": "latency"}' * 100


@pytest.mark.parametrize("name", ["gzip", "snappy", "lz4", "zstd"])
def test_every_codec_of_kafka_is_installed(name):
    assert getattr(codec, f"has_{name}")()
    packed = getattr(codec, f"{name}_encode")(PAYLOAD)
    assert len(packed) < len(PAYLOAD)
    assert getattr(codec, f"{name}_decode")(packed) == PAYLOAD
