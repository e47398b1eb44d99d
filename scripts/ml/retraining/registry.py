"""What people do with models in the registry: a new one is kept, one scores in the shadow, one is promoted, and taken
back.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import get_args

import msgspec
import numpy as np

from scripts.ml.retraining.comparing import Comparison, TooFew, compare
from scripts.ml.retraining.folds import Judged, now, settled
from vigia.app.shadows import AGENT, scored_state
from vigia.events.feedback import Label
from vigia.models.deployments.examples import Example, example
from vigia.models.deployments.states import SCOPE, ScopeState, deployment_key, load
from vigia.models.risk.bayes import State
from vigia.models.risk.challengers.files import digest_of, dump, types_in
from vigia.models.risk.challengers.fitting import Challenger
from vigia.stores.base import LaneId, StateRow
from vigia.stores.risk_models import RiskModelChange, RiskModelRow, RiskModels, ShadowScore, Status, Turn
from vigia.stores.sql.conditions import chunks
from vigia.streaming.partitions import partition_of

SCORES_AT_ONCE = 500

SETTABLE: dict[str, Status] = {"shadow": "shadow", "retire": "retired"}
"""What a person may make of a model without proof, by the name of the action."""


class Refused(Exception):
    """It is not done; says why."""


class Trained(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a model when it is kept; see `RiskModelRow`."""

    label: Label
    scope: str
    first_at: float
    last_at: float
    deployments: int
    failures: int
    code_version: str
    validation: Comparison


def keep(store: RiskModels, model: Challenger, about: Trained, status: Status, by: str) -> RiskModelRow:
    """Keep a model under the next number of its kind and label, and return its row.

    With the status `shadow`, earlier shadows of the same kind, label and scope retire, but for those once promoted: to
    these one may go back. Raises Refused when somebody else keeps one at this moment.
    """
    body = dump(model)
    stem = f"{model.kind}-{about.label}-"
    rows = store.risk_models()
    numbers = [int(row.name.removeprefix(stem)) for row in rows if row.name.startswith(stem)]
    row = RiskModelRow(
        name=f"{stem}{max(numbers, default=0) + 1}",
        kind=model.kind,
        label=about.label,
        scope=about.scope,
        created_at=0.0,
        first_at=about.first_at,
        last_at=about.last_at,
        deployments=about.deployments,
        failures=about.failures,
        code_version=about.code_version,
        metrics=msgspec.json.encode({"validation": about.validation}).decode(),
        digest=digest_of(body),
        types=", ".join(sorted(types_in(body))),
        status=status,
    )
    if not store.add_risk_model(row, body, by, "trained"):
        raise Refused(f"somebody has kept a {row.name} in this moment: train again")
    once = {change.name for change in store.risk_model_changes() if change.status == "promoted"}
    if status == "shadow":
        same = [each for each in rows if _same(each, row) and each.kind == row.kind and each.name not in once]
        old = [Turn(each.name, "shadow", "retired") for each in same if each.status == "shadow"]
        if old and not store.turn_risk_models(old, by, f"{row.name} is newer"):
            raise Refused(
                f"{row.name} is kept; an earlier shadow was changed by somebody in this moment: look at `list`"
            )
    return row


def move(store: RiskModels, name: str, status: Status, by: str, because: str) -> None:
    """Set a model's status, which may be `shadow` or `retired`. Raises Refused."""
    row = find(store, name)
    if row.status == "promoted":
        raise Refused(f"{name} is promoted: `roll-back` takes it back")
    if row.status == status:
        raise Refused(f"{name} is {status} already")
    _turn(store, [Turn(name, row.status, status)], by, because)


def promote(store: RiskModels, name: str, waiting_times: Mapping[Label, float], by: str) -> Comparison:
    """Promote a shadow, and return the comparison that allows it; the one promoted before is a shadow again.

    Raises Refused, with the figure, unless it has ranked later deployments better than the online model by more than
    chance.
    """
    row = find(store, name)
    if row.status != "shadow":
        raise Refused(f"{name} is {row.status}: only a model that scores in the shadow can be promoted")
    try:
        found = compare(shadowed(store, row, waiting_times))
    except TooFew as error:
        raise Refused(f"{name} is not promoted: {error}") from error
    if not found.better:
        raise Refused(f"{name} is not promoted, the interval does not lie above zero: {found.words()}")
    before = [Turn(each.name, "promoted", "shadow") for each in promoted(store, row)]
    _turn(store, [*before, Turn(name, "shadow", "promoted")], by, found.words())
    return found


