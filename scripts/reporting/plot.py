"""Pictures as SVG, drawn by hand: they take their colours from the page, so that they are light and dark as it is."""

from collections.abc import Callable, Sequence
from math import floor, log10

from scripts.reporting.markup import Markup, element

Scale = Callable[[float], float]

LEFT, RIGHT, TOP, BOTTOM = 62.0, 22.0, 24.0, 40.0
"""Pixels around the plot."""

_STEPS = (1.0, 2.0, 5.0, 10.0)


class Plot:
    """One picture. Values are those of the scales `x` and `y`, which turn them into pixels."""

    def __init__(self, width: float, height: float, x: tuple[float, float], y: tuple[float, float]) -> None:
        self.width, self.height = width, height
        self.left, self.right, self.top, self.bottom = LEFT, width - RIGHT, TOP, height - BOTTOM
        self.x = _linear(*x, self.left, self.right)
        self.y = _linear(*y, self.bottom, self.top)
        self._parts: list[Markup] = []

    def add(self, name: str, *children: str, **attributes: object) -> None:
        """Draw an element whose attributes are pixels."""
        self._parts.append(element(name, *children, **attributes))

    def write(self, x: float, y: float, words: str, *, kind: str = "tick", anchor: str = "middle") -> None:
        """Write words at pixels."""
        self.add("text", words, x=x, y=y, class_=kind, text_anchor=anchor)

    def rows(self, ticks: Sequence[tuple[float, str]]) -> None:
        """Draw a line across the plot at each value, with its words at the left."""
        for value, words in ticks:
            y = self.y(value)
            self.add("line", x1=self.left, x2=self.right, y1=y, y2=y, class_="grid")
            self.write(self.left - 6, y + 4, words, anchor="end")

    def columns(self, ticks: Sequence[tuple[float, str]]) -> None:
        """Write words below the plot at each value."""
        for value, words in ticks:
            self.write(self.x(value), self.bottom + 15, words)

    def ideal(self) -> None:
        """Draw both scales in fifths from 0 to 1, and the line on which a probability is what it says."""
        shares = [(fifth / 5, f"{fifth * 20}%") for fifth in range(6)]
        self.rows(shares)
        self.columns(shares)
        self.line([(0.0, 0.0), (1.0, 1.0)], "ideal")

    def names(self, x: str, y: str = "") -> None:
        """Say what the axes are: `x` below, `y` at the top on the left."""
        self.write((self.left + self.right) / 2, self.height - 5, x, kind="axis")
        if y:
            self.write(4, self.top - 2, y, kind="axis", anchor="start")

    def bar(self, low: float, high: float, begin: float, end: float, kind: str) -> None:
        """Draw a bar from `low` to `high` on the scale of y, and from `begin` to `end` on that of x."""
        width = max(1.0, self.x(end) - self.x(begin) - 1.0)
        self.add("rect", x=self.x(begin), width=width, y=self.y(high), height=self.y(low) - self.y(high), class_=kind)

    def whisker(self, x: float, low: float, high: float) -> None:
        """Draw an interval at `x`, cut where the plot ends."""
        at, begin, end = self.x(x), *(min(self.bottom, max(self.top, self.y(each))) for each in (low, high))
        self.add("line", x1=at, x2=at, y1=begin, y2=end, class_="whisker")
        for y in (begin, end):
            self.add("line", x1=at - 4, x2=at + 4, y1=y, y2=y, class_="whisker")

    def dot(self, x: float, y: float, kind: str = "", title: str = "", radius: float = 4.5) -> None:
        """Draw a point; a browser shows its title to who points at it."""
        self.add("circle", element("title", title), cx=self.x(x), cy=self.y(y), r=radius, class_=f"dot {kind}".strip())

    def line(self, points: Sequence[tuple[float, float]], kind: str) -> None:
        """Draw a line through points."""
        drawn = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)
        self.add("polyline", points=drawn, class_=kind)

    def made(self, label: str) -> Markup:
        """Return the picture; `label` says in words what can be seen."""
        return element("svg", *self._parts, viewBox=f"0 0 {self.width:g} {self.height:g}", role="img", aria_label=label)


def ticks(top: float, most: int = 5) -> list[float]:
    """Return round values from 0 to the first at or above `top`, at most `most` and one.

    >>> ticks(0.23), ticks(7.0)
    ([0.0, 0.05, 0.1, 0.15, 0.2, 0.25], [0.0, 2.0, 4.0, 6.0, 8.0])
    """
    if top <= 0:
        return [0.0, 1.0]
    magnitude = 10.0 ** floor(log10(top / most))
    step = next(each * magnitude for each in _STEPS if top <= most * each * magnitude * (1 + 1e-9))
    count = 1
    while count * step < top * (1 - 1e-9):
        count += 1
    return [round(number * step, 12) for number in range(count + 1)]


def _linear(low: float, high: float, begin: float, end: float) -> Scale:
    width = (high - low) or 1.0
    return lambda value: begin + (value - low) / width * (end - begin)
