#!/usr/bin/env python3
"""Tests of what benches/quality.sh runs, without PyTorch and without painting: python3 benches/quality_test.py"""

import argparse
import contextlib
import io
import json
import math
import pathlib
import tempfile
import unittest
from unittest import mock

import fronts
import fronts_plot
import quality

# A program that knows one preset, writes its arguments as the picture, counts its pictures, and fails on large ones.
PROGRAM = """#!/bin/sh
case "$*" in
    *--print-scene*) case "$*" in *"--preset default"*) printf '[options]\\ncontent-weight = WEIGHT\\nsize = 512\\n' ;; *) exit 2 ;; esac ;;
    *"--size 1024"*) echo "too large"; exit 1 ;;
    *) echo "$*" >> COUNT; while [ "$1" != -o ]; do shift; done; echo picture > "$2" ;;
esac
"""
FIGURES = {"style": 0.25, "content": 0.8, "grain": 0.9, "border": 1.0}


class Jury:
    """Every picture is as good as every other."""

    def __init__(self, _):
        pass

    def figures(self, *_):
        return FIGURES


def record(pair, column, factor, content, style, seconds=10.0):
    return {
        "name": f"256/{pair}/{column}/{factor:g}", "size": 256, "pair": pair, "column": column, "factor": factor,
        "content": content, "style": style, "grain": 0.9, "border": 1.2, "processor_seconds": seconds,
    }


