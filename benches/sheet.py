#!/usr/bin/env python3
"""A contact sheet of the six pairs, photo, painting and result, from what benches/quality.py has painted; and their commands.

    sheet.py FOLDER -o docs/images/gallery.jpg [--size 512] [--column default] [--width 1200]

Two pairs a row, all pictures of a row as high as each other, a JPEG of quality 85. Prints the commands that make the results, so
that they can stand beside the sheet; whoever has neither FOLDER nor PyTorch paints them so.
"""

import argparse
import pathlib
import sys

from PIL import Image

import quality

ACROSS, GAP, BETWEEN = 2, 4, 20


def group(job, folder):
    """Photo, painting and result."""
    picture = job.picture(folder)
    if not picture.exists():
        sys.exit(f"{picture} is missing: benches/quality.sh {folder} --only '^{job.name}$' paints it.")
    return [Image.open(path).convert("RGB") for path in (job.photo, job.painting, picture)]


def in_row(groups, width):
    """The pictures of some groups, equally high, and where they begin: [(left, picture)] from 0 to `width`."""
    pictures = [picture for group in groups for picture in group]
    gaps = [BETWEEN if at % len(groups[0]) == 0 else GAP for at in range(1, len(pictures))]
    height = (width - sum(gaps)) / sum(picture.width / picture.height for picture in pictures)
    placed, left = [], 0.0
    for picture, gap in zip(pictures, [*gaps, 0]):
        right = left + height * picture.width / picture.height
        size = (round(right) - round(left), round(height))
        placed.append((round(left), picture.resize(size, Image.Resampling.LANCZOS)))
        left = right + gap
    return placed


def sheet(groups, width):
    """All groups, ACROSS of them a row, on white."""
    rows = [in_row(groups[at : at + ACROSS], width) for at in range(0, len(groups), ACROSS)]
    heights = [row[0][1].height for row in rows]
    made = Image.new("RGB", (width, sum(heights) + BETWEEN * (len(rows) - 1)), "white")
    top = 0
    for row, height in zip(rows, heights):
        for left, picture in row:
            made.paste(picture, (left, top))
        top += height + BETWEEN
    return made


def command(job):
    """What paints a job's picture, for a reader."""
    photo, painting = (path.relative_to(quality.ROOT) for path in (job.photo, job.painting))
    preset = "" if job.column == "default" else f" --preset {job.column}"
    size = "" if job.size == 512 else f" --size {job.size}"
    return f"impasto transfer {photo} {painting}{preset}{size} -o {job.pair}.png"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--column", choices=quality.OURS, default="default")
    parser.add_argument("--width", type=int, default=1200)
    arguments = parser.parse_args()
    jobs = [
        quality.Job(arguments.size, quality.example("content", photo), quality.example("style", painting), arguments.column, 1)
        for photo, painting in quality.SEARCHED
    ]
    sheet([group(job, arguments.folder) for job in jobs], arguments.width).save(arguments.output, quality=85)
    print("\n".join(command(job) for job in jobs))
    print(f"python3 benches/sheet.py FOLDER -o {arguments.output} --size {arguments.size} --column {arguments.column}")


if __name__ == "__main__":
    main()
