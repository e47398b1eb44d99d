"""What the pipeline that runs us says of itself in its environment: GitHub Actions, GitLab CI, or nothing."""

from collections.abc import Mapping
from typing import NamedTuple

from vigia.events.names import MAX_NAME


class Origin(NamedTuple):
    """`source` is the tool and place that an event comes from, `run` the pipeline's own id (empty outside of one),
    `runs` the names by which what came of the pipeline finds what it deployed.
    """

    source: str
    run: str
    runs: tuple[str, ...]

    def external_id(self, commit: str, service: str, environment: str) -> str:
        """Return the id of a deployment of `service`: the same in all jobs of a pipeline, and when one is tried again.

        One pipeline may deploy several services, each to several environments. Outside of a pipeline the commit takes
        its place: the same commit sent again is the same deployment.
        """
        return f"{self.run or commit[:12]}-{service}-{environment}"


OUTSIDE = Origin("vigia-emit", "", ())


def origin(environ: Mapping[str, str]) -> Origin:
    """Return where we run.

    >>> github = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "shop/till", "GITHUB_RUN_ID": "7"}
    >>> origin(github).runs
    ('https://github.com/shop/till/actions/runs/7',)
    >>> origin({})
    Origin(source='vigia-emit', run='', runs=())
    """
    server, repository, run = (environ.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID"))
    if server and repository and run:
        # as GitHub's webhooks name repository and run, so that what they tell of the run is told of the deployment
        source = f"{server}/{repository}"
        return _named(source, run, f"{source}/actions/runs/{run}")
    project, pipeline = environ.get("CI_PROJECT_URL", ""), environ.get("CI_PIPELINE_ID", "")
    if project and pipeline:
        return _named(project, pipeline, environ.get("CI_PIPELINE_URL", ""))
    return OUTSIDE


def _named(source: str, run: str, name: str) -> Origin:
    return Origin(source, run, (name,) if 0 < len(name) <= MAX_NAME else ())