def roll_back(store: RiskModels, name: str, by: str, because: str) -> str | None:
    """Retire a promoted model; return the name of the one before it that is promoted again, if there is one.

    Raises Refused.
    """
    row = find(store, name)
    if row.status != "promoted":
        raise Refused(f"{name} is {row.status}, not promoted")
    same = {each.name: each for each in store.risk_models() if _same(each, row)}
    earlier = [each for each in once_promoted(store.risk_model_changes()) if each in same and each != name]
    turns = [Turn(name, "promoted", "retired")]
    if earlier:
        turns.append(Turn(earlier[-1], same[earlier[-1]].status, "promoted"))
    _turn(store, turns, by, because)
    return earlier[-1] if earlier else None


def once_promoted(changes: Iterable[RiskModelChange]) -> list[str]:
    """Return the models that were promoted and not retired since, the latest promotion last."""
    names: list[str] = []
    for change in changes:
        if change.status in {"promoted", "retired"} and change.name in names:
            names.remove(change.name)
        if change.status == "promoted":
            names.append(change.name)
    return names


def validation_of(row: RiskModelRow) -> Comparison:
    """Return what retraining measured."""
    return msgspec.json.decode(row.metrics, type=dict[str, Comparison])["validation"]


def find(store: RiskModels, name: str) -> RiskModelRow:
    """Return the row of a model; raises Refused when there is none."""
    rows = {row.name: row for row in store.risk_models()}
    if name not in rows:
        raise Refused(f"there is no risk model {name!r}; `list` shows all")
    return rows[name]


def promoted(store: RiskModels, row: RiskModelRow) -> list[RiskModelRow]:
    """Return what is promoted for the same kind of label and scope."""
    return [each for each in store.risk_models(("promoted",)) if _same(each, row)]


def shadowed(store: RiskModels, row: RiskModelRow, waiting_times: Mapping[Label, float]) -> Judged:
    """Return what a model has said, beside the online model, of deployments later than all it was trained with."""
    counts = {each.partition_count for each in store.lanes() if each.lane.agent == AGENT}
    if len(counts) != 1:
        raise Refused("the deployments agent has no lanes, or partitions are being added: try again later")
    (count,) = counts
    found: list[tuple[ShadowScore, Example]] = []
    scores = [
        each for each in store.shadow_scores(row.name) if each.scored_at > row.last_at and each.online is not None
    ]
    for some in chunks(scores, SCORES_AT_ONCE):
        for score, known in zip(some, _examples(store, some, row, count, waiting_times), strict=True):
            if known is not None:
                found.append((score, known))
    border = settled([known for _, known in found], now([known for _, known in found]))
    old = [(score, known.failed) for score, known in found if known.failed is not None and known.scored_at <= border]
    return Judged(
        np.array([failed for _, failed in old], dtype=bool),
        np.array([score.probability for score, _ in old], dtype=float),
        np.array([score.online for score, _ in old], dtype=float),
    )


def online(store: RiskModels, scope: str) -> Mapping[Label, State]:
    """Return the online models of a scope, by kind of label. Raises Refused when it has none."""
    key = SCOPE + scope
    for row in store.lanes():
        if row.lane.agent != AGENT:
            continue
        stored = store.load(row.lane, [key], ()).states.get(key)
        try:
            state = None if stored is None or stored.body is None else load(key, stored.schema, stored.body)
        except ValueError as error:
            raise Refused(str(error)) from error
        if isinstance(state, ScopeState) and state.models:
            return state.models
    raise Refused(f"no outcome was learned yet of a team {scope!r}")


def _examples(
    store: RiskModels,
    scores: Sequence[ShadowScore],
    row: RiskModelRow,
    count: int,
    waiting_times: Mapping[Label, float],
) -> list[Example | None]:
    """Return the example of each score; None where the deployment was forgotten."""
    keys = [deployment_key(each.scope, each.deployment_id) for each in scores]
    places = [partition_of(each.scope.encode(), count) for each in scores]
    stored: dict[str, StateRow] = {}
    for place in set(places):
        wanted = [key for key, where in zip(keys, places, strict=True) if where == place]
        stored.update(store.load(LaneId(AGENT, place), wanted, ()).states)
    (label,) = [each for each in get_args(Label) if each == row.label]
    states = [scored_state(stored[key]) if key in stored else None for key in keys]
    return [None if state is None else example(state, label, waiting_times) for state in states]


def _same(one: RiskModelRow, other: RiskModelRow) -> bool:
    return (one.label, one.scope) == (other.label, other.scope)


def _turn(store: RiskModels, turns: Sequence[Turn], by: str, because: str) -> None:
    if not store.turn_risk_models(turns, by, because):
        raise Refused("somebody has changed a model in this moment: nothing was done, look at `list`")
