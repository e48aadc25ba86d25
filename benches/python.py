#!/usr/bin/env python3
"""What a transfer costs through Python, against the command line: both in turn, at 256 and 512 pixels, the same file both times.

    benches/python.py target/release/impasto

The package must be installed as it is shipped (`pip install crates/python`). The time of Python is that of `transfer` and `save` in a
process that has imported the package; that of the command line is its process from start to end. Ratios are of neighbours in time, so
that a machine that becomes slower or faster counts little.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import impasto

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
PHOTO = EXAMPLES / "content" / "coffee.png"
PAINTING = EXAMPLES / "style" / "night_cafe.webp"


def command_line(program: Path, options: dict[str, int], place: Path) -> float:
    """Seconds of the program."""
    flags = [f"--{name}={value}" for name, value in options.items()]
    begun = time.perf_counter()
    subprocess.run([program, "transfer", PHOTO, PAINTING, "-o", place, "--quiet", *flags], check=True)
    return time.perf_counter() - begun


def python(options: dict[str, int], place: Path) -> float:
    """Seconds of the calls."""
    begun = time.perf_counter()
    impasto.transfer(PHOTO, PAINTING, **options).save(place)  # type: ignore[arg-type]
    return time.perf_counter() - begun


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("program", type=Path, help="the command line program, as it is shipped")
    arguments.add_argument("--pairs", type=int, default=5, help="pairs of runs at each size [5]")
    arguments.add_argument("--iterations", type=int, default=20, help="iterations of a run [20]")
    given = arguments.parse_args()
    print(f"{'size':>5}  {'command line':>12}  {'Python':>9}  {'ratio':>6}  ratios of the pairs")
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder, "python.png"), Path(folder, "command-line.png")
        for size in (256, 512):
            options = {"size": size, "iterations": given.iterations}
            pairs = []
            for pair in range(given.pairs + 1):
                times = command_line(given.program, options, theirs), python(options, ours)
                # The first pair warms caches up.
                pairs += [times] if pair > 0 else []
                if ours.read_bytes() != theirs.read_bytes():
                    raise SystemExit(f"the files differ at {size}")
            ratios = [python / command_line for command_line, python in pairs]
            listed = "  ".join(f"{ratio:.3f}" for ratio in ratios)
            of_each = [statistics.median(column) for column in zip(*pairs)]
            print(f"{size:>5}  {of_each[0]:>10.3f} s  {of_each[1]:>7.3f} s  {statistics.median(ratios):>6.3f}  {listed}")


if __name__ == "__main__":
    main()