class Resuming(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.program("0.5")
        patch = mock.patch.object(quality, "Jury", Jury)
        patch.start()
        self.addCleanup(patch.stop)

    def program(self, weight):
        self.impasto = self.folder / "impasto"
        self.impasto.write_text(PROGRAM.replace("WEIGHT", weight).replace("COUNT", str(self.folder / "count")))
        self.impasto.chmod(0o755)

    def work(self, only, threads=2):
        """How many failed, and the commands of the pictures that were painted."""
        count = self.folder / "count"
        count.write_text("")
        arguments = argparse.Namespace(
            folder=self.folder, impasto=self.impasto, only=only, large=None, peers=None, threads=threads,
        )
        with contextlib.redirect_stderr(io.StringIO()):
            failed = quality.work(arguments)
        return failed, count.read_text().splitlines()

    def test_what_is_finished_is_not_painted_again(self):
        only = "^256/chelsea-cafe_terrace/"
        failed, painted = self.work(only)
        self.assertEqual((failed, len(painted)), (0, 5))
        self.assertEqual(self.work(only), (0, []))
        self.assertEqual(self.work(only, threads=1), (0, []))
        found = quality.records(self.folder)
        self.assertEqual(len(found), 5)
        quarter = found["256/chelsea-cafe_terrace/default/0.25"]
        self.assertEqual({key: quarter[key] for key in FIGURES}, FIGURES)
        self.assertEqual(quarter["options"], {"content-weight": 0.125, "size": 256})
        self.assertIn("examples/content/chelsea.png", quarter["command"])

    def test_more_is_painted_when_more_is_asked_for(self):
        self.work("^256/chelsea-cafe_terrace/default/1$")
        self.assertEqual(len(self.work("^256/chelsea-cafe_terrace/")[1]), 4)

    def test_a_picture_is_painted_again_when_the_preset_has_changed(self):
        only = "^256/chelsea-cafe_terrace/default/1$"
        self.work(only)
        self.program("0.25")
        self.assertEqual(len(self.work(only)[1]), 1)
        self.assertEqual(self.work(only), (0, []))
        self.assertEqual(quality.records(self.folder)["256/chelsea-cafe_terrace/default/1"]["options"]["content-weight"], 0.25)

    def test_a_picture_that_is_lost_is_painted_again(self):
        only = "^256/chelsea-cafe_terrace/default/1$"
        self.work(only)
        next(self.folder.glob("pictures/**/*.png")).unlink()
        self.assertEqual(len(self.work(only)[1]), 1)

    def test_a_command_that_fails_is_counted_and_has_no_record(self):
        failed, painted = self.work("^1024/.*/1$")
        self.assertEqual((failed, painted), (2, []))
        self.assertEqual(quality.records(self.folder), {})

    def test_a_line_that_a_stop_has_cut_short_is_no_record(self):
        quality.append(self.folder, {"name": "a", "style": 1})
        with open(self.folder / "results.jsonl", "a") as file:
            file.write('{"name": "b", "sty')
        quality.append(self.folder, {"name": "c", "style": 3})
        quality.append(self.folder, {"name": "a", "style": 2})
        self.assertEqual(quality.records(self.folder), {"a": {"name": "a", "style": 2}, "c": {"name": "c", "style": 3}})
        self.assertEqual(len((self.folder / "results.jsonl").read_text().splitlines()), 4)


class Jobs(unittest.TestCase):
    def test_names_and_pictures_are_of_one_job_each(self):
        jobs = quality.all_jobs()
        self.assertEqual(len({job.name for job in jobs}), len(jobs))
        self.assertEqual(len({job.picture(pathlib.Path("f")) for job in jobs}), len(jobs))
        points = [job for job in jobs if job.column == "default" and job.factor == 1]
        self.assertEqual([sum(job.size == size for job in points) for size in (256, 512, 1024)], [8, 8, 2])

    def test_larger_pictures_take_the_place_of_the_examples_at_1024(self):
        pair = (pathlib.Path("/far/brook.jpg"), pathlib.Path("/far/tree.jpg"))
        jobs = [job.name for job in quality.all_jobs([pair]) if job.size == 1024]
        self.assertEqual(len(jobs), len(quality.OURS) * len(quality.OUR_FACTORS))
        self.assertIn("1024/brook-tree/default/16", jobs)

    def test_commands_are_written_down_without_this_machines_folders(self):
        job = next(job for job in quality.all_jobs() if job.column == "peer:crowsonkb")
        written = quality.shown(quality.peer_command(job, pathlib.Path("/far/away"))[0], pathlib.Path("/far/away"))
        self.assertEqual(written[:4], [
            "python", "benches/peer_crowsonkb.py", "PEERS/style-transfer-pytorch", "examples/content/chelsea.png",
        ])
        json.dumps(written)


class Fronts(unittest.TestCase):
    def test_style_is_interpolated_in_logarithms_and_not_beyond(self):
        front = [(0.8, 0.1), (0.6, 0.4), (0.9, 0.05)]
        self.assertAlmostEqual(fronts.style_at(front, 0.7), 0.2)
        self.assertAlmostEqual(fronts.style_at(front, 0.8), 0.1)
        self.assertAlmostEqual(fronts.style_at(front, 0.9), 0.05)
        self.assertIsNone(fronts.style_at(front, 0.59))
        self.assertIsNone(fronts.style_at(front, 0.91))
        self.assertIsNone(fronts.style_at([(0.5, 0.5)], 0.5))
        self.assertEqual(fronts.style_at([(0.5, 0.4), (0.5, 0.3)], 0.5), 0.3)

    def test_the_ratio_is_the_geometric_mean_of_what_is_within_the_base(self):
        base = [(0.6, 0.4), (0.8, 0.1)]
        self.assertEqual(fronts.ratio(base, [(0.9, 1.0)]), (None, 0))
        ratio, count = fronts.ratio(base, [(0.7, 0.4), (0.6, 0.2), (0.9, 1.0)])
        self.assertAlmostEqual(ratio, math.sqrt(0.5 * 2.0))
        self.assertEqual(count, 2)

    def size(self):
        seen, new = "chelsea-cafe_terrace", "mountains-night_cafe"
        records = [record(pair, "default", factor, 0.7 - 0.1 * at, 0.2 * 2**at)
                   for pair in (seen, new) for at, factor in ((-1, 0.25), (0, 1), (1, 4))]
        records += [record(seen, "0.1", 1, 0.7, 0.25, 20.0), record(new, "0.1", 1, 0.7, 0.16, 5.0)]
        return fronts.Size(records, "default")

    def test_the_tables_say_who_is_nearer_and_who_is_faster(self):
        size = self.size()
        self.assertEqual(size.columns, ["default", "0.1"])
        self.assertIn("| 0.1 | 0.80 (1) | 1.25 (1) | 1 of 1 | 0 of 1 | 1.00 |", fronts.table_of_fronts(size))
        self.assertIn("| chelsea-cafe_terrace | 0.200 0.700 0.90 1.20 | 0.250 0.700 0.90 1.20 |", fronts.table_of_points(size))
        self.assertIn("| 0.1 | 0.90 (0.90 to 0.90) | 2 of 2 | 1.20 (1.20 to 1.20) | 0 of 2 | 5.0 to 20.0 |", fronts.table_of_surfaces(size))

    def test_the_plot_has_every_picture(self):
        size = self.size()
        plot = fronts_plot.svg(size.pairs, {column: size.of[column] for column in size.columns})
        self.assertEqual(plot.count('r="4"') - len(size.columns), 4)
        self.assertEqual(plot.count('r="2"'), 4)


if __name__ == "__main__":
    unittest.main()
