"""The deployments model under the laws: few deployments and incidents, told in any order, twice, and by several
scopes.
"""

from hypothesis import strategies as st

from tests.unit.models.laws import START, ModelCase
from vigia.events.deployments import ChangeFeatures, Commit, Deployment
from vigia.events.feedback import (
    AttributionCorrected,
    ChangeMerged,
    DecisionFeedback,
    IncidentOpened,
    IncidentResolved,
    Outcome,
    PipelineRun,
)
from vigia.models.deployments import DeploymentsModel

names = st.sampled_from(["1", "2", "3"])
scopes = st.sampled_from(["shop", "pay: EU", ""])
times = st.sampled_from([0.0, START - 9e7, START - 5.0, START, START + 100.0])
numbers = st.sampled_from([None, 0.0, 1.0, 40.0, 1e300])
features = st.none() | st.builds(
    ChangeFeatures, la=numbers, nf=numbers, age=numbers, code_review_score=numbers, schema_migration=numbers
)
authors = st.sampled_from(["", "ada", "bob"])
commits = st.lists(
    st.builds(Commit, sha=names, committed_at=st.none() | times, features=features, author=authors), max_size=2
)
stages = st.sampled_from([("planned", ""), ("started", ""), ("finished", "succeeded"), ("finished", "failed")])

runs = st.lists(st.sampled_from(["run/1", "run/2"]), max_size=2)

deployments = stages.flatmap(
    lambda stage: st.builds(
        Deployment,
        source=st.just("ci"),
        external_id=names,
        service=st.sampled_from(["web", "till"]),
        scope=scopes,
        stage=st.just(stage[0]),
        status=st.just(stage[1]),
        at=times,
        version=st.sampled_from(["", "7"]),
        environment=st.sampled_from(["production", "history"]),
        commits=commits,
        features=features,
        kind=st.sampled_from(["deployment", "deployment", "rollback"]),
        runs=runs,
        error_budget=st.sampled_from([None, 0.5, -1.0]),
    )
)
outcomes = st.builds(
    Outcome,
    source=st.just("ci"),
    external_id=names,
    scope=scopes,
    service=st.just("web"),
    at=times,
    failed=st.booleans(),
    label=st.sampled_from(["intervention", "ci_status", "defect"]),
)
common = {"source": st.just("pager"), "external_id": names, "scope": scopes, "service": st.just("web"), "at": times}
pipelines = st.builds(
    PipelineRun, status=st.sampled_from(["running", "succeeded", "failed"]), names=runs, **common
) | st.builds(ChangeMerged, names=runs, **common)
incidents = (
    st.builds(IncidentOpened, severity=st.sampled_from(["P0", "P2"]), title=st.sampled_from(["", "Down"]), **common)
    | st.builds(IncidentResolved, **common)
    | st.builds(AttributionCorrected, by=st.just("ada"), deployment=st.none() | st.just(("ci", "1")), **common)
)
judgements = st.builds(
    DecisionFeedback,
    agent=st.just("bot"),
    decision_id=names,
    judgement=st.just("correct"),
    judge=st.just("person"),
    at=times,
)

CASES = [
    ModelCase("deployments", DeploymentsModel, deployments | outcomes | outcomes | pipelines | incidents | judgements),
    ModelCase(
        "deployments-forgetful",
        lambda: DeploymentsModel("defect", forget_after=60.0),
        deployments | outcomes | pipelines | incidents,
    ),
    ModelCase(
        "deployments-impatient",
        lambda: DeploymentsModel("defect", waiting_times={"intervention": 30.0, "defect": 60.0}),
        deployments | deployments | outcomes,
    ),
]
