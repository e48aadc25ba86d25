#!/usr/bin/env python3
"""Paints and judges what benches/quality.sh asks for, and goes on where it stopped.

Each picture is a job, SIZE/PHOTO-PAINTING/COLUMN/FACTOR, such as 256/chelsea-cafe_terrace/default/0.25: that column's settings
with its own content weight times the factor. FOLDER gets the pictures and results.jsonl, one line a picture: the job, command,
options, seconds (user and system, and on the clock), threads, the machine's load at the start, and the judge's four figures. A
job is done if its last line there has the same command and options as now, and its picture is there. The number of threads is
no part of that: seconds of processors are what is compared.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
BENCHES = ROOT / "benches"

# The pairs of docs/defaults.md, and two that no search for defaults has seen.
SEARCHED = [
    ("chelsea", "cafe_terrace"), ("coffee", "night_cafe"), ("astronaut", "church_at_auvers"),
    ("rocket", "harvest_at_la_crau"), ("astronaut", "langlois_bridge"), ("rocket", "cafe_terrace"),
]
UNSEEN = [("mountains", "night_cafe"), ("chelsea", "langlois_bridge")]
LARGE = [("mountains", "cafe_terrace"), ("coffee", "night_cafe")]

# Columns that are our presets, and the programs that are run beside them: script, folder of the checkout, its content weight.
OURS = ["default", "0.1.1", "0.1", "neural-style", "crowsonkb"]
PEERS = {
    "peer:neural-style-pt": ("peer_neural_style.py", "neural-style-pt", 5.0),
    "peer:crowsonkb": ("peer_crowsonkb.py", "style-transfer-pytorch", 0.015),
}
# What the content weight is multiplied with: first the point, then its front.
OUR_FACTORS, PEER_FACTORS = [1, 0.25, 4, 0.0625, 16], [1, 0.25, 4]


@dataclasses.dataclass(frozen=True)
class Job:
    """One picture: photo and painting are files, and the content weight is the column's own times the factor."""

    size: int
    photo: pathlib.Path
    painting: pathlib.Path
    column: str
    factor: float

    @property
    def pair(self):
        return f"{self.photo.stem}-{self.painting.stem}"

    @property
    def name(self):
        return f"{self.size}/{self.pair}/{self.column}/{self.factor:g}"

    def picture(self, folder):
        """Where the picture is."""
        return folder / "pictures" / str(self.size) / self.pair / f"{self.column.replace(':', '-')}-{self.factor:g}.png"


def example(kind, stem):
    """The file of examples/content or examples/style."""
    return next((ROOT / "examples" / kind).glob(stem + ".*"))


def all_jobs(large=None):
    """Every job, those that say most first: points, then fronts, then the peers. `large` is pairs of files for 1024."""
    files = lambda pairs: [(example("content", photo), example("style", painting)) for photo, painting in pairs]
    searched, unseen = files(SEARCHED), files(UNSEEN)
    ours = [(256, searched + unseen), (512, searched + unseen), (1024, large or files(LARGE))]
    neural, crowsonkb = PEERS
    peers = [
        (256, searched, neural), (256, searched[:2], crowsonkb),
        (512, searched[:2], neural), (512, searched[:2], crowsonkb),
    ]
    jobs = []
    for factors in (OUR_FACTORS[:1], OUR_FACTORS[1:]):
        jobs += [
            Job(size, *pair, column, factor)
            for size, pairs in ours for pair in pairs for factor in factors for column in OURS
        ]
    for factors in (PEER_FACTORS[:1], PEER_FACTORS[1:]):
        jobs += [Job(size, *pair, column, factor) for size, pairs, column in peers for pair in pairs for factor in factors]
    return jobs


def records(folder):
    """{name: the last line} of FOLDER/results.jsonl. A line that a stop has cut short is no record."""
    found, path = {}, folder / "results.jsonl"
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue
        found[record["name"]] = record
    return found


def append(folder, record):
    """A line more, after what is whole: a line that was cut short is ended first."""
    with open(folder / "results.jsonl", "a+b") as file:
        if file.tell() > 0:
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")
        file.write(json.dumps(record).encode() + b"\n")


def is_done(folder, job, record, command, options):
    """Whether a picture is there that the same command with the same options has made."""
    return (
        record is not None and record["command"] == command and record["options"] == options
        and job.picture(folder).exists()
    )


def printed_options(impasto, words):
    """Every option of a transfer with these words, as the program prints them; none if it takes them not."""
    pictures = [example("content", "chelsea"), example("style", "cafe_terrace")]
    command = [impasto, "transfer", *pictures, "--no-config", "--print-scene", *words]
    printed = subprocess.run(command, capture_output=True, text=True)
    return tomllib.loads(printed.stdout)["options"] if printed.returncode == 0 else None


