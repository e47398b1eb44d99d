"""What the deployments model keeps under its keys, and its stored form: plain msgpack, lists instead of maps for size.

New fields are added at the end with a default; anything else needs a new schema version. Schema 2 had risk models of
another form, which are read (`vigia.models.risk.storage`), and did not know what is usual. It is not written.
"""

import msgspec

from vigia.events.feedback import Label
from vigia.events.identity import derive_id
from vigia.models.dora.deliveries import Brought
from vigia.models.risk import bayes, drift, storage
from vigia.models.risk.context import Context
from vigia.models.risk.features import Values
from vigia.models.risk.usual import Usual

SCHEMA = 3


class Young(msgspec.Struct, array_like=True):
    """Scored deployments too young for their silence to say anything, by what is known of one kind of label."""

    unanswered: int = 0
    clean: int = 0
    failed: int = 0
    expected: int = 0
    """Failures that were expected of the unanswered, and what the failed were more than was expected of them, in
    millionths."""
    surprise: int = 0


class ScopeState(msgspec.Struct):
    """A team: one risk model for each kind of label that its outcomes had, its past, and the watches over drift."""

    scored: int = 0
    models: dict[Label, bayes.State] = msgspec.field(default_factory=dict)
    context: Context = msgspec.field(default_factory=Context)
    losses: dict[Label, drift.Loss] = msgspec.field(default_factory=dict)
    levels: dict[str, drift.Level] = msgspec.field(default_factory=dict)
    alarms: int = 0
    """How many alarms there were."""
    told: dict[Label, tuple[int, int]] = msgspec.field(default_factory=dict)
    """Deployments of which each kind of label was told: how many failed, how many were clean."""
    usual: dict[Label, Usual] = msgspec.field(default_factory=dict)
    """What the model of each kind says of the latest deployments."""
    young: dict[Label, Young] = msgspec.field(default_factory=dict)


class Answer(msgspec.Struct, array_like=True, frozen=True):
    """The latest answer of one kind of label: since when (event time, epoch seconds), and when it was last said."""

    failed: bool
    since: float
    said: float
    sender: str = ""
    """Who said it last; empty for silence, and in states of earlier releases."""


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
    values: Values = ()
    """The features as scored (`scored_at` is the event time): what outcomes are learned with."""
    scored_at: float = 0.0
    risk: float | None = None
    model: str = ""
    outcomes: dict[Label, Answer] = msgspec.field(default_factory=dict)
    waiting: dict[Label, Answer] = msgspec.field(default_factory=dict)
    """Outcomes that came before the deployment, the latest of each kind: at most three."""
    kind: str = ""
    told: list[float] = msgspec.field(default_factory=list)
    """Event times (epoch seconds) of service, environment, version and kind as held, in this order."""
    label: Label | None = None
    """The kind of failure that was predicted."""
    said: dict[Label, tuple[float, float]] = msgspec.field(default_factory=dict)
    """What the model of each kind said: log-odds before calibration, and the probability."""
    lessons: dict[Label, bayes.Lesson] = msgspec.field(default_factory=dict)
    """What was learned of it, by kind."""
    authors: tuple[str, ...] = ()
    """Digests of the authors of its commits."""
    failed: bool = False
    """Whether it counts as a failure in the past of its scope."""
    brought: Brought = msgspec.field(default_factory=Brought)
    failures: dict[Label, float] = msgspec.field(default_factory=dict)
    """Kinds of which a failure was ever told, whatever was said of it before or after, and since when it was known."""
    young: dict[Label, int] = msgspec.field(default_factory=dict)
    """Kinds of which its silence does not yet say anything: what was said of it, in millionths."""
    unjudged: bool = False
    """A failure of the predicted kind was learned, but is not yet in the track record."""
    called: bool | None = None
    """Whether it was called failing, for who must have a plain answer; None in states of the release before."""


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


End = tuple[float, bool, str]
"""Of a run that ended: its event time (epoch seconds), whether it failed, and the run's id."""


