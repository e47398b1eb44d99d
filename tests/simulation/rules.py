"""The rules that the simulation watches over, and for each a change of the code that switches it off.

A rule that others cover too is named with what covers it: alone it changes nothing, and that is as it should be.
"""

from collections.abc import Sequence
from dataclasses import dataclass

COMPUTE = "vigia/streaming/compute.py"
CONSUMER = "tests/simulation/consumer.py"
INTAKE = "vigia/streaming/intake.py"
LANE = "vigia/streaming/lane.py"
LANES = "vigia/streaming/lanes.py"
STATE = "vigia/streaming/lane_state.py"
STEP = "vigia/streaming/step.py"
STORE = "tests/support/fakes/summaries.py"

Change = tuple[str, str, str]
"""File, text that occurs in it once, and what takes its place."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """A rule that is switched off. `covered` says what else keeps its violation from doing harm."""

    rule: str
    changes: Sequence[Change]
    covered: str = ""


DELETE = """        numbers = [row.number for row in rows]
        await self._retry(
            "delete from the outbox", revoked, self._ports.summaries.delete_outbox, state.row.lane, numbers
        )
"""
ACK = "        for ack in acks:\n            ack()\n"
LOOK = "            now = await self._ports.offload(summaries.read_lane, lane.lane)\n"
APPLY = "    if fresh.events:\n        route.model.apply(fresh.events, fresh.times, states, changes)\n"
PUBLISH = (
    '        await self._ports.retry.run("publish the outbox", lambda: self._ports.publisher.publish(rows), revoked)\n'
)
COMMIT = "        await self._commit(state, commit, states, revoked)\n"
NO_GAP_CHECK: Change = (LANE, "if batch.start > stored:", "if False:")
NO_SKIP: Change = (STEP, "if batch.records.offsets[0] < next_offset:", "if False:")
FROM_KAFKA: Change = (
    CONSUMER,
    "self._positions = dict(positions)",
    "self._positions = {place: self._world.broker.committed.get(place, 0) for place in positions}",
)
NO_GENERATIONS: Change = (
    LANES,
    "if lane is not None and batch.generation == self._generation:",
    "if lane is not None:",
)

MUTATIONS = (
    Mutation(
        "a commit compares and swaps the lane's version",
        [(STORE, "if row is None or row.version != commit.expected_version:", "if row is None:")],
    ),
    Mutation(
        "taking a lane over raises its version",
        [(STORE, "row = msgspec.structs.replace(row, version=row.version + 1, owner=owner)", "pass")],
    ),
    Mutation("records that were applied are skipped", [NO_SKIP]),
    Mutation("a batch that begins behind a gap is read again", [NO_GAP_CHECK]),
    Mutation(
        "raw events are kept before the commit",
        [
            (STEP, "            await raw\n", ""),
            (STEP, COMMIT, COMMIT + "        await self._append(state, taken, revoked)\n"),
        ],
    ),
    Mutation("raw events are waited for", [(STEP, "            await raw\n", "")]),
    Mutation(
        "outputs are published after the commit",
        [(STEP, COMMIT, "        await self.publish(state, commit.outbox, revoked)\n" + COMMIT)],
    ),
    Mutation("outputs are deleted after they were published", [(STEP, PUBLISH, DELETE + PUBLISH)]),
    Mutation(
        "a new owner publishes what is left first",
        [(LANE, "            await self._step.publish_leftovers(self.state, self.revoked)\n", "")],
    ),
    Mutation(
        "outputs of a lane have numbers of their own",
        [(COMPUTE, "outbox_next=row.outbox_next + len(outbox)", "outbox_next=row.outbox_next")],
    ),
    Mutation(
        "a batch is acknowledged after its commit",
        [
            (LANE, "        if batch.start > stored:\n", ACK + "        if batch.start > stored:\n"),
        ],
    ),
    Mutation(
        "a conflict means that the lane is lost",
        [(STEP, 'raise LaneLostError(f"lane {lane.lane} was taken over by another worker") from error', "return")],
    ),
    Mutation(
        "a lost answer to COMMIT is looked up: taken for success",
        [(STEP, LOOK, "            if isinstance(error, UnknownOutcome):\n                return\n" + LOOK)],
    ),
    Mutation(
        "a lost answer to COMMIT is looked up: taken for failure",
        [
            (
                STEP,
                "if now is not None and (now.version, now.step, now.owner) == (lane.version, lane.step, lane.owner):",
                "if False:",
            )
        ],
    ),
    Mutation(
        "a lost answer to COMMIT is looked up: the version alone tells",
        [
            (
                STEP,
                "(now.version, now.step, now.owner) == (lane.version, lane.step, lane.owner)",
                "now.version == lane.version",
            )
        ],
    ),
    Mutation(
        "a commit that did not happen is tried again",
        [(STEP, "now is not None and now.version == commit.expected_version:", "False:")],
    ),
    Mutation("Kafka's commit is not the position", [FROM_KAFKA]),
    Mutation(
        "batches of an older generation are dropped",
        [NO_GENERATIONS],
    ),
    Mutation(
        "only batches that follow each other are merged",
        [(LANE, "or more.start != next_offset:", "or False:")],
    ),
    Mutation(
        "only the topic with the gap is dropped and read again",
        [(LANE, "kept = [work for work in waiting if topic and work[0].topic != topic]", "kept: list[Work] = []")],
    ),
    Mutation(
        "what was sent on is remembered by its origin",
        [(INTAKE, 'event.identity or (origin.decode(errors="replace") if origin else "")', "event.identity")],
    ),
    Mutation(
        "what was sent on is not applied where it lay",
        [
            (
                INTAKE,
                "            self._move(taken, index, position, event, topic)\n            return\n",
                "            self._move(taken, index, position, event, topic)\n",
            )
        ],
    ),
    Mutation(
        "what was sent on is not sent on again",
        [(INTAKE, "        if origin is not None:\n            detail", "        if False:\n            detail")],
    ),
    Mutation(
        "a key belongs into its partition",
        [(INTAKE, "or partition_of(key, partition_count) != partition:", "or False:")],
    ),
    Mutation(
        "an id that comes again with other content is refused",
        [(COMPUTE, "            if before == content:", "            if before is not None:")],
    ),
    Mutation(
        "the id of an event that the model refused is free",
        [(COMPUTE, "if one is not None and index not in rejected]", "if one is not None]")],
    ),
    Mutation("event ids are remembered", [(COMPUTE, "        seen=seen,\n", "        seen=[],\n")]),
    Mutation(
        "remembered event ids are looked up", [(STEP, "ids = seen_ids(self.route, taken)", "ids = list[bytes]()")]
    ),
    Mutation(
        "a timer fires once",
        [
            (
                COMPUTE,
                "timers_cleared=sorted(pair for pair, due in changes.timers.items() if due is None)",
                "timers_cleared=[]",
            )
        ],
    ),
    Mutation(
        "a timer that the batch has moved does not fire",
        [
            (
                COMPUTE,
                "        if (timer.kind, timer.key) in changes.timers:\n            continue",
                "        if False:\n            continue",
            )
        ],
    ),
    Mutation(
        "timers fire after the events of their batch",
        [(COMPUTE, APPLY, ""), (COMPUTE, "    return changes\n", APPLY + "    return changes\n")],
    ),
    Mutation(
        "a new owner looks for the next timer",
        [(LANES, "LaneState(row, share, next_due, starts)", "LaneState(row, share, None, starts)")],
    ),
    Mutation("the soonest timer is known", [(STEP, "        elif soonest is not None:", "        elif False:")]),
    Mutation(
        "an idle lane with a due timer ticks",
        [
            (
                LANE,
                "        if state.next_due is None or state.next_due > now:\n            return",
                "        if True:\n            return",
            )
        ],
    ),
    Mutation(
        "the lane's clock is Kafka's",
        [(STEP, "clock = max(row.clock, taken.clock)", "clock = taken.clock = max(row.clock, self._ports.now())")],
    ),
    Mutation(
        "the lane's clock does not go back",
        [(COMPUTE, "clock = taken.batch, max(row.clock, taken.clock)", "clock = taken.batch, taken.clock")],
    ),
    Mutation(
        "a model that fails too often is given up on",
        [
            (
                LANE,
                "            and await self._attempts(batch) + 1 >= self._limits.attempts_before_quarantine\n",
                "            and False\n",
            )
        ],
    ),
    Mutation(
        "only the culprit is set aside",
        [(LANE, "                if len(batch.records) > 1:\n                    break\n", "")],
    ),
    Mutation(
        "states that a failed attempt has spoiled are loaded again",
        [
            (
                LANE,
                "            except Exception:\n                self.state.cache.clear()\n",
                "            except Exception:\n",
            )
        ],
    ),
    Mutation(
        "a timer that the model fails on is set aside",
        [(LANE, "                if error.failed.keys() <= dropped.keys():\n", "                if True:\n")],
    ),
    Mutation(
        "a lane that a flood has stopped takes nothing of the other half",
        [(LANE, "        if not self.state.row.stopped:\n", "        if True:\n")],
    ),
    Mutation(
        "a released lane reads again what it has dropped",
        [(LANE, "await self._flow.seek(topic, self.id.partition, self.state.next_offset(topic))", "pass")],
    ),
    Mutation(
        "a lane that a flood has stopped stands still",
        [
            (
                LANE,
                "                if self.state.row.stopped:\n                    await",
                "                if False:\n                    await",
            )
        ],
    ),
    Mutation(
        "the rest of a batch that a flood has stopped is not acknowledged",
        [
            (
                LANE,
                "        if self.state.next_offset(batch.topic) < batch.next_offset:\n            return",
                "        if False:\n            return",
            )
        ],
    ),
    Mutation(
        "the log's end is asked for again before it counts as truncated",
        [(LANES, "if row.offsets.get(name, 0) > known.log_end:", "if False:")],
    ),
    Mutation(
        "a lane whose partition has gone is lost, and no bug",
        [(CONSUMER, "raise LaneLostError(f", "raise RuntimeError(f")],
    ),
    Mutation(
        "a lane that is revoked while it is taken over does not start",
        [
            (
                LANES,
                "                return {}  # a lane that started now would belong to nobody\n",
                "                pass\n",
            )
        ],
    ),
    Mutation(
        "a lost lane that stays assigned ends its process",
        [
            (
                LANE,
                "        await self._unless_revoked(asyncio.sleep(self._limits.lost_grace))\n",
                "        await self.revoked.wait()\n",
            )
        ],
    ),
)
