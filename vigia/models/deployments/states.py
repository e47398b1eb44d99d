"""What the deployments model keeps under its keys, and its stored form: plain msgpack, lists instead of maps for size.

New fields are added at the end with a default; anything else needs a new schema version.
"""

import msgspec

from vigia.events.feedback import Label
from vigia.events.identity import derive_id
from vigia.models.risk import online
from vigia.models.risk.features import Raw

SCHEMA = 1


class ScopeState(msgspec.Struct):
    """A team: one risk model for each kind of label that its outcomes had, and how many deployments were scored."""

    scored: int = 0
    models: dict[Label, online.RiskState] = msgspec.field(default_factory=dict)


class Answer(msgspec.Struct, array_like=True, frozen=True):
    """The latest answer of one kind of label: since when (event time, epoch seconds), and when it was last said."""

    failed: bool
    since: float
    said: float


class DeploymentState(msgspec.Struct, array_like=True):
    """All that is known of a deployment. Before its first event only `waiting` holds anything; `risk` is None then."""

    source: str
    external_id: str
    scope: str = ""
    service: str = ""
    environment: str = ""
    version: str = ""
    stage: str = ""
    status: str = ""
    planned_at: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    commits: int = 0
    raw: Raw = ()
    """The features as scored, and `scored_at`, the time that went with them: what outcomes are learned with."""
    scored_at: float = 0.0
    risk: float | None = None
    model: str = ""
    outcomes: dict[Label, Answer] = msgspec.field(default_factory=dict)
    waiting: dict[Label, Answer] = msgspec.field(default_factory=dict)
    """Outcomes that came before the deployment, the latest of each kind: at most three."""
    kind: str = ""
    told: list[float] = msgspec.field(default_factory=list)
    """Event times (epoch seconds) of service, environment, version and kind as held, in this order."""


class IncidentState(msgspec.Struct, array_like=True):
    """All that is known of an incident; events in any order give the same state."""

    source: str
    external_id: str
    scope: str = ""
    service: str = ""
    environment: str = ""
    severity: str = ""
    title: str = ""
    first_opened_at: float | None = None
    last_opened_at: float | None = None
    resolved_at: float | None = None
    corrections: int = 0
    """How often a person corrected which deployment caused it."""


class RunState(msgspec.Struct, array_like=True):
    """What is known under one name of runs: which deployments name it, its latest end, and the changes it brought."""

    deployments: list[tuple[str, str, str, str]] = msgspec.field(default_factory=list)
    """(source, external id, service, environment) of each."""
    end: tuple[float, bool, str] | None = None
    """Of the latest end: its event time (epoch seconds), whether it failed, and the run's id."""
    changes: list[tuple[float, str]] = msgspec.field(default_factory=list)
    """When each change was merged (epoch seconds), and its id."""


State = ScopeState | DeploymentState | IncidentState | RunState

SCOPE, DEPLOYMENT, INCIDENT, RUN = "scope:", "deployment:", "incident:", "run:"
"""How the keys of the four begin; what tells them apart follows in `deployment_key`, `incident_key` and `run_key`."""


def deployment_key(scope: str, deployment_id: str) -> str:
    """Return the key of a deployment as it is told under one scope.

    The scope decides the lane, so it is part of the key: two scopes that happen to share a lane keep apart as they
    would in two.
    """
    return f"{DEPLOYMENT}{scope}:{deployment_id}"


def incident_key(scope: str, incident_id: str) -> str:
    """Return the key of an incident as it is told under one scope; see `deployment_key`."""
    return f"{INCIDENT}{scope}:{incident_id}"


def run_key(scope: str, name: str) -> str:
    """Return the key of what is known under the name of a run, as it is told under one scope."""
    return f"{RUN}{scope}:{derive_id('run', name)}"


def scope_in(key: str) -> str:
    """Return the scope in a key of any of the four; what follows it has no colon.

    >>> scope_in("scope:team: blue"), scope_in(run_key("team: blue", "build/7"))
    ('team: blue', 'team: blue')
    """
    if key.startswith(SCOPE):
        return key.removeprefix(SCOPE)
    return key.partition(":")[2].rpartition(":")[0]


class _StoredScope(msgspec.Struct, array_like=True):
    scored: int
    models: dict[Label, bytes]


_SCOPES = msgspec.msgpack.Decoder(_StoredScope)
_DEPLOYMENTS = msgspec.msgpack.Decoder(DeploymentState)
_INCIDENTS = msgspec.msgpack.Decoder(IncidentState)
_RUNS = msgspec.msgpack.Decoder(RunState)


def dump(state: State) -> bytes:
    """Return the stored form of a state."""
    if isinstance(state, ScopeState):
        models = {label: online.dump(state.models[label]) for label in sorted(state.models)}
        return msgspec.msgpack.encode(_StoredScope(state.scored, models))
    return msgspec.msgpack.encode(state)


def load(key: str, schema: int, body: bytes) -> State:
    """Return the state stored under `key`; raises ValueError when it is of another schema or not whole."""
    if schema != SCHEMA:
        raise ValueError(f"the state of {key} has schema {schema}; this version reads {SCHEMA}")
    try:
        if key.startswith(SCOPE):
            stored = _SCOPES.decode(body)
            return ScopeState(stored.scored, {label: online.load(each) for label, each in stored.models.items()})
        if key.startswith(RUN):
            return _RUNS.decode(body)
        return _DEPLOYMENTS.decode(body) if key.startswith(DEPLOYMENT) else _INCIDENTS.decode(body)
    except msgspec.DecodeError as error:
        raise ValueError(f"the state of {key} is not whole: {error}") from error
