"""A group whose leader hands partitions out as it likes: the worker leaves before it has split a lane."""

import asyncio
from collections.abc import Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment

from tests.support import WorkerProcess, fresh_environment, opened_stores, start_worker
from vigia.streaming.assignor import lane_assignor

NEEDS_PERSON = 78


def splitting_assignor(deployments: str, feedback: str) -> type[Any]:
    """An assignor under our name that gives each of two members half of the one topic and the other half of the other.

    This is what another version, or another application in the same group, may do.
    """

    class Splitting(lane_assignor({})):  # type: ignore[misc]
        @classmethod
        def assign(cls, cluster: object, members: Mapping[str, object]) -> dict[str, ConsumerProtocolMemberAssignment]:
            halves = [([0, 1], [2, 3]), ([2, 3], [0, 1])]
            return {
                member: ConsumerProtocolMemberAssignment(
                    cls.version, [(deployments, ours[0]), (feedback, ours[1])], b""
                )
                for member, ours in zip(sorted(members), halves, strict=False)
            }

    return Splitting


async def beside_a_stranger(env: Mapping[str, str]) -> tuple[int, WorkerProcess]:
    """Run a worker in a group that has a leader already; returns how it ended."""
    topics = [env["VIGIA_KAFKA_TOPIC_PREFIX"] + name for name in ("deployments", "feedback")]
    stranger = AIOKafkaConsumer(
        *topics,
        bootstrap_servers=env["VIGIA_KAFKA_BOOTSTRAP"],
        group_id=env["VIGIA_KAFKA_GROUP"],
        partition_assignment_strategy=[splitting_assignor(*topics)],
        enable_auto_commit=False,
    )
    await stranger.start()
    try:
        one = start_worker(env)
        try:
            return await asyncio.to_thread(one.wait_ended, 90), one
        finally:
            if one.running:
                one.kill()
    finally:
        await stranger.stop()


def test_partitions_that_do_not_belong_together_end_the_worker_before_it_takes_any(stack, tmp_path):
    with fresh_environment(stack, tmp_path) as env:
        code, one = asyncio.run(beside_a_stranger(env))
        assert code == NEEDS_PERSON, one.log
        (line,) = [line for line in one.log.splitlines() if " CRITICAL " in line]
        assert "the group assigned partitions that do not belong together" in line
        assert "deployments: [" in line
        with opened_stores(env) as stores:
            assert stores.summaries.lanes() == []
