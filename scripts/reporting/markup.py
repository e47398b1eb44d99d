"""HTML as values. What is no `Markup` is text: it is escaped, and what a reader could not see of it is made visible.

So a name that a sender chose can neither be obeyed by a browser nor turn the text around it.
"""

from collections.abc import Iterable, Sequence
from html import escape

from vigia.cli.delivery.tables import one_line

_VOID = {"meta"}
"""Elements that have no end."""


class Markup(str):
    """Text that is HTML or SVG already."""

    __slots__ = ()


Child = str | None


def element(name: str, /, *children: Child, **attributes: object) -> Markup:
    """Return an element; an attribute `class_` is `class`, `stroke_width` is `stroke-width`, and None is left out.

    >>> element("p", "a < b", class_="note")
    '<p class="note">a &lt; b</p>'
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(_number(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = joined(children)
    return Markup(f"<{name}{written}>" if name in _VOID else f"<{name}{written}>{inside}</{name}>")


def joined(children: Iterable[Child]) -> Markup:
    """Return children one after another."""
    return Markup("".join(text(child) for child in children if child is not None))


def text(value: str) -> Markup:
    r"""Return a text as HTML that shows it, every character that does not print as its escape.

    >>> text("<b>\u202e")
    '&lt;b&gt;\\u202e'
    """
    return value if isinstance(value, Markup) else Markup(escape(one_line(value)))


def table(
    caption: str, heads: Sequence[str], rows: Iterable[Sequence[Child]], *, numbers: Iterable[int] = ()
) -> Markup:
    """Return a table whose first column names the rows; `numbers` are the columns that are aligned to the right."""
    right = set(numbers)

    def cell(place: int, value: Child) -> Markup:
        kind = "number" if place in right else None
        if place == 0:
            return element("th", value, scope="row", class_=kind)
        return element("td", value, class_=kind)

    head = (
        element("th", each, scope="col", class_="number" if place in right else None)
        for place, each in enumerate(heads)
    )
    body = (element("tr", *(cell(place, each) for place, each in enumerate(row))) for row in rows)
    made = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *head)),
        element("tbody", *body),
    )
    # a wide table scrolls by itself, also by keyboard
    return element("div", made, class_="scroll", tabindex=0, role="region", aria_label=caption)


def figure(
    picture: Markup | None, numbers: Markup | None, note: Child = None, *, title: str, empty: str = ""
) -> Markup:
    """Return a picture with its title and the table it is made from; without a picture, `empty` says why."""
    return element(
        "figure",
        element("figcaption", element("h3", title), element("p", note) if note else None),
        picture if picture is not None else element("p", empty, class_="empty"),
        element("details", element("summary", "The numbers"), numbers) if numbers is not None else None,
    )


def _number(value: object) -> str:
    # tenths of a pixel are enough, and the same everywhere
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
