"""Lets retrained models score new deployments beside the online model: in batches, after `risk` is out, in a process of
its own.

One worker does it, the one with the first lane of the deployments agent. During a take-over two may; they write the
same scores. Nothing that lanes do depends on it: whatever fails here is logged, and tried again at the next round. A
round scores at most `BATCH` deployments by each of at most `MODELS` models, and takes at most `WITHIN` seconds a model.
"""

import logging
import os
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import msgspec

from vigia.events.feedback import Label
from vigia.models.deployments.states import DEPLOYMENT, DeploymentState, deployment_key, load
from vigia.stores.base import LaneId, StateRow
from vigia.stores.errors import StoreError
from vigia.stores.risk_models import AT_WORK, RiskModelRow, RiskModels, ShadowScore
from vigia.streaming.glance import Glance
from vigia.streaming.partitions import partition_of

AGENT = "deployments"
FIRST_LANE = LaneId(AGENT, 0)

MODELS = 4
"""Most models that score in a round: promoted ones first, then the newest."""

BATCH = 500
"""Most deployments that a model scores in a round; states of that many are a few hundred kilobytes."""

LOOK = 5_000
"""So many of the newest deployments are looked at: what was not scored while it was among them never is."""

WITHIN = 60.0
"""Seconds that the process may take."""

logger = logging.getLogger(__name__)


class Failed(Exception):
    """The process gave no answer; says why."""


class Shadows:
    """Calls on the models in the registry; `lanes` are those of this worker."""

    def __init__(self, store: RiskModels, lanes: Callable[[], Sequence[Glance]]) -> None:
        self._store = store
        self._lanes = lanes
        self._over = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._refused: dict[str, str] = {}

    def look(self) -> None:
        """Score what is new by all models at work, if this worker is to do it."""
        if not any(glance.row.lane == FIRST_LANE for glance in self._lanes()):
            return
        try:
            rows = self._store.risk_models(AT_WORK)
            # `promoted` sorts before `shadow`
            for row in sorted(rows, key=lambda each: (each.status, -each.created_at))[:MODELS]:
                if self._over.is_set():
                    return
                if self._refused.get(row.name) != row.digest:
                    self._score(row)
        except StoreError as error:
            logger.warning("retrained models did not score, and will later: %s", error)

    def stop(self) -> None:
        """End at once, and the process with it."""
        self._over.set()
        process = self._process
        if process is not None:
            process.kill()

    def _score(self, row: RiskModelRow) -> None:
        wanted = self._store.unscored(row, LOOK, BATCH)
        known = self._states(wanted)
        found = [(key, known[key]) for key in wanted if key in known]
        if not found:
            return
        body = self._store.risk_model_file(row.name)
        if body is None:
            return
        try:
            said = self._ask(row, body, [state for _, state in found])
        except Failed as error:
            if not self._over.is_set():
                logger.warning("%s did not score, and will be asked again: %s", row.name, error)
            return
        if said is not None:
            scores = [
                ShadowScore(*key, probability, _online(state, row), state.scored_at)
                for (key, state), probability in zip(found, said, strict=True)
            ]
            self._store.write_shadow_scores(row.name, scores)
            logger.info("%s scored %d deployments", row.name, len(scores))

    def _states(self, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], DeploymentState]:
        """Return the states of scored deployments among those wanted; of one forgotten there is none."""
        counts = {row.partition_count for row in self._store.lanes() if row.lane.agent == AGENT}
        if len(counts) != 1:
            return {}  # no lane yet, or partitions are being added
        (count,) = counts
        by_partition: defaultdict[int, dict[str, tuple[str, str]]] = defaultdict(dict)
        for deployment_id, scope in wanted:
            key = deployment_key(scope, deployment_id)
            by_partition[partition_of(scope.encode(), count)][key] = deployment_id, scope
        found = {}
        for partition, keys in by_partition.items():
            rows = self._store.load(LaneId(AGENT, partition), list(keys), ()).states
            for key, stored in rows.items():
                state = scored_state(stored)
                if state is not None:
                    found[keys[key]] = state
        return found

    def _ask(self, row: RiskModelRow, body: bytes, states: list[DeploymentState]) -> list[float] | None:
        """Return what the model says; None when its file is refused. Raises Failed."""
        asked = msgspec.msgpack.encode((row.kind, row.digest, body, [state.values for state in states]))
        # one thread: the lanes have the other cores
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "vigia.app.shadow_process"]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment) as process:  # noqa: S603 - ours
            self._process = process
            try:
                if self._over.is_set():
                    process.kill()
                out, errors = process.communicate(asked, WITHIN)
            except subprocess.TimeoutExpired as error:
                raise Failed(f"it took longer than {WITHIN:.0f} s") from error
            finally:
                self._process = None
                process.kill()
        if process.returncode:
            last = errors.decode(errors="replace").strip().rpartition("\n")[-1]
            raise Failed(f"its process ended with {process.returncode}: {last}")
        said, refused = msgspec.msgpack.decode(out, type=tuple[list[float], str])
        if refused:
            self._refused[row.name] = row.digest
            logger.error("the risk model %s is not used until this worker is started again: %s", row.name, refused)
            return None
        if len(said) != len(states):
            raise Failed(f"it gave {len(said)} answers to {len(states)} questions")
        return said


def scored_state(row: StateRow) -> DeploymentState | None:
    """Return the state of a deployment that was scored; None for anything else.

    One of a version that this release does not read is passed over, too: that is the lanes' business.
    """
    if not row.key.startswith(DEPLOYMENT) or row.body is None:
        return None
    try:
        state = load(row.key, row.schema, row.body)
    except ValueError:
        return None
    return state if isinstance(state, DeploymentState) and state.risk is not None else None


def _online(state: DeploymentState, row: RiskModelRow) -> float | None:
    label: Label | str = row.label
    return next((said[1] for kind, said in state.said.items() if kind == label), None)
