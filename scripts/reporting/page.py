"""The page as one file: it asks nothing of any network, runs no script, and has its style within it.

The same findings give the same bytes. A browser is told to load nothing and to take only this style, so that even a
mistake in the escaping could not make a name that a sender chose do anything.
"""

from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from scripts.reporting import agents, delivery, operation, risk
from scripts.reporting.findings import Findings
from scripts.reporting.markup import Markup, element, joined
from vigia.models.dora.report import DoraReport

_STYLE = Path(__file__).with_name("style.css").read_text(encoding="utf-8")

_PLACES = (
    ("delivery", "Delivery"),
    ("risk", "Deployment risk"),
    ("latency", "Latency"),
    ("ai-agents", "AI agents"),
    ("problems", "Open problems"),
)


def page(found: Findings) -> str:
    """Return the page."""
    title = f"How {_whose(found.delivery)} delivers"
    links = (element("a", words, href=f"#{place}") for place, words in _PLACES)
    body = element(
        "body",
        element("a", "To the figures", href="#main", class_="skip"),
        element(
            "header",
            element("h1", title),
            element("p", f"{found.span.words()}, days in UTC"),
            element("nav", *links, aria_label="Sections"),
        ),
        element(
            "main",
            delivery.section(found),
            risk.section(found.risk),
            operation.latency(found),
            agents.section(found.agents),
            operation.problems(found),
            id="main",
        ),
        element("footer", element("p", _small_print(found))),
    )
    # styles are no text to a browser, so nothing in them is escaped
    style = element("style", Markup(_STYLE))
    digest = b64encode(sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        style,
    )
    return "<!doctype html>\n" + joined([element("html", head, body, lang="en")]) + "\n"


def _whose(report: DoraReport) -> str:
    return "everybody" if report.of == "all" else f"{report.of} {report.name}"


def _small_print(found: Findings) -> str:
    report = found.delivery
    return (
        f"Made {datetime.fromtimestamp(found.now, UTC):%Y-%m-%d %H:%M} UTC by Vigia. Production: "
        f"{', '.join(report.environments)}. An incident without a link is laid to the latest deployment in the "
        f"{report.attribution_window / 3600:g} h before it. Formulas: {report.formula_version}, AI agents "
        f"{found.agents.formula_version}."
    )
