"""One step, in one transaction."""

from sqlalchemy import Connection

from vigia.stores.base import StepCommit
from vigia.stores.sql import dead_letters, lanes, outbox, states, steps, summary_rows, timers
from vigia.stores.sql.database import Database


def write_step(database: Database, step: StepCommit) -> None:
    """Write the step, or nothing.

    The swap comes first: it locks the lane's row, so a former owner waits here and then finds another version.
    """
    if step.lane.version <= step.expected_version:
        raise ValueError(f"a commit raises the lane's version: {step.expected_version} to {step.lane.version} does not")

    def work(connection: Connection) -> None:
        lane = step.lane.lane
        lanes.swap(connection, step.lane, step.expected_version)
        states.write_states(database, connection, lane, step.states)
        summary_rows.write(database, connection, step.summaries)
        timers.write(database, connection, lane, step.timers_set, step.timers_cleared)
        states.write_seen(database, connection, lane, step.seen, step.forget_seen_before)
        outbox.write(database, connection, lane, step.outbox)
        dead_letters.write(database, connection, step.dead_letters)
        if step.step is not None:
            steps.write(database, connection, lane, step.step)

    database.write(work)
