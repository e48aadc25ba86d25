#!/usr/bin/env python3
"""Pictures an hour: `impasto batch` against a shell loop of `impasto transfer`, and where the difference comes from.

    benches/batch.py [--impasto PROGRAM] [--size 256] [--photos 30] [--styles 2] [--parts]
    benches/batch.py --plan 2000

The photos are cut out of the pictures in examples/, each another part of one, at the size that a camera of 3 megapixels has, as JPEGs. Every way paints the same jobs
and is measured by the clock; the bytes are compared. With --parts also: one at a time in a batch (what sharing alone gives), one a thread in a loop of
`transfer` (what painting several at once alone gives), and, by pictures of one iteration each, what a batch saves of the start of a process, of the
painting's Gram matrices and of reading. --plan N measures what N jobs that are done already cost: the time and the peak of memory of a call that finds
nothing to do, beside one job.

Needs Python 3.10 and Pillow. Leave the machine alone meanwhile.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


def photos(folder, count):
    """Writes photos of 2048 x 1536 pixels, each another cut of an example."""
    from PIL import Image

    folder.mkdir()
    sources = sorted((ROOT / "examples/content").glob("*.*g"))
    for number in range(count):
        picture = Image.open(sources[number % len(sources)]).convert("RGB")
        width, height = picture.size
        cut = number // len(sources) % 5
        box = (cut * width // 16, cut * height // 20, width - cut * width // 20, height - cut * height // 24)
        picture.crop(box).resize((2048, 1536)).save(folder / f"{number:03}.jpg", quality=90)


def timed(arguments, **options):
    begun = time.monotonic()
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    return time.monotonic() - begun


def loop(program, photos, styles, out, options, at_once=1):
    """A shell loop, one process a picture; `at_once` of them at a time, each with its part of the threads."""
    out.mkdir()
    threads = max(1, len(os.sched_getaffinity(0)) // at_once)
    jobs = [(photo, style, out / f"{photo.stem}-{style.stem}.png") for style in styles for photo in photos]
    lines = [
        f"'{program}' transfer '{photo}' '{style}' -o '{to}' --quiet --threads {threads} {options}" for photo, style, to in jobs
    ]
    script = "\n".join(lines)
    if at_once == 1:
        return timed(["bash", "-ec", script])
    return timed(["xargs", "-d", "\n", "-P", str(at_once), "-I{}", "bash", "-c", "{}"], input=script.encode())


def batch(program, folder, styles, out, options, jobs=None):
    more = [] if jobs is None else ["--jobs", str(jobs)]
    return timed(
        [program, "batch", "--content", folder, "--style", *styles, "-o", f"{out}/{{content}}-{{style}}.png", "--quiet"]
        + more
        + options.split()
    )


def same(one, other):
    names = sorted(path.name for path in one.glob("*.png"))
    assert names == sorted(path.name for path in other.glob("*.png")) and names, "other pictures"
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in names)


def compare(given):
    work = pathlib.Path(tempfile.mkdtemp(prefix="batch-bench-"))
    try:
        photos(work / "photos", given.photos)
        names = sorted((work / "photos").iterdir())
        styles = sorted((ROOT / "examples/style").glob("*.webp"))[: given.styles]
        options, threads = f"--size {given.size} {given.options}", len(os.sched_getaffinity(0))
        seconds = {}

        def way(name, measure):
            seconds[name] = measure(work / name)
            pictures = given.photos * given.styles
            print(f"{name:24} {seconds[name]:8.1f} s  {pictures / seconds[name] * 3600:8.0f} pictures an hour", flush=True)

        way("loop of transfer", lambda out: loop(given.impasto, names, styles, out, options))
        way("batch", lambda out: batch(given.impasto, work / "photos", styles, out, options))
        if given.parts:
            way("batch --jobs 1", lambda out: batch(given.impasto, work / "photos", styles, out, options, 1))
            if threads > 2:
                way(f"batch --jobs {threads}", lambda out: batch(given.impasto, work / "photos", styles, out, options, threads))
            way(f"loop, {threads} at once", lambda out: loop(given.impasto, names, styles, out, options, threads))
        for name in seconds:
            assert same(work / "loop of transfer", work / name), f"{name}: other bytes"
        print("every picture has the same bytes each way")
        for name in list(seconds)[1:]:
            print(f"loop of transfer / {name}: {seconds['loop of transfer'] / seconds[name]:.3f}")
        if given.parts:
            saved(given, work, names)
    finally:
        shutil.rmtree(work)


def saved(given, work, names):
    """Seconds of a picture of one iteration that a batch saves, one at a time, and of what. Each is the difference of two ways."""
    from PIL import Image

    names = names[:12]
    count, options = len(names), f"--size {given.size} {given.options} --iterations 1"
    # Small photos leave nothing to be read; with paintings that are all different, nothing of their targets is shared.
    small, paintings = work / "small", work / "paintings"
    small.mkdir()
    paintings.mkdir()
    source = Image.open(ROOT / "examples/style/cafe_terrace.webp").convert("RGB")
    for number, name in enumerate(names):
        photo = Image.open(name)
        photo.thumbnail((given.size, given.size))
        photo.save(small / name.name, quality=90)
        box = (number, number, source.width - number, source.height - number)
        source.crop(box).resize((1024, 1024)).save(paintings / name.name, quality=90)
    alike = [paintings / names[0].name] * count
    apart = [paintings / name.name for name in names]
    shrunk = [small / name.name for name in names]

    def one_by_one(name, photos):
        return loop(given.impasto, photos, alike[:1], work / name, options) / count

    def together(name, photos, styles):
        rows = work / f"{name}.jsonl"
        row = lambda photo, style: json.dumps({"content": str(photo), "style": str(style), "output": f"{name}/{photo.stem}.png"})
        rows.write_text("\n".join(map(row, photos, styles)))
        return timed([given.impasto, "batch", rows, "--jobs", "1", "--quiet", "--state", work / f"{name}-state", *options.split()]) / count

    alone, in_batch = one_by_one("alone", names), together("together", names, alike)
    read_alone = alone - one_by_one("alone-small", shrunk)
    read = in_batch - together("together-small", shrunk, alike)
    targets = (together("together-apart", names, apart) - in_batch) * (count - 1) / count
    print(f"a picture of one iteration: transfer {alone:.3f} s, in a batch {in_batch:.3f} s; of the {alone - in_batch:.3f} s saved:")
    print(f"    {targets:6.3f} s  the painting's Gram matrices, measured once")
    print(f"    {read_alone - read:6.3f} s  reading ahead (a photo takes {read_alone:.3f} s)")
    print(f"    {alone - in_batch - targets - (read_alone - read):6.3f} s  the start: the process, and the network prepared")


def plan(given):
    """N jobs that are done already, and one of them that is not."""
    work = pathlib.Path(tempfile.mkdtemp(prefix="batch-plan-"))
    try:
        photos(work / "photos", 20)
        styles = sorted((ROOT / "examples/style").glob("*.webp"))[:1]
        rows = []
        for number in range(given.plan):
            rows.append({"content": f"photos/{number % 20:03}.jpg", "style": str(styles[0]), "seed": number, "init": "noise", "output": f"out/{number}.png"})
        quick = "--size 32 --iterations 1 --content-layers conv1_1 --style-layers conv1_1".split()

        def call(count):
            manifest = work / "jobs.jsonl"
            manifest.write_text("".join(json.dumps(row) + "\n" for row in rows[:count]))
            before = time.monotonic()
            process = subprocess.Popen([given.impasto, "batch", manifest, "--state", work / "state", "--quiet", *quick])
            _, status, usage = os.wait4(process.pid, 0)
            assert status == 0, status
            return time.monotonic() - before, usage.ru_maxrss / 1024

        call(given.plan)
        one, all_of_them = call(1), call(given.plan)
        (work / "out/0.png").unlink()
        work_one = call(1)
        (work / "out/0.png").unlink()
        work_all = call(given.plan)
        print(f"nothing to do: 1 job {one[0]:.3f} s, {one[1]:.0f} MiB; {given.plan} jobs {all_of_them[0]:.3f} s, {all_of_them[1]:.0f} MiB")
        print(f"one to paint:  of 1 {work_one[0]:.3f} s, {work_one[1]:.0f} MiB; of {given.plan} {work_all[0]:.3f} s, {work_all[1]:.0f} MiB")
    finally:
        shutil.rmtree(work)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--impasto", default=ROOT / "target/release/impasto")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--photos", type=int, default=30)
    parser.add_argument("--styles", type=int, default=2)
    parser.add_argument("--options", default="", help="more options of transfer, in one word")
    parser.add_argument("--parts", action="store_true")
    parser.add_argument("--plan", type=int)
    given = parser.parse_args()
    plan(given) if given.plan else compare(given)


if __name__ == "__main__":
    sys.exit(main())
