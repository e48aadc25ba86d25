"""A plot of fronts as SVG: style (0 the painting, logarithmic) against content (0 the photo), a panel a pair."""

import math
from xml.sax.saxutils import escape

import quality

# Okabe and Ito's colours, which the colour-blind can tell apart; a column has the same in every plot.
COLOURS = dict(zip(
    [*quality.OURS, *quality.PEERS], ["#D55E00", "#0072B2", "#56B4E9", "#009E73", "#CC79A7", "#E69F00", "#7F7F7F"],
))
ACROSS, PANEL, GAP, LEFT, TOP = 3, (230, 190), (36, 44), 46, 44
STYLES = [0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0]


def text(x, y, words, anchor="start", size=12):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="currentColor">{escape(words)}</text>'


def line(x1, y1, x2, y2):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="currentColor" stroke-opacity="0.15"/>'


class Axes:
    """Where a content and a style are in a panel; the same in all of them."""

    def __init__(self, records):
        contents, styles = ([record[key] for record in records] for key in ("content", "style"))
        self.content = (math.floor(min(contents) * 10) / 10, math.floor(max(contents) * 10 + 1) / 10)
        self.style = (min(styles) * 0.95, max(styles) * 1.05)

    def x(self, content):
        low, high = self.content
        return PANEL[0] * (content - low) / (high - low)

    def y(self, style):
        low, high = map(math.log, self.style)
        return PANEL[1] * (high - math.log(style)) / (high - low)

    def grid(self, left, top):
        """Lines and numbers."""
        low, high = (round(content * 10) for content in self.content)
        parts = [f'<rect x="{left}" y="{top}" width="{PANEL[0]}" height="{PANEL[1]}" fill="none" stroke="currentColor" stroke-opacity="0.4"/>']
        for tenth in range(low, high + 1):
            at = left + self.x(tenth / 10)
            parts += [line(at, top, at, top + PANEL[1]), text(at, top + PANEL[1] + 13, f"{tenth / 10:g}", "middle", 10)]
        for style in STYLES:
            if self.style[0] <= style <= self.style[1]:
                at = top + self.y(style)
                parts += [line(left, at, left + PANEL[0], at), text(left - 4, at + 3, f"{style:g}", "end", 10)]
        return parts


def front(records, axes, colour, left, top):
    """A column's pictures of one pair: a line, and a dot each, large for the column's own content weight."""
    places = [
        (left + axes.x(record["content"]), top + axes.y(record["style"]), record["factor"] == 1)
        for record in sorted(records, key=lambda record: record["content"])
    ]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in places)
    parts = [f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>'] if len(places) > 1 else []
    return parts + [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{4 if own else 2}" fill="{colour}"/>' for x, y, own in places]


def legend(columns):
    """The names of the columns in their colours."""
    parts, left = [], LEFT
    for column in columns:
        parts += [f'<circle cx="{left + 5}" cy="12" r="4" fill="{COLOURS[column]}"/>', text(left + 14, 16, column)]
        left += 34 + 7 * len(column)
    return parts


def svg(pairs, columns):
    """The plot of {column: {pair: records}}."""
    axes = Axes([record for of in columns.values() for records in of.values() for record in records])
    rows = math.ceil(len(pairs) / ACROSS)
    width = LEFT + ACROSS * (PANEL[0] + GAP[0])
    height = TOP + rows * (PANEL[1] + GAP[1])
    parts = legend(columns)
    for at, pair in enumerate(pairs):
        left, top = LEFT + at % ACROSS * (PANEL[0] + GAP[0]), TOP + at // ACROSS * (PANEL[1] + GAP[1])
        parts += [text(left, top - 6, pair.replace("-", ", ")), *axes.grid(left, top)]
        for column, of in columns.items():
            parts += front(of[pair], axes, COLOURS[column], left, top)
    parts.append(text(width - GAP[0], height - 4, "across: content (0 the photo); up: style (0 the painting)", "end", 11))
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        ' style="color-scheme:light dark;color:CanvasText;background:Canvas;max-width:100%;height:auto" font-family="sans-serif">',
        *parts, "</svg>", "",
    ])
