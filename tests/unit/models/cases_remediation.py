"""The remediation model under the laws: few problems, in versions that come late, twice and out of order."""

from hypothesis import strategies as st

from tests.unit.models.laws import START, ModelCase
from vigia.events.problems import Problem
from vigia.events.remediation import ExecutionResult, Verdict
from vigia.models.remediation.model import RemediationConfig, RemediationModel

problems = st.builds(
    Problem,
    problem_id=st.sampled_from(["p1", "p2", "p:3"]),
    service=st.sampled_from(["shop", "shop: web"]),
    detector=st.sampled_from(["high_error_rate", "nobody_knows"]),
    severity=st.sampled_from(["P0", "P3"]),
    status=st.sampled_from(["open", "resolved", "stale"]),
    opened_at=st.just(START),
    at=st.just(START),
    why=st.just("It is broken."),
    series_id=st.just("s"),
    metric=st.just("error_rate"),
    evidence=st.just({"mean": 0.2}),
    version=st.integers(1, 4),
)
verdicts = st.builds(
    Verdict,
    proposal_id=st.sampled_from(["a", "b"]),
    proposal_version=st.integers(1, 2),
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

CASES = [ModelCase("remediation", lambda: RemediationModel(RemediationConfig()), problems | verdicts | results)]
