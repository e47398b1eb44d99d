"""The remediation model under the laws: few problems, in versions that come late, twice and out of order, and what its
lanes tell each other of them.
"""

from hypothesis import strategies as st

from tests.unit.models.laws import START, ModelCase
from vigia.events.catalog import Catalog
from vigia.events.deployed import Deployed
from vigia.events.identity import derive_id
from vigia.events.problem_links import DependentProblem, ProblemGrouped
from vigia.events.problems import Problem
from vigia.events.remediation import ExecutionResult, Verdict
from vigia.models.detectors.shared_dependency import SharedDependency
from vigia.models.remediation.model import RemediationConfig, RemediationModel

problems = st.builds(
    Problem,
    problem_id=st.sampled_from(["p1", "p2", "p:3"]),
    service=st.sampled_from(["shop", "shop: web"]),
    detector=st.sampled_from(["high_error_rate", "nobody_knows"]),
    severity=st.sampled_from(["P0", "P3"]),
    status=st.sampled_from(["open", "resolved", "stale"]),
    opened_at=st.sampled_from([START, START + 60]),
    at=st.just(START),
    why=st.just("It is broken."),
    series_id=st.just("s"),
    metric=st.just("error_rate"),
    evidence=st.just({"mean": 0.2}),
    version=st.integers(1, 4),
)
verdicts = st.builds(
    Verdict,
    proposal_id=st.sampled_from(["a", derive_id("proposal", "shop", "p1", "rollback")]),
    proposal_version=st.integers(1, 3),
    service=st.just("shop"),
    decision=st.sampled_from(["approve", "deny"]),
    by=st.just("ada"),
    at=st.just(START),
)
results = st.builds(
    ExecutionResult,
    execution_id=st.just("x"),
    service=st.just("shop"),
    status=st.just("succeeded"),
    at=st.just(START),
)

of_dependents = st.builds(
    DependentProblem,
    service=st.sampled_from(["orders-db", "shop"]),
    dependent=st.sampled_from(["shop", "cart", "orders-db"]),
    problem_id=st.sampled_from(["p1", "p2", "p:3", "p4"]),
    detector=st.just("high_error_rate"),
    severity=st.sampled_from(["P0", "P3"]),
    status=st.sampled_from(["open", "open", "resolved"]),
    opened_at=st.sampled_from([START, START + 30, START + 900]),
    at=st.sampled_from([START, START + 60]),
    version=st.integers(1, 3),
    environment=st.sampled_from(["production", "production", "staging"]),
)
grouped = st.builds(
    ProblemGrouped,
    service=st.sampled_from(["shop", "shop: web"]),
    problem_id=st.sampled_from(["p1", "p2"]),
    part_of=st.sampled_from(["g1", "g2"]),
    version=st.integers(1, 3),
    at=st.just(START),
    released=st.booleans(),
)
ended = st.builds(
    Deployed,
    service=st.sampled_from(["shop", "shop: web"]),
    deployment_id=st.sampled_from(["d1", "d2", "d:3"]),
    source=st.just("ci"),
    external_id=st.just("1"),
    at=st.sampled_from([START - 90 * number for number in range(12)] + [START + 30]),
    status=st.sampled_from(["succeeded", "failed"]),
    environment=st.sampled_from(["production", "production", "staging"]),
    version=st.sampled_from(["", "7"]),
)


def _model() -> RemediationModel:
    catalog = Catalog.parse(
        {"service": [{"name": "shop*", "team": "unassigned", "depends_on": ["orders-db", "shop"]}]}, "catalog"
    )
    limits = SharedDependency(least=2, least_with_own=1, close_below=1)
    return RemediationModel(RemediationConfig(dependencies=catalog.dependencies, shared_dependency=limits))


CASES = [ModelCase("remediation", _model, problems | verdicts | results | of_dependents | grouped | ended)]
