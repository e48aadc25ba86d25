#!/usr/bin/env python3
"""Does a picture look the same at every size? Paints pairs at several sizes, brings all to the smallest, and judges them there.

    benches/sizes.py FOLDER [--sizes 256,512,1024] [--pairs chelsea+cafe_terrace,...] [--only NAME,...]

Each schedule below is a row of options. Its picture at the smallest size is what the others, shrunk to it, are compared with: the
same photo, painting and figures, so any difference is the size's. FOLDER gets the pictures, and results.jsonl, one line a
picture; what is there with the same options is not painted again, and a run that was stopped goes on. Then comes the table: the
figures of the smallest, and those of each other size over them. The same look is within 10 %.

A pair is PHOTO+PAINTING, each the name of a file in examples/ without its ending, or a path. From 1024 on take photos that are
as large. --schedule 'NAME=OPTIONS', as often as you like, adds a row of your own.

It needs Python 3.11 with torch, numpy, pillow and safetensors (judge.py), and the program (IMPASTO, else target/release/impasto).
The seconds are those of user and system.
"""

import argparse
import os
import pathlib
import shlex
import sys

import quality

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAIRS = "chelsea+cafe_terrace,coffee+night_cafe,rocket+harvest_at_la_crau"
SCHEDULES = {
    "default": "",
    "one size": "--scales 1 --iterations 50",
    "25 at each": "--iterations 25",
    "50 at each": "--iterations 50",
    "sqrt 2": "--scale-factor sqrt2 --smallest-scale 128",
    "draft": "--effort draft",
    "best": "--effort best",
}
FIGURES = ("style", "content", "grain", "border")


def file(kind, name):
    """The file of a name in examples/, or of a path."""
    if os.sep in name:
        return pathlib.Path(name).resolve()
    found = sorted((ROOT / "examples" / kind).glob(name + ".*"))
    return found[0] if found else sys.exit(f"examples/{kind} has no {name}.")


def named(schedule, pair, size):
    """The name of a picture in results.jsonl."""
    return f"{size}/{pair}/{schedule}"


def paint(impasto, pair, size, options, picture):
    """Paints a picture; its seconds on the clock and of the processors."""
    photo, painting = pair.split("+")
    command = [impasto, "transfer", file("content", photo), file("style", painting), "-o", picture, "--size", str(size)]
    output = picture.with_suffix(".txt")
    code, processors, clock = quality.measure([*command, "--no-config", "--quiet", *shlex.split(options)], output)
    if code != 0:
        sys.exit(f"{picture}: exit code {code}; {output} says why")
    return {"clock": round(clock, 2), "processors": round(processors, 2)}


def paint_all(arguments, schedules):
    """Every picture that is not there yet, the smallest of all first. One that other options have made is painted again."""
    for size in arguments.sizes:
        for pair in arguments.pairs:
            for name, words in schedules.items():
                options = quality.printed_options(arguments.impasto, ["--size", str(size), *shlex.split(words)])
                record = quality.records(arguments.folder).get(named(name, pair, size))
                picture = path(arguments, name, pair, size)
                if record and record["options"] == options and picture.exists():
                    continue
                taken = paint(arguments.impasto, pair, size, words, picture)
                quality.append(arguments.folder, {"name": named(name, pair, size), "options": options, **taken})
                print(f"{pair} at {size}, {name}: {taken['clock']} s", file=sys.stderr)


def path(arguments, schedule, pair, size):
    """Where a picture is."""
    names = [pathlib.Path(part).stem for part in pair.split("+")]
    return arguments.folder / f"{'-'.join(names)}-{schedule.replace(' ', '_')}-{size}.png"


def table(arguments, schedules):
    """The Markdown table of figures."""
    import judge

    network, smallest = judge.Network(), arguments.sizes[0]
    records = quality.records(arguments.folder)
    yield "| pair | schedule | size | seconds | " + " | ".join(FIGURES) + " |\n|---|---|---|---|" + "---|" * len(FIGURES)
    for pair in arguments.pairs:
        photo, painting = pair.split("+")
        first = judge.load(path(arguments, next(iter(schedules)), pair, smallest))
        judging = judge.Judge(network, file("content", photo), file("style", painting), first.size)
        for name in schedules:
            small = None
            for size in arguments.sizes:
                figures = judging.figures(path(arguments, name, pair, size))
                small = small or figures
                over = [f"{figure / own:.2f}" for figure, own in zip(figures, small)]
                cells = [f"{figure:.3f}" for figure in figures] if size == smallest else over
                yield f"| {pair} | {name} | {size} | {records[named(name, pair, size)]['processors']:.1f} | {' | '.join(cells)} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    listed = lambda text: text.split(",")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--sizes", type=lambda text: sorted(int(size) for size in listed(text)), default=[256, 512, 1024])
    parser.add_argument("--pairs", type=listed, default=listed(PAIRS))
    parser.add_argument("--only", type=listed, help="of the schedules")
    parser.add_argument("--schedule", action="append", default=[], help="NAME=OPTIONS")
    arguments = parser.parse_args()
    arguments.impasto = pathlib.Path(os.environ.get("IMPASTO", ROOT / "target/release/impasto")).resolve()
    arguments.folder = arguments.folder.resolve()
    schedules = SCHEDULES | dict(schedule.split("=", 1) for schedule in arguments.schedule)
    if arguments.only:
        schedules = {name: schedules[name] for name in arguments.only}
    arguments.folder.mkdir(parents=True, exist_ok=True)
    paint_all(arguments, schedules)
    for line in table(arguments, schedules):
        print(line, flush=True)


if __name__ == "__main__":
    main()
