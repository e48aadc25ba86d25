#!/usr/bin/env python3
"""What a start in the painting's colours saves: evaluations until the loss that the start from the photo has after 40 and after
150 iterations.

    benches/matched.py [IMPASTO] [--size 256] [--iterations 300]

Five pairs of examples/, one scale, everything else as it is by default. IMPASTO is the program, by default
target/release/impasto. Prints a table; `-` is a loss that was not reached. The numbers are evaluations, so they do not depend on
the machine's speed.
"""

import argparse
import json
import os
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAIRS = [
    ("astronaut.png", "night_cafe.webp"),
    ("chelsea.png", "harvest_at_la_crau.webp"),
    ("coffee.png", "cafe_terrace.webp"),
    ("mountains.jpg", "langlois_bridge.webp"),
    ("rocket.jpg", "church_at_auvers.webp"),
]
AFTER = (40, 150)


def losses(arguments, pair, start, iterations, folder):
    """[(evaluations, loss)] of each iteration."""
    content, style = pair
    log = folder / "log.jsonl"
    subprocess.run(
        [
            arguments.impasto, "transfer", ROOT / "examples/content" / content, ROOT / "examples/style" / style,
            "-o", folder / "out.png", "--size", str(arguments.size), "--scales", "1",
            "--iterations", str(iterations), "--init", start, "--log", log, "--quiet",
        ],
        check=True,
        env={**os.environ, "XDG_CONFIG_HOME": str(folder)},  # nobody's settings
    )
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    log.unlink()
    return [(line["evaluations"], line["loss"]) for line in lines]


def until(run, loss):
    """Evaluations until a run is no higher than `loss`; none if it never is."""
    return next((evaluations for evaluations, reached in run if reached <= loss), None)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("impasto", nargs="?", default=ROOT / "target/release/impasto")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--iterations", type=int, default=300, help="the most that the start in the painting's colours is given")
    arguments = parser.parse_args()

    print("| photo, painting | loss after | is | content | matched | saved |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for content, style in PAIRS:
            plain = losses(arguments, (content, style), "content", max(AFTER), folder)
            matched = losses(arguments, (content, style), "matched", arguments.iterations, folder)
            for after in AFTER:
                evaluations, loss = plain[min(after, len(plain)) - 1]
                needed = until(matched, loss)
                saved = f"{1 - needed / evaluations:.0%}" if needed else "-"
                names = f"{pathlib.Path(content).stem}, {pathlib.Path(style).stem}"
                print(f"| {names} | {after} | {loss:.4g} | {evaluations} | {needed or '-'} | {saved} |", flush=True)


if __name__ == "__main__":
    main()
