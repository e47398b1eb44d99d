"""What single settings cannot show: how they fit together, and which of them make data less safe.

A weakness is named. Development shows its weaknesses; production refuses each that is not listed in
`durability_exceptions`.
"""

from typing import NamedTuple

from vigia.settings.sections import DAY, Settings

HOUR = 3_600
SAFE_REPLICAS = 3
SAFE_INSYNC = 2
WEAK_CONSISTENCY = {"ONE", "LOCAL_ONE"}

WEAKNESSES: dict[str, str] = {
    "kafka-replication": f"topics have fewer than {SAFE_REPLICAS} replicas",
    "kafka-insync": "a write is acknowledged when one replica has it",
    "kafka-ephemeral": "the broker forgets everything when it stops",
    "raw-log-sqlite": "raw events lie in one file on one machine",
    "raw-log-replication": f"raw events have fewer than {SAFE_REPLICAS} replicas",
    "raw-log-consistency": "a raw event counts as stored when one replica has it",
    "summaries-sqlite": "summaries lie in one file on one machine",
}
"""Every weakness by its stable name."""


BUDGETS = 4
"""How many operations of a lane may each need almost their whole retry budget between two commits: publishing what the
last step made, loading, keeping raw events, committing."""


class Weakness(NamedTuple):
    """A setting that lets acknowledged data be lost when one machine is: its stable name, and what it means."""

    name: str
    meaning: str


def conflicts(settings: Settings) -> list[str]:
    """Return a sentence for each pair of settings that cannot work together."""
    kafka, stream, raw_log, summaries = settings.kafka, settings.stream, settings.raw_log, settings.summaries
    metrics = settings.metrics
    slowest = max(summaries.statement_timeout, raw_log.request_timeout, kafka.request_timeout)
    patience = BUDGETS * stream.retry_budget + slowest
    found = [
        (
            stream.retry_budget >= kafka.poll_interval,
            (
                f"stream.retry_budget ({stream.retry_budget:g} s) must be below kafka.poll_interval "
                f"({kafka.poll_interval:g} s): an operation that is tried for longer loses its partitions"
            ),
        ),
        (
            HOUR % metrics.window != 0,
            (
                f"metrics.window ({metrics.window} s) must divide an hour, as 1, 10, 60 or 300 do: hours are made of "
                "windows"
            ),
        ),
        (
            metrics.retention_hours < metrics.retention + DAY,
            (
                f"metrics.retention_hours ({metrics.retention_hours:g} s) must be at least a day above "
                f"metrics.retention ({metrics.retention:g} s): a late sample's day is made of its hours"
            ),
        ),
        (
            metrics.retention_days < metrics.retention_hours,
            (
                f"metrics.retention_days ({metrics.retention_days:g} s) must be at least metrics.retention_hours "
                f"({metrics.retention_hours:g} s)"
            ),
        ),
        (
            settings.operations.stuck_after <= patience,
            (
                f"operations.stuck_after ({settings.operations.stuck_after:g} s) must be above {patience:g} s, "
                f"{BUDGETS} times stream.retry_budget and the longest timeout of stores and broker: a lane that waits "
                "for them, one after the other, would be taken for stuck"
            ),
        ),
        (
            settings.operations.heartbeat * 2 >= settings.operations.stuck_after,
            (
                f"operations.heartbeat ({settings.operations.heartbeat:g} s) must be below half of "
                f"operations.stuck_after ({settings.operations.stuck_after:g} s): a lane's lag is looked at with each "
                "heartbeat, and an old one would be taken for stuck"
            ),
        ),
        (
            kafka.heartbeat_interval * 3 >= kafka.session_timeout,
            (
                f"kafka.heartbeat_interval ({kafka.heartbeat_interval:g} s) must be below a third of "
                f"kafka.session_timeout ({kafka.session_timeout:g} s)"
            ),
        ),
        (
            kafka.min_insync_replicas > kafka.replication_factor,
            (
                f"kafka.min_insync_replicas ({kafka.min_insync_replicas}) is above kafka.replication_factor "
                f"({kafka.replication_factor}): no write could be acknowledged"
            ),
        ),
        (
            kafka.uses_sasl and not (kafka.sasl_username and kafka.sasl_password),
            f"kafka.security_protocol {kafka.security_protocol} needs kafka.sasl_username and kafka.sasl_password",
        ),
        (
            bool(kafka.ssl_certfile) != bool(kafka.ssl_keyfile),
            "kafka.ssl_certfile and kafka.ssl_keyfile go together",
        ),
        (
            not kafka.bootstrap,
            "kafka.bootstrap is empty: name at least one broker as host:port",
        ),
        (
            not raw_log.url.startswith(("sqlite:///", "cassandra://")),
            "raw_log.url must start with sqlite:/// or cassandra://",
        ),
        (
            not summaries.url.startswith(("sqlite:///", "mysql+pymysql://")),
            "summaries.url must start with sqlite:/// or mysql+pymysql://",
        ),
        *(
            (
                waits >= settings.risk.forget_after,
                (
                    f"{name} ({waits:g} s) must be below risk.forget_after ({settings.risk.forget_after:g} s): "
                    "a deployment would be forgotten before it is learned as clean"
                ),
            )
            for name, waits in (
                ("risk.waiting_time", settings.risk.waiting_time),
                ("risk.waiting_time_intervention", settings.risk.waiting_time_intervention),
            )
        ),
        (
            settings.metrics.stale_after <= settings.metrics.lateness + settings.metrics.window,
            "metrics.stale_after must be above metrics.window + metrics.lateness: else every problem is stale at once",
        ),
    ]
    return [sentence for is_so, sentence in found if is_so]


def weaknesses(settings: Settings) -> list[Weakness]:
    """Return the ways in which these settings keep data less safe than three machines can."""
    kafka, raw_log = settings.kafka, settings.raw_log
    cassandra = raw_log.url.startswith("cassandra:")
    holds = {
        "kafka-replication": kafka.replication_factor < SAFE_REPLICAS,
        "kafka-insync": kafka.min_insync_replicas < SAFE_INSYNC,
        "kafka-ephemeral": kafka.ephemeral,
        "raw-log-sqlite": not cassandra,
        "raw-log-replication": cassandra and raw_log.replication_factor < SAFE_REPLICAS,
        "raw-log-consistency": cassandra and raw_log.consistency in WEAK_CONSISTENCY,
        "summaries-sqlite": settings.summaries.url.startswith("sqlite:"),
    }
    return [Weakness(name, WEAKNESSES[name]) for name, is_so in holds.items() if is_so]


def refusals(settings: Settings) -> list[str]:
    """Return a sentence for each weakness that production does not accept, and each exception that names none."""
    accepted = set(settings.durability_exceptions)
    found = [
        f"durability_exceptions names no weakness: {name!r} (there are {', '.join(WEAKNESSES)})"
        for name in sorted(accepted - set(WEAKNESSES))
    ]
    if settings.profile == "production":
        found += [
            f"production refuses weak durability: {meaning} (to accept it, add {name} to durability_exceptions)"
            for name, meaning in weaknesses(settings)
            if name not in accepted
        ]
    return found