def our_command(job, options):
    """The command of one of our columns, without threads, and what decides its picture."""
    weight = options["content-weight"] * job.factor
    command = [
        "impasto", "transfer", job.photo, job.painting, "--quiet", "--no-config", "--preset", job.column,
        "--size", job.size, "--content-weight", f"{weight:g}",
    ]
    return command, {**options, "size": job.size, "content-weight": weight}


def peer_command(job, peers):
    """The same of a peer's column; that program's options are its own defaults."""
    script, checkout, weight = PEERS[job.column]
    command = [
        "python", BENCHES / script, peers / checkout, job.photo, job.painting,
        "--size", job.size, "--content-weight", f"{weight * job.factor:g}",
    ]
    return command, {}


def shown(command, peers):
    """A command as it is written down: without this machine's folders."""
    places = [(f"{ROOT}/", "")] + ([(f"{peers}/", "PEERS/")] if peers else [])
    words = [str(word) for word in command]
    for place, name in places:
        words = [name + word[len(place):] if word.startswith(place) else word for word in words]
    return words


def measure(command, output):
    """Runs a command in the project's folder, with its output in a file: exit code, user and system seconds, seconds on the clock."""
    start = time.perf_counter()
    with open(output, "wb") as file:
        child = subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode, usage.ru_utime + usage.ru_stime, time.perf_counter() - start


def paint(job, command, arguments):
    """Paints a picture: what was measured, or none if the command failed."""
    picture = job.picture(arguments.folder)
    picture.parent.mkdir(parents=True, exist_ok=True)
    programs = {"impasto": arguments.impasto, "python": sys.executable}
    words = [programs[command[0]], *command[1:], "-o", picture, "--threads", arguments.threads]
    load, output = os.getloadavg()[0], picture.with_suffix(".txt")
    code, processor, clock = measure([str(word) for word in words], output)
    if code != 0:
        print(f"{job.name}: exit code {code}; {output} says why", file=sys.stderr)
        return None
    return {
        "processor_seconds": round(processor, 2), "clock_seconds": round(clock, 2),
        "threads": arguments.threads, "load": round(load, 2),
    }


class Jury:
    """A judge for each photo, painting and size, made when it is first needed; the last one is kept."""

    def __init__(self, threads):
        import judge  # which needs PyTorch
        import torch

        torch.set_num_threads(threads)
        self.judge, self.network, self.key, self.kept = judge, judge.Network(), None, None

    def figures(self, job, folder):
        """The four figures of a job's picture, by name."""
        picture = job.picture(folder)
        key = (job.photo, job.painting, self.judge.load(picture).size)
        if key != self.key:
            self.key, self.kept = key, self.judge.Judge(self.network, *key)
        return self.kept.figures(picture)._asdict()


def work(arguments):
    """Paints and judges every job that is asked for and not done; how many failed."""
    options = {column: printed_options(arguments.impasto, ["--preset", column]) for column in OURS}
    left_out = [column for column, found in options.items() if found is None]
    if left_out:
        print(f"{arguments.impasto} has no preset {', '.join(left_out)}: left out", file=sys.stderr)
    jobs = [job for job in all_jobs(arguments.large) if re.search(arguments.only, job.name) and job.column not in left_out]
    if arguments.peers is None:
        jobs = [job for job in jobs if job.column not in PEERS]
    known, failed, jury = records(arguments.folder), 0, None
    for at, job in enumerate(jobs, 1):
        peer = job.column in PEERS
        command, decides = peer_command(job, arguments.peers) if peer else our_command(job, options[job.column])
        written = shown(command, arguments.peers)
        if is_done(arguments.folder, job, known.get(job.name), written, decides):
            continue
        print(f"{at} of {len(jobs)}: {job.name}", file=sys.stderr, flush=True)
        measured = paint(job, command, arguments)
        if measured is None:
            failed += 1
            continue
        jury = jury or Jury(arguments.threads)
        append(arguments.folder, {
            "name": job.name, "size": job.size, "pair": job.pair, "column": job.column, "factor": job.factor,
            "command": written, "options": decides, **measured, **jury.figures(job, arguments.folder),
        })
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--only", default="", metavar="REGEX", help="only the jobs whose names match, such as '^256/.*/default/'")
    parser.add_argument(
        "--large", type=pathlib.Path, nargs=2, action="append", metavar=("PHOTO", "PAINTING"),
        help="a pair for 1024 in place of those of examples/; may be given again",
    )
    parser.add_argument("--peers", type=pathlib.Path, metavar="FOLDER", help="checkouts of neural-style-pt and style-transfer-pytorch")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--impasto", default=ROOT / "target/release/impasto")
    arguments = parser.parse_args()
    arguments.folder = arguments.folder.resolve()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    arguments.peers = arguments.peers and arguments.peers.resolve()
    arguments.large = [tuple(path.resolve() for path in pair) for pair in arguments.large or []]
    failed = work(arguments)
    if failed:
        sys.exit(f"{failed} failed: run it again for what is missing")


if __name__ == "__main__":
    main()