class RunState(msgspec.Struct, array_like=True):
    """What is known under one name of runs: which deployments name it, its latest end, and the changes it brought."""

    deployments: list[tuple[str, str, str, str]] = msgspec.field(default_factory=list)
    """(source, external id, service, environment) of each."""
    end: End | None = None
    """The latest of `ends`: all that the release before knew, and reads."""
    changes: list[tuple[float, str]] = msgspec.field(default_factory=list)
    """When each change was merged (epoch seconds), and its id."""
    ends: dict[str, End] = msgspec.field(default_factory=dict)
    """The latest end of each pipeline, by a digest of its name (empty: it has none)."""

    def __post_init__(self) -> None:
        if self.end is not None and not self.ends:
            self.ends[""] = self.end


State = ScopeState | DeploymentState | IncidentState | RunState

SCOPE, DEPLOYMENT, INCIDENT, RUN = "scope:", "deployment:", "incident:", "run:"
"""How the keys of the four begin; what tells them apart follows in `deployment_key`, `incident_key` and `run_key`."""

SILENCE = "silence-"
"""How the key of a timer begins that is for one kind of label, which follows."""


def deployment_key(scope: str, deployment_id: str) -> str:
    """Return the key of a deployment as it is told under one scope.

    The scope decides the lane, so it is part of the key: two scopes that happen to share a lane keep apart as they
    would in two.
    """
    return f"{DEPLOYMENT}{scope}:{deployment_id}"


def deployment_id_in(key: str) -> str:
    """Return the id in a deployment's key."""
    return key.rpartition(":")[2]


def silence_key(label: Label, key: str) -> str:
    """Return the key of the timer at which the silence about one kind of label says something of the deployment under
    `key`. There is no state under it, so the release before finds nothing to do at it.

    >>> key = silence_key("intervention", deployment_key("shop", "7"))
    >>> key, scope_in(key), silence_in(key)
    ('silence-intervention:shop:7', 'shop', ('deployment:shop:7', 'intervention'))
    """
    return f"{SILENCE}{label}:{key.removeprefix(DEPLOYMENT)}"


def silence_in(key: str) -> tuple[str, str]:
    """Return the deployment's key and the label in the key of such a timer; the label is empty in a deployment's."""
    if not key.startswith(SILENCE):
        return key, ""
    label, _, deployment = key.removeprefix(SILENCE).partition(":")
    return DEPLOYMENT + deployment, label


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
    context: Context
    losses: dict[Label, drift.Loss]
    levels: dict[str, drift.Level]
    alarms: int
    told: dict[Label, tuple[int, int]]
    usual: dict[Label, Usual] = msgspec.field(default_factory=dict)
    young: dict[Label, Young] = msgspec.field(default_factory=dict)


_SCOPES = msgspec.msgpack.Decoder(_StoredScope)
_DEPLOYMENTS = msgspec.msgpack.Decoder(DeploymentState)
_INCIDENTS = msgspec.msgpack.Decoder(IncidentState)
_RUNS = msgspec.msgpack.Decoder(RunState)


def dump(state: State) -> bytes:
    """Return the stored form of a state."""
    if isinstance(state, ScopeState):
        # in their order, which is that of what deployments keep of them
        models = {label: storage.dump(model) for label, model in state.models.items()}
        stored = _StoredScope(
            state.scored,
            models,
            state.context,
            state.losses,
            state.levels,
            state.alarms,
            state.told,
            state.usual,
            state.young,
        )
        return msgspec.msgpack.encode(stored)
    return msgspec.msgpack.encode(state)


def load(key: str, schema: int, body: bytes) -> State:
    """Return the state stored under `key`; raises ValueError when it is of another schema or not whole."""
    if not SCHEMA - 1 <= schema <= SCHEMA:
        raise ValueError(f"the state of {key} has schema {schema}; this version reads {SCHEMA - 1} and {SCHEMA}")
    try:
        if key.startswith(SCOPE):
            return _scope(_SCOPES.decode(body))
        if key.startswith(RUN):
            return _RUNS.decode(body)
        return _DEPLOYMENTS.decode(body) if key.startswith(DEPLOYMENT) else _INCIDENTS.decode(body)
    except msgspec.DecodeError as error:
        raise ValueError(f"the state of {key} is not whole: {error}") from error


def _scope(stored: _StoredScope) -> ScopeState:
    models = {label: storage.load(each) for label, each in stored.models.items()}
    return ScopeState(
        stored.scored,
        models,
        stored.context,
        stored.losses,
        stored.levels,
        stored.alarms,
        stored.told,
        stored.usual,
        stored.young,
    )
