"""The table: every setting with type, default, unit and meaning, in one file, so that it can be read from top to end.

Durations are float seconds inside and may be written with a unit outside (`90`, `"90s"`, `"15m"`, `"2h"`, `"7d"`).
Paths are relative to the folder the process is started in, which is the checkout.
"""

# ruff: noqa: RUF009, FBT003 - `setting` declares a dataclass field, and False is a default; no call is configured by it

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from vigia.settings.secret import Secret, Url
from vigia.settings.table import setting

DAY = 24 * 3600.0
MIB = 1024 * 1024

Profile = Literal["development", "production"]
SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
Compression = Literal["uncompressed", "producer", "gzip", "lz4", "zstd"]
Consistency = Literal["ONE", "LOCAL_ONE", "TWO", "QUORUM", "LOCAL_QUORUM", "EACH_QUORUM", "ALL"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


@dataclass(frozen=True, kw_only=True)
class KafkaSettings:
    """How the broker is reached, read and written."""

    bootstrap: str = setting("127.0.0.1:19092", "Brokers to ask first: `host:port`, joined by commas.")
    cluster_id: str = setting(
        "",
        "Id of the cluster that lanes belong to; empty asks the broker. Set for the embedded broker, which has no id.",
    )
    ephemeral: bool = setting(
        False,
        "Whether the broker starts empty each time (the embedded one): a new cluster id then starts lanes from zero "
        "instead of stopping.",
    )
    group: str = setting("vigia", "Consumer group of the workers.")
    topic_prefix: str = setting(
        "", "Goes before every topic's name on the broker, so that tests have topics of their own."
    )
    security_protocol: SecurityProtocol = setting("PLAINTEXT", "How connections are secured.")
    sasl_mechanism: SaslMechanism = setting("SCRAM-SHA-512", "How the client signs in, with a SASL protocol.")
    sasl_username: str = setting("", "User name, with a SASL protocol.")
    sasl_password: Secret = setting(Secret(), "Password, with a SASL protocol.")
    ssl_cafile: str = setting("", "File with the certificates of the authorities to trust; empty trusts the system's.")
    ssl_certfile: str = setting("", "File with the client's own certificate, for mutual TLS.")
    ssl_keyfile: str = setting("", "File with the client's private key, for mutual TLS.")
    ssl_keypassword: Secret = setting(Secret(), "Password of the private key.")
    replication_factor: int = setting(1, "Replicas a topic is created with.", minimum=1, maximum=100, production=3)
    min_insync_replicas: int = setting(
        1, "Replicas that must have a record before a write is acknowledged.", minimum=1, maximum=100, production=2
    )
    compression: Compression = setting("producer", "How topics store records; `producer` keeps what was sent.")
    max_poll_records: int = setting(
        20_000, "Most records one poll hands over; bounds memory.", unit="records", minimum=1, maximum=1_000_000
    )
    fetch_max_wait_ms: int = setting(
        50,
        "Longest wait of the broker for new records. The embedded broker answers only when this is over, so it is low.",
        unit="ms",
        minimum=1,
        maximum=60_000,
    )
    fetch_max_bytes: int = setting(
        16 * MIB, "Most bytes one fetch brings from a broker.", unit="bytes", minimum=1 * MIB, maximum=1024 * MIB
    )
    session_timeout: float = setting(
        30.0, "A worker not heard of for so long loses its partitions.", unit="s", minimum=1.0, maximum=1800.0
    )
    heartbeat_interval: float = setting(
        3.0, "Time between signs of life; below a third of session_timeout.", unit="s", minimum=0.1, maximum=600.0
    )
    poll_interval: float = setting(
        300.0,
        "Longest time between two polls before the worker loses its partitions.",
        unit="s",
        minimum=5.0,
        maximum=DAY,
    )
    request_timeout: float = setting(
        30.0, "Longest wait for an answer of a broker.", unit="s", minimum=1.0, maximum=600.0
    )

    @property
    def uses_sasl(self) -> bool:
        """Whether the client signs in."""
        return self.security_protocol.startswith("SASL")

    @property
    def uses_tls(self) -> bool:
        """Whether connections are encrypted."""
        return self.security_protocol.endswith("SSL")

    def physical(self, topic: str) -> str:
        """Return the name on the broker of the topic that we call `topic`."""
        return self.topic_prefix + topic

    def confluent_config(self) -> dict[str, str | int | float | bool]:
        """Return the connection settings for confluent-kafka (librdkafka); they hold passwords, so not for logs."""
        config: dict[str, str | int | float | bool] = {
            "bootstrap.servers": self.bootstrap,
            "security.protocol": self.security_protocol,
        }
        if self.uses_sasl:
            config["sasl.mechanisms"] = self.sasl_mechanism
            config["sasl.username"] = self.sasl_username
            config["sasl.password"] = self.sasl_password.reveal()
        if self.uses_tls:
            files = {
                "ssl.ca.location": self.ssl_cafile,
                "ssl.certificate.location": self.ssl_certfile,
                "ssl.key.location": self.ssl_keyfile,
                "ssl.key.password": self.ssl_keypassword.reveal(),
            }
            config.update({name: value for name, value in files.items() if value})
        return config


@dataclass(frozen=True, kw_only=True)
class RawLogSettings:
    """The store of every raw event: Cassandra, or SQLite for the embedded way."""

    url: Url = setting(
        Url("sqlite:///.vigia/raw.db"),
        "`sqlite:///path` or `cassandra://host:port,host:port/keyspace`.",
    )
    username: str = setting("", "User name for Cassandra; empty signs in as nobody.")
    password: Secret = setting(Secret(), "Password for Cassandra.")
    tls: bool = setting(False, "Whether connections to Cassandra are encrypted and its certificate is checked.")
    cafile: str = setting("", "File with the authorities to trust for Cassandra; empty trusts the system's.")
    datacenter: str = setting(
        "", "Cassandra data centre that is local to the workers; empty takes that of the first node."
    )
    replication_factor: int = setting(
        1, "Replicas the keyspace is created with, in the local data centre.", minimum=1, maximum=100, production=3
    )
    consistency: Consistency = setting("LOCAL_QUORUM", "How many replicas answer before a write or read counts.")
    request_timeout: float = setting(10.0, "Longest wait for one request.", unit="s", minimum=0.1, maximum=600.0)


@dataclass(frozen=True, kw_only=True)
class SummariesSettings:
    """The store of summaries, states, lanes and the outbox: MySQL or MariaDB, or SQLite for the embedded way."""

    url: Url = setting(
        Url("sqlite:///.vigia/summaries.db"),
        "`sqlite:///path` or `mysql+pymysql://user:password@host:port/database?charset=utf8mb4`.",
    )
    password: Secret = setting(Secret(), "Password, when it is not part of the url; it wins over one that is.")
    tls: bool = setting(False, "Whether connections are encrypted and the server's certificate is checked.")
    cafile: str = setting("", "File with the authorities to trust; empty trusts the system's.")
    pool_size: int = setting(5, "Most connections a process keeps open.", unit="connections", minimum=1, maximum=1000)
    statement_timeout: float = setting(
        30.0,
        "Longest time one statement may take on MySQL or MariaDB; one that takes longer is tried again.",
        unit="s",
        minimum=0.1,
        maximum=3600.0,
    )


@dataclass(frozen=True, kw_only=True)
class StreamSettings:
    """The step: how much it takes at once, how long it tries, and when it refuses."""

    step_max_records: int = setting(
        20_000, "Most records one step takes.", unit="records", minimum=1, maximum=1_000_000
    )
    step_max_bytes: int = setting(
        16 * MIB,
        "Most bytes of records one step takes (one record is always taken).",
        unit="bytes",
        minimum=1024,
        maximum=1024 * MIB,
    )
    queue_batches: int = setting(
        4, "Fetched batches that wait in memory before fetching pauses.", unit="batches", minimum=1, maximum=10_000
    )
    state_cache_entries: int = setting(
        100_000,
        "States of recently used keys kept in memory, per process.",
        unit="entries",
        minimum=0,
        maximum=100_000_000,
    )
    tick_after: float = setting(
        1.0, "A lane idle for so long gets a tick, so that time passes in it.", unit="s", minimum=0.05, maximum=3600.0
    )
    future_limit: float = setting(
        300.0, "An event further ahead of its Kafka time is refused.", unit="s", minimum=0.0, maximum=365 * DAY
    )
    seen_horizon: float = setting(
        7 * DAY,
        "For how long an event id is remembered, to recognise repeats.",
        unit="s",
        minimum=60.0,
        maximum=3650 * DAY,
    )
    retry_budget: float = setting(
        120.0,
        "For how long one operation (a step has several) is tried again while a store is away; below "
        "kafka.poll_interval. Then exit 75.",
        unit="s",
        minimum=0.0,
        maximum=DAY,
    )
    start_budget: float = setting(
        60.0, "For how long a starting worker waits for broker and stores.", unit="s", minimum=0.0, maximum=DAY
    )
    invalid_ratio: float = setting(
        0.01, "Share of invalid events that stops a lane, once invalid_minimum were seen.", minimum=0.0, maximum=1.0
    )
    invalid_minimum: int = setting(
        1000,
        "Events a lane must have seen before invalid_ratio counts.",
        unit="events",
        minimum=1,
        maximum=1_000_000_000,
    )
    invalid_run: int = setting(
        1000, "Invalid events in a row that stop a lane.", unit="events", minimum=1, maximum=1_000_000_000
    )
    attempts_before_quarantine: int = setting(
        3,
        "At which attempt on the same offset the event that fails is searched for and set aside.",
        unit="attempts",
        minimum=1,
        maximum=100,
    )


@dataclass(frozen=True, kw_only=True)
class MetricsSettings:
    """Windows over samples, and the detectors on them."""

    window: int = setting(
        60, "Length of a tumbling window; an hour is a multiple of it.", unit="s", minimum=1, maximum=3_600
    )
    lateness: float = setting(
        5.0,
        "How long after its end a window waits for samples before it closes, in the event time of its series.",
        unit="s",
        minimum=0.0,
        maximum=DAY,
    )
    series_idle: float = setting(
        300.0,
        "A series that is silent while its service goes on has its windows closed so much later, by the service's "
        "event time. Keep it above the longest span that a sender holds back or packs into a message.",
        unit="s",
        minimum=0.0,
        maximum=30 * DAY,
    )
    idle_timeout: float = setting(
        60.0,
        "A service without samples for so long has its windows closed by Kafka's time.",
        unit="s",
        minimum=1.0,
        maximum=DAY,
    )
    retention: float = setting(
        7 * DAY,
        "For how long windows are kept, by their service's event time; late samples still correct them, older ones are "
        "refused.",
        unit="s",
        minimum=60.0,
        maximum=3650 * DAY,
    )
    retention_hours: float = setting(
        90 * DAY,
        "For how long hours are kept; at least a day longer than `retention`.",
        unit="s",
        minimum=DAY,
        maximum=36_500 * DAY,
    )
    retention_days: float = setting(
        1_826 * DAY,
        "For how long days are kept; at least as long as hours.",
        unit="s",
        minimum=DAY,
        maximum=36_500 * DAY,
    )
    series_cap: int = setting(
        1000,
        "Most series one service may have; further ones are refused.",
        unit="series",
        minimum=1,
        maximum=10_000_000,
    )
    series_forget: float = setting(
        DAY,
        "A series that is silent for so long, by its service's event time, no longer counts and may come anew; one "
        "with an open problem stays for `problem_forget`.",
        unit="s",
        minimum=60.0,
        maximum=3650 * DAY,
    )
    problem_forget: float = setting(
        3 * DAY,
        "An open problem whose series has been silent for so long, and for `series_forget`, ends as stale: whether it "
        "is over is not known. By its service's event time; while the whole service is silent, by Kafka's.",
        unit="s",
        minimum=60.0,
        maximum=3650 * DAY,
    )
    stale_after: float = setting(
        900.0,
        "A problem found so long after it happened is recorded as stale and not acted on.",
        unit="s",
        minimum=1.0,
        maximum=30 * DAY,
    )


@dataclass(frozen=True, kw_only=True)
class RiskSettings:
    """The risk models."""

    waiting_time: float = setting(
        90 * DAY,
        "A deployment of which no defect is known for so long is learned as clean; below risk.forget_after.",
        unit="s",
        minimum=60.0,
        maximum=3650 * DAY,
    )

    waiting_time_intervention: float = setting(
        7 * DAY,
        "The same of interventions in production: who had to intervene knows it within days. Failures of which most "
        "clean deployments are not yet known to be clean wait for as long.",
        unit="s",
        minimum=60.0,
        maximum=3650 * DAY,
    )

    forget_after: float = setting(
        180 * DAY,
        "A deployment without an outcome for so long is forgotten by its model.",
        unit="s",
        minimum=DAY,
        maximum=3650 * DAY,
    )


@dataclass(frozen=True, kw_only=True)
class RemediationSettings:
    """Proposals."""

    proposal_expiry: float = setting(
        3600.0, "A proposal without a verdict for so long lapses.", unit="s", minimum=1.0, maximum=365 * DAY
    )


@dataclass(frozen=True, kw_only=True)
class TelemetrySettings:
    """What is measured of AI agents."""

    forget_after: float = setting(
        180 * DAY,
        "A decision, or feedback that waits for one, of which nothing more is heard for so long is forgotten: feedback "
        "that comes later no longer counts. What was counted stays.",
        unit="s",
        minimum=DAY,
        maximum=3650 * DAY,
    )
    accuracy_target: float = setting(
        0.85, "Share of judged decisions that should be correct.", minimum=0.0, maximum=1.0
    )
    feedback_target: float = setting(0.3, "Share of decisions that should get feedback.", minimum=0.0, maximum=1.0)


@dataclass(frozen=True, kw_only=True)
class EmitSettings:
    """`vigia emit`: as whom it speaks, and how long the pipeline that calls it waits."""

    delivery_timeout: float = setting(
        30.0,
        "Longest wait until the broker has acknowledged an event.",
        unit="s",
        minimum=0.1,
        maximum=3600.0,
    )
    risk_timeout: float = setting(30.0, "Longest wait for a deployment's risk.", unit="s", minimum=0.0, maximum=3600.0)
    sender: str = setting(
        "", "Who says what is sent to feedback, by the name that the workers' `config/feedback.toml` has for it."
    )
    key: Secret = setting(Secret(), "Key of that sender: with it what is sent to feedback is signed.")
    git_timeout: float = setting(
        10.0,
        "Longest time for reading a checkout's history; what is not known by then is sent as missing.",
        unit="s",
        minimum=0.1,
        maximum=3600.0,
    )


@dataclass(frozen=True, kw_only=True)
class OperationsSettings:
    """What a worker tells of itself, and when it takes itself for stuck."""

    heartbeat: float = setting(
        5.0, "Time between a worker's signs of life in the database.", unit="s", minimum=0.5, maximum=3600.0
    )
    forget_workers: float = setting(
        3600.0,
        "A worker not heard of for so long is deleted from the table of workers. Until then it also keeps the others "
        "from writing states that its version could not read.",
        unit="s",
        minimum=60.0,
        maximum=30 * DAY,
    )
    own_metrics: bool = setting(
        True, "Whether a worker sends its own figures to the topic metrics, as the service `vigia`."
    )
    own_metrics_every: float = setting(
        15.0,
        "Time between two messages of each own figure; one packs a point for each sign of life since.",
        unit="s",
        minimum=1.0,
        maximum=3600.0,
    )
    prune_every: float = setting(
        300.0,
        "Time between two looks for windows, hours and days that are no longer kept; they are deleted then.",
        unit="s",
        minimum=1.0,
        maximum=DAY,
    )
    shadows_every: float = setting(
        60.0,
        "Time between two rounds in which retrained risk models score new deployments.",
        unit="s",
        minimum=1.0,
        maximum=DAY,
    )
    stuck_after: float = setting(
        600.0,
        "A worker ends (exit 75) when one of its lanes has records to apply and does not get on for so long; above 4 "
        "times stream.retry_budget and the longest of the timeouts of stores and broker.",
        unit="s",
        minimum=1.0,
        maximum=DAY,
    )


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings; `load` makes them."""

    profile: Profile = setting(
        "development",
        "`production` has stricter defaults and refuses weak durability that is not listed as an exception.",
    )
    durability_exceptions: tuple[str, ...] = setting(
        (), "Weaknesses that production accepts, by the names that its refusal gives them."
    )
    catalog: Path = setting(Path("config/catalog.toml"), "File that says which team owns which service.")
    detectors: Path = setting(Path("config/detectors.toml"), "File with the detectors and their limits.")
    policy: Path = setting(Path("config/policy.toml"), "File with the gates that stop a deployment whatever its score.")
    feedback: Path = setting(Path("config/feedback.toml"), "File that says who may label what, and how much a day.")
    dora: Path = setting(
        Path("config/dora.toml"), "File that says how deliveries are measured, and the organisation's own levels."
    )
    data_dir: Path = setting(Path(".vigia"), "Folder for what a process keeps on this machine.")
    log_level: LogLevel = setting("INFO", "Least severe messages that are logged.")

    kafka: KafkaSettings = field(default_factory=KafkaSettings)
    raw_log: RawLogSettings = field(default_factory=RawLogSettings)
    summaries: SummariesSettings = field(default_factory=SummariesSettings)
    stream: StreamSettings = field(default_factory=StreamSettings)
    metrics: MetricsSettings = field(default_factory=MetricsSettings)
    risk: RiskSettings = field(default_factory=RiskSettings)
    remediation: RemediationSettings = field(default_factory=RemediationSettings)
    telemetry: TelemetrySettings = field(default_factory=TelemetrySettings)
    emit: EmitSettings = field(default_factory=EmitSettings)
    operations: OperationsSettings = field(default_factory=OperationsSettings)
