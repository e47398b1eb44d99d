"""`docs/features.md`, from the catalog of features."""

from scripts.pages.markdown import code, page, table
from vigia.models.risk import context
from vigia.models.risk.catalog import FEATURES

_BOUNDS = (
    f"{context.MAX_SERVICES} services and {context.MAX_AUTHORS} authors, and of each service "
    f"{context.MAX_INCIDENTS} incidents and {context.MAX_IN_FLIGHT} deployments in flight"
)
INTRODUCTION = f"""\
What the risk models read of a deployment. Features of the event come from its `features`; one that it lacks is
combined from those of its commits, provided that every commit has it: a sum over some of them would take the others
for zero. What the scope knows of its own past is bounded ({_BOUNDS}); the least recently used go first. Nothing is
used that was not known when the deployment was scored.

A feature that is not known is never taken for zero. Its columns stand at the mean that the scope has seen, so that
they push the score nowhere, and an indicator tells the model that it was not known: one for all features of Kamei et
al. (the share of them that is not known), and one each for the others."""

SOURCES = """\
Kamei et al. is "A large-scale empirical study of just-in-time quality assurance" (IEEE TSE 2013); its features are
those of a change. Their weights start from other projects, those of all others at zero."""


def features_page() -> str:
    """Return `docs/features.md`."""
    rows = [
        (
            code(feature.name),
            feature.unit,
            feature.definition,
            feature.source,
            {"none": ""}.get(feature.combine, feature.combine),
            feature.when_missing,
        )
        for feature in FEATURES
    ]
    headings = ("feature", "unit", "definition", "source", "over commits", "when missing")
    return page("Features of a deployment", INTRODUCTION, table(headings, rows), SOURCES)
