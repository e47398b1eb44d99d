"""The whole screen of the live view: which section gets how many rows at which size of terminal.

At 80x24 everything stands in one column; from 130 columns on there are two. Drawing is a pure function of the picture
and the size.
"""

from rich.layout import Layout
from rich.text import Text

from vigia.cli.run import tables
from vigia.cli.run.accounting import INPUT_TOPICS
from vigia.cli.run.picture import Picture
from vigia.cli.run.tables import duration
from vigia.events import figures

WIDE = 130
TALL = 40

SUMMARY = (
    ("windows closed", figures.WINDOWS_CLOSED),
    ("late samples", figures.LATE_SAMPLES),
    ("scored", figures.DEPLOYMENTS_SCORED),
    ("outcomes learned", figures.OUTCOMES_LEARNED),
    ("problems", figures.PROBLEMS_OPENED),
    ("proposals", figures.PROPOSALS_MADE),
)


def draw(picture: Picture, width: int, height: int) -> Layout:
    """Return the screen for a terminal of this size, which it fills."""
    root = Layout()
    body = Layout()
    root.split_column(
        Layout(_title(picture), size=1),
        Layout(_summary(picture, width), size=1),
        body,
        Layout(_foot(picture), size=1),
    )
    if width >= WIDE:
        _two_columns(body, picture, height - 3)
    else:
        _one_column(body, picture, height - 3)
    return root


def _one_column(body: Layout, picture: Picture, free: int) -> None:
    workers = max(1, len(picture.workers))
    tall = free >= TALL
    topics, few, last = (len(INPUT_TOPICS), 3, max(workers, 4)) if tall else (4, 1, max(workers, 2))
    gap = 1 if tall else 0
    # five headings, one below each section but the last a gap
    deployments = max(1, free - topics - 2 * few - last - 5 - 4 * gap)
    bottom = Layout(size=last + 1)
    bottom.split_row(Layout(tables.workers(picture, workers)), Layout(tables.dead_letters(picture, last)))
    body.split_column(
        Layout(tables.topics(picture, topics), size=topics + 1 + gap),
        Layout(tables.deployments(picture, deployments), size=deployments + 1 + gap),
        Layout(tables.problems(picture, few), size=few + 1 + gap),
        Layout(tables.proposals(picture, few), size=few + 1 + gap),
        bottom,
    )


def _two_columns(body: Layout, picture: Picture, free: int) -> None:
    workers = max(1, len(picture.workers))
    deployments = max(1, free - len(INPUT_TOPICS) - 3)
    # four headings and three gaps; problems, proposals and dead letters share what is left
    each = max(1, (free - workers - 7) // 3)
    left, between, right = Layout(ratio=5), Layout(Text(" "), size=2), Layout(ratio=4)
    left.split_column(
        Layout(tables.topics(picture, len(INPUT_TOPICS)), size=len(INPUT_TOPICS) + 2),
        Layout(tables.deployments(picture, deployments)),
    )
    right.split_column(
        Layout(tables.workers(picture, workers), size=workers + 2),
        Layout(tables.problems(picture, each), size=each + 2),
        Layout(tables.proposals(picture, each), size=each + 2),
        Layout(tables.dead_letters(picture, each)),
    )
    body.split_row(left, between, right)


def _title(picture: Picture) -> Text:
    behind = sum(picture.lags.values())
    rate = sum(picture.rates.values())
    return Text.assemble(
        ("Vigia", "bold cyan"),
        f"  {picture.mode}, run {picture.run_id}, {duration(picture.seconds)}   ",
        (f"{rate:,.0f}", "bold"),
        " events/s in, ",
        (f"{behind:,}", "bold yellow" if behind >= tables.LAG_WORTH_A_LOOK else "bold"),
        " behind",
    )


def _summary(picture: Picture, width: int) -> Text:
    parts = [
        Text.assemble(f"{label} ", (f"{picture.figures.get(figure, 0):,}", "bold"))
        for label, figure in (SUMMARY if width >= 100 else SUMMARY[:1] + SUMMARY[2:])  # noqa: PLR2004 - what fits
    ]
    return Text("  ").join(parts)


def _foot(picture: Picture) -> Text:
    if picture.notice:
        return Text(picture.notice, style="yellow", overflow="ellipsis", no_wrap=True)
    places = "   ".join(f"{name}: {place}" for name, place in picture.places.items())
    return Text(f"{places}   Ctrl-C stops", style="dim", overflow="ellipsis", no_wrap=True)
