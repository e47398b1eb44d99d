"""Which environment the name of one means: the many spellings of production are one, any other name stays as it is.

Delivery metrics count production only, so a name is taken for it when nothing in it speaks against that; whoever means
production by another name says so to the metrics (`environments` in `config/dora.toml`).
"""

import re

from vigia.events.base import DEFAULT_ENVIRONMENT
from vigia.events.names import MAX_NAME, name_problem

LABELS = (
    "environment",
    "env",
    "deployment_environment_name",
    "deployment_environment",
    "deployment.environment.name",
    "deployment.environment",
    "stage",
)
"""The labels that may name the environment, OpenTelemetry's among them, with dots and with underscores; the
first that is there counts."""

PRODUCTION = ("production", "prod", "prd")
"""Words of which one must be the first or the last of the name."""

DOUBTS = (
    *("pre", "non", "not", "no", "like", "copy", "clone", "mirror", "shadow", "replica", "mock", "old", "backup"),
    *("dr", "standby", "test", "tests", "testing", "tst", "dev", "develop", "development", "stage", "staging", "stg"),
    *("qa", "uat", "acceptance", "int", "integration", "demo", "preview", "review", "sandbox", "perf", "load", "rc"),
    *("candidate", "alpha", "beta", "training", "local"),
)
"""Words beside which it is not certain, or is certainly another environment."""

_WORDS = re.compile(r"[^\W_]+")
_SPACED_DASH = re.compile(r"\s+[-\u2013\u2014]\s+")


def environment_of(name: str) -> str:
    """Return the environment that `name` means: `production` for a spelling of it, else the name itself.

    Words are runs of letters and digits, in any case. What follows a dash between spaces says which project it is of.

    >>> [environment_of(name) for name in ("Prod", "production-eu", "eu/prod", "Production \u2013 test-app")]
    ['production', 'production', 'production', 'production']
    >>> [environment_of(name) for name in ("pre-production", "prod-copy", "prod1", "product", "Preview \u2013 prod")]
    ['pre-production', 'prod-copy', 'prod1', 'product', 'Preview \u2013 prod']
    """
    if len(name) > MAX_NAME or name_problem(name):
        return name  # for whoever takes it to refuse
    words = _WORDS.findall(_SPACED_DASH.split(name, maxsplit=1)[0].lower())
    if words and (words[0] in PRODUCTION or words[-1] in PRODUCTION) and not set(words) & set(DOUBTS):
        return DEFAULT_ENVIRONMENT
    return name
