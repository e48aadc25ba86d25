#!/usr/bin/env python3
"""Tables and plots of what benches/quality.py has painted: style against content, fronts and not points.

    fronts.py FOLDER [--base default]

Prints Markdown and writes FOLDER/fronts-SIZE.svg. The base's style is interpolated, in logarithms, at the content of each picture
of another column; the ratio of the two is the geometric mean over those pictures that lie within the base's front, so below 1
the base is nearer to the painting at the same content. Nothing is extrapolated. Seconds, grain and border are those of the
pictures with the columns' own content weights.
"""

import argparse
import collections
import math
import pathlib

import fronts_plot
import quality

GRAIN_GOAL, BORDER_GOAL = 1.0, (0.9, 1.1)


def style_at(front, content):
    """The style of a front, [(content, style)], at a content: interpolated in log style; none outside the front."""
    front = sorted(front)
    for (content_low, style_low), (content_high, style_high) in zip(front, front[1:]):
        if content_low <= content <= content_high:
            if content_high == content_low:
                return min(style_low, style_high)
            share = (content - content_low) / (content_high - content_low)
            return math.exp((1 - share) * math.log(style_low) + share * math.log(style_high))
    return None


def geometric_mean(values):
    """None of nothing."""
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def ratio(base, other):
    """The base's style over the other's at the other's contents, and of how many of its pictures; none if no content is in both."""
    found = [(style_at(base, content), style) for content, style in other]
    found = [mine / theirs for mine, theirs in found if mine is not None]
    return geometric_mean(found), len(found)


class Size:
    """The records of one size by column and pair."""

    def __init__(self, records, base):
        self.base = base
        self.of = collections.defaultdict(lambda: collections.defaultdict(list))
        for record in records:
            self.of[record["column"]][record["pair"]].append(record)
        order = ["-".join(pair) for pair in quality.SEARCHED + quality.UNSEEN]
        present = {record["pair"] for record in records}
        self.pairs = [pair for pair in order if pair in present] + sorted(present - set(order))
        known = [*quality.OURS, *quality.PEERS]
        self.columns = [column for column in known if column in self.of]

    def point(self, column, pair):
        """The record with the column's own content weight, if it is there."""
        return next((record for record in self.of[column][pair] if record["factor"] == 1), None)

    def points(self, column):
        return [point for pair in self.pairs if (point := self.point(column, pair))]

    def front(self, column, pair):
        return [(record["content"], record["style"]) for record in self.of[column][pair]]

    def ratio(self, column, pair):
        return ratio(self.front(self.base, pair), self.front(column, pair))

    def seconds(self, column):
        """Processor seconds over the base's, on pairs that both have."""
        both = [(self.point(column, pair), self.point(self.base, pair)) for pair in self.pairs]
        return geometric_mean(
            theirs["processor_seconds"] / mine["processor_seconds"] for theirs, mine in both if theirs and mine
        )


def number(value, digits=2):
    return "-" if value is None else f"{value:.{digits}f}"


def of_pairs(ratios):
    """On how many of the pairs that can be compared the base is no higher."""
    known = [value for value in ratios if value is not None]
    return f"{sum(value <= 1 for value in known)} of {len(known)}" if known else "-"


def row(cells):
    return "| " + " | ".join(cells) + " |"


def head(cells):
    return [row(cells), "|" + "---|" * len(cells)]


def table_of_points(size):
    """Each pair's figures in each column."""
    lines = head(["pair: style, content, grain, border", *size.columns])
    for pair in size.pairs:
        cells = []
        for column in size.columns:
            point = size.point(column, pair)
            cells.append(
                f"{point['style']:.3f} {point['content']:.3f} {point['grain']:.2f} {point['border']:.2f}" if point else "-"
            )
        lines.append(row([pair, *cells]))
    return lines


def table_of_fronts(size):
    """The base's style over the others', pair by pair."""
    unseen = ["-".join(pair) for pair in quality.UNSEEN]
    lines = head([f"{size.base} over", *size.pairs, "no higher", "of those not searched", "seconds over its"])
    for column in size.columns:
        if column == size.base:
            continue
        found = {pair: size.ratio(column, pair) for pair in size.pairs}
        cells = [f"{number(value)} ({count})" if count else "-" for value, count in found.values()]
        seen = of_pairs(found[pair][0] for pair in size.pairs if pair not in unseen)
        new = of_pairs(found[pair][0] for pair in size.pairs if pair in unseen)
        lines.append(row([column, *cells, seen, new, number(size.seconds(column))]))
    return lines


def table_of_surfaces(size):
    """Grain, border and seconds of each column: mean, least to most, and how many pictures reach the goal."""
    lines = head(["column", "grain", f"at most {GRAIN_GOAL:g}", "border", f"{BORDER_GOAL[0]:g} to {BORDER_GOAL[1]:g}", "processor seconds"])
    for column in size.columns:
        points = size.points(column)
        if not points:
            continue
        grain, border, seconds = ([point[key] for point in points] for key in ("grain", "border", "processor_seconds"))
        spread = lambda values: f"{sum(values) / len(values):.2f} ({min(values):.2f} to {max(values):.2f})"
        lines.append(row([
            column, spread(grain), f"{sum(value <= GRAIN_GOAL for value in grain)} of {len(grain)}",
            spread(border), f"{sum(BORDER_GOAL[0] <= value <= BORDER_GOAL[1] for value in border)} of {len(border)}",
            f"{min(seconds):.1f} to {max(seconds):.1f}",
        ]))
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--base", default="default", help="the column that the others are compared with")
    arguments = parser.parse_args()
    records = list(quality.records(arguments.folder).values())
    for longest in sorted({record["size"] for record in records}):
        size = Size([record for record in records if record["size"] == longest], arguments.base)
        print(f"## {longest} pixels\n")
        for table in (table_of_points, table_of_fronts, table_of_surfaces):
            head_and_rows = table(size)
            if len(head_and_rows) > 2:
                print("\n".join(head_and_rows), end="\n\n")
        plot = arguments.folder / f"fronts-{longest}.svg"
        plot.write_text(fronts_plot.svg(size.pairs, {
            column: {pair: size.of[column][pair] for pair in size.pairs} for column in size.columns
        }))
        print(f"{plot} shows them.\n")


if __name__ == "__main__":
    main()
