#!/usr/bin/env python3
"""The mutation score: is there a property test for every sign, bound and factor?

    tests/mutants.py [CRATE...]     lbfgs autodiff proptest style tensor; without one, all of them in turn
    tests/mutants.py --table        the table of what was found before

A mutant is our code with one thing changed: a + for a -, a < for a <=, a result that is always 0. At least one test should fail. cargo-mutants
makes the list of them (.cargo/mutants.toml says of what files, and which mutants are left out, and why). It would compile and test each by
itself, some seconds for each of thousands. Here all mutants of a crate are compiled at once: a function becomes

    fn f(a: f64, b: f64) -> f64 {
        match crate::mutant::on() {
            17 => return { a + b },
            18 => return { 0.0 },
            _ => {}
        }
        a - b
    }

and IMPASTO_MUTANT=17 chooses one when a test is run; a `const fn` becomes an `fn`, unless a constant needs it. What cannot be written so, constants
and functions that return an iterator of any type, is compiled one by one. A mutant that does not compile is none. Tests are those of the mutant's own
module first, then all unit tests of the crate, then its property tests in tests/; tests against recorded bytes and broken files are left out, so that a
mutant counts as caught only where a property failed.

    --shard K/N         every N-th mutant, from the K-th on
    --only WORD         mutants whose name, PATH:LINE:COLUMN: WHAT, has this in it
    --missed            those that were missed before
    --untried           those that have no result yet: goes on where a run was stopped; with --missed, both
                        With one of these, what was found of the others before stays in the table.
    --out DIRECTORY     target/mutants: a copy of the sources, what is compiled, and the results, CRATE.json

It needs Python 3.11 and cargo-mutants: cargo install --locked cargo-mutants
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import tomllib
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / ".cargo/mutants.toml"
# The program of each crate's tests, and the modules of it that state properties of what is changed; all of them if none is named.
CRATES = {
    "lbfgs": ("minimise", []),
    "autodiff": ("tests", ["gradients", "checker", "chain_gradient", "guides", "discrepancy", "engine"]),
    "proptest": ("tests", []),
    "style": ("tests", ["colours", "regions", "objective"]),
    "tensor": ("tests", ["plain_conv", "plain_gemm", "plain_pad", "plain_pool", "plain_reduce", "engine_gram", "square_root"]),
}
SKIPPED = ["--skip", "golden", "--skip", "hostile", "--skip", "adam"]
# Tests that take longest: on what the others let pass.
SLOW = ["a_run_is_its_steps", "every_standard_problem", "engine::"]
# The same cases each time; none remembered from one mutant to the next, none made smaller.
ENVIRONMENT = {
    "PROPTEST_RNG_SEED": "1",
    "IMPASTO_PROPTEST_SEED": "1",
    "PROPTEST_DISABLE_FAILURE_PERSISTENCE": "true",
    "PROPTEST_MAX_SHRINK_ITERS": "0",
}
SWITCH = """
/// The mutant that is switched on.
#[doc(hidden)]
pub mod mutant {
    /// Its number.
    pub fn on() -> u32 {
        static ON: std::sync::LazyLock<u32> = std::sync::LazyLock::new(|| {
            std::env::var("IMPASTO_MUTANT").ok().and_then(|number| number.parse().ok()).unwrap_or(0)
        });
        *ON
    }
}
"""
# Seconds of a test run that is taken to be endless, at least.
ENDLESS = 30
# What libtest says of a test that failed.
FAILED = re.compile(r"test (\S+)(?: - should panic)? \.\.\. FAILED")
# So many tests that caught the mutants before are tried first.
LAST = 4


def run_cargo(arguments, **options):
    environment = {name: value for name, value in os.environ.items() if name != "CARGO_INCREMENTAL"}
    return subprocess.run(["cargo", *arguments], env=environment, text=True, stdout=subprocess.PIPE, **options)


def mutants_of(crate, out):
    """The mutants of a crate as cargo-mutants lists them, and how many were left out."""
    plain = tomllib.loads(CONFIG.read_text())
    everything = out / "everything.toml"
    everything.write_text("examine_globs = " + json.dumps(plain["examine_globs"]) + "\n")
    asked = ["mutants", "--list", "--json", "--package", f"impasto-{crate}", "--config", str(everything)]
    found = run_cargo(asked, cwd=ROOT, check=True)
    mutants = [one for one in json.loads(found.stdout) if one["package"] == f"impasto-{crate}"]
    # cargo-mutants itself would list fields that are left out of a structure, whatever its configuration says.
    same = re.compile("|".join(plain["exclude_re"]))
    listed = [one for one in mutants if not same.search(one["name"])]
    return listed, len(mutants) - len(listed)


# Source text.

TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|b?r(?P<hashes>\#*)".*?"(?P=hashes)|b?"(?:\\.|[^"\\])*"|b?'(?:\\[^']+|[^'\\])'|[{}]""", re.DOTALL
)


def body_of(text, start, end):
    """Where the body of the function in text[start:end] begins, after its brace; it ends at end - 1."""
    opened = []
    for token in TOKEN.finditer(text, start, end):
        if token[0] == "{":
            opened.append(token.end())
        elif token[0] == "}":
            begin = opened.pop()
            if token.end() == end:
                return begin
    raise ValueError(f"no body in {text[start:end]!r}")


class Source:
    """A file of the crate, and its mutants."""

    def __init__(self, path, mutants):
        self.path = path
        self.text = (ROOT / path).read_text()
        lines = self.text.splitlines(keepends=True)
        self.starts = [0]
        for line in lines:
            self.starts.append(self.starts[-1] + len(line))
        self.together, self.alone = defaultdict(list), []
        for mutant in mutants:
            function = mutant["function"]
            span = function and self.span(function)
            if span and not re.search(r"\bconst unsafe fn\b|->[^{]*\bimpl\b", self.text[span[0] : self.body(span)]):
                self.together[span].append(mutant)
            else:
                self.alone.append(mutant)

    def span(self, of):
        place = lambda at: self.starts[at["line"] - 1] + at["column"] - 1
        return place(of["span"]["start"]), place(of["span"]["end"])

    def body(self, span):
        return body_of(self.text, *span)

    def changed(self, mutant, start, end):
        """text[start:end] with the mutant's change."""
        first, last = self.span(mutant)
        return f"{self.text[start:first]} {mutant['replacement']} {self.text[last:end]}"

    def leave_const(self, name):
        """What is changed in functions of this name is tried alone."""
        for span in list(self.together):
            if re.search(rf"\bconst fn {name}\b", self.text[span[0] : self.body(span)]):
                self.alone += self.together.pop(span)

    def with_all(self, out_of):
        """The text with all mutants but those of `out_of`, and the mutant of each line."""
        pieces, at = [], 0
        for span in sorted(self.together):
            body = self.body(span)
            mutants = [one for one in self.together[span] if one["number"] not in out_of]
            if not mutants:
                continue
            pieces.append((self.text[at:body], None))
            pieces.append(("\nmatch crate::mutant::on() {\n", None))
            for one in mutants:
                arm = f"{one['number']} => return {{{self.changed(one, body, span[1] - 1)}\n}},\n"
                pieces.append((arm, one["number"]))
            pieces.append(("_ => {}\n}\n", None))
            at = body
        pieces.append((self.text[at:], None))
        owners, line = {}, 1
        for piece, number in pieces:
            for _ in range(piece.count("\n")):
                if number is not None:
                    owners[line] = number
                line += 1
        # Inlined everywhere, each copy of a function would bring all copies of those that it calls.
        return "".join(piece for piece, _ in pieces).replace("#[inline(always)]", "#[inline(never)]"), owners


def without_const(text, but):
    """The text with `fn` for `const fn`, but for functions of those names: a constant function cannot ask which mutant is on."""
    return re.sub(r"\bconst fn (\w+)", lambda found: found[0] if found[1] in but else f"fn {found[1]}", text)


# What the compiler calls a function that a constant needs, E0015.
NEEDED = re.compile(r"cannot call non-const .*`(?:.*::)?(\w+)(?:::<.*>)?` in ")


# Compiling and testing.


class Crate:
    def __init__(self, name, out, mutants):
        self.name, self.out, self.tree = name, out, out / "tree"
        program, modules = CRATES[name]
        self.program, self.modules = program, [f"{module}::" for module in modules]
        for number, mutant in enumerate(mutants, 1):
            mutant["number"] = number
        by_file = defaultdict(list)
        for mutant in mutants:
            by_file[mutant["file"]].append(mutant)
        self.mutants = mutants
        # Programs and tests that caught mutants of a file, the last one first.
        self.caught_by = defaultdict(list)
        self.sources = [Source(path, own) for path, own in by_file.items()]
        self.library = f"crates/{name}/src/lib.rs"

    def copy(self):
        """The sources as they are, with the switch."""
        kept = set()
        self.others = []
        listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True, capture_output=True, check=True)
        for path in filter(lambda path: (ROOT / path).is_file(), listed.stdout.splitlines()):
            kept.add(path)
            if path != self.library:
                write(self.tree / path, (ROOT / path).read_bytes())
                if path.startswith(f"crates/{self.name}/src/") and path.endswith(".rs"):
                    self.others.append(path)
        write(self.tree / self.library, (ROOT / self.library).read_bytes() + SWITCH.encode())
        for found in self.tree.rglob("*.rs"):
            if str(found.relative_to(self.tree)) not in kept:
                found.unlink()

    def build(self):
        """The programs of the unit tests and of those in tests/, and the errors that there were."""
        built = run_cargo(
            ["test", "--no-run", "--locked", "--profile", "mutants", "--message-format", "json", "--package", f"impasto-{self.name}"]
            + ["--target-dir", str(self.out / "target"), "--lib", "--test", self.program],
            cwd=self.tree,
            stderr=subprocess.DEVNULL,
        )
        messages = [json.loads(line) for line in built.stdout.splitlines() if line.startswith("{")]
        errors = [one["message"] for one in messages if one["reason"] == "compiler-message" and one["message"]["level"] == "error"]
        if built.returncode != 0 and not errors:
            sys.exit(f"cargo could not build the tests of {self.name}")
        programs = {one["target"]["name"]: one["executable"] for one in messages if one.get("executable")}
        return [] if errors else [programs[f"impasto_{self.name}"], programs[self.program]], errors

    def compile_all(self):
        """All mutants in one; returns the programs of its tests, and the numbers of what does not compile."""
        broken, constant = set(), set()
        changed = {source.path for source in self.sources}
        while True:
            owners = {}
            for path in set(self.others) - changed:
                write(self.tree / path, without_const((ROOT / path).read_text(), constant).encode())
            for source in self.sources:
                text, owners[source.path] = source.with_all(broken)
                text = without_const(text, constant)
                write(self.tree / source.path, (text + SWITCH * (source.path == self.library)).encode())
            programs, errors = self.build()
            if not errors:
                return programs, broken
            needed = {found[1] for error in errors if (found := NEEDED.search(error["message"]))} - constant
            for source in self.sources:
                for name in needed:
                    source.leave_const(name)
            constant |= needed
            if needed:
                continue
            guilty = set()
            for error in errors:
                for span in error["spans"]:
                    own = owners.get(span["file_name"], {})
                    guilty |= {own[line] for line in range(span["line_start"], span["line_end"] + 1) if line in own}
            if not guilty - broken:
                sys.exit("\n".join(error["rendered"] or "" for error in errors))
            broken |= guilty

    def compile_one(self, source, mutant):
        """One mutant by itself; returns the programs of its tests, or None."""
        for other in self.sources:
            text = other.text if other is not source else source.changed(mutant, 0, len(source.text))
            write(self.tree / other.path, (text + SWITCH * (other.path == self.library)).encode())
        programs, errors = self.build()
        return None if errors else programs

    def run(self, program, number, arguments, limit):
        """The first test that fails, or "" if all pass; None if they do not end. Nothing is run after the first failure."""
        is_named = bool(arguments) and arguments[0] != "--skip"
        modules = self.modules if Path(program).name.startswith(f"{self.program}-") and not is_named else []
        environment = {"PROPTEST_CASES": "64", **os.environ, **ENVIRONMENT, "IMPASTO_MUTANT": str(number)}
        with subprocess.Popen(
            [program, *arguments, *modules, *SKIPPED],
            cwd=self.tree / f"crates/{self.name}",
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as ran:
            late = threading.Event()
            clock = threading.Timer(limit, lambda: (late.set(), ran.kill()))
            clock.start()
            failed = next((found[1] for line in ran.stdout if (found := FAILED.match(line))), "")
            if failed:
                ran.kill()
            code = ran.wait()
            clock.cancel()
        if failed:
            return failed
        # A process that ends by itself has failed as well, though no test of it is named.
        return None if late.is_set() else "" if code == 0 else "the end of the process"

    def time(self, programs):
        """Seconds that the tests of each program take without a mutant."""
        seconds = []
        for program in programs:
            begun = time.monotonic()
            if (failed := self.run(program, 0, [], 3600)) != "":
                sys.exit(f"{program}: {failed or 'a test without end'} fails without a mutant")
            seconds.append(time.monotonic() - begun)
        return seconds

    def outcome(self, programs, seconds, mutant):
        """caught, endless or missed; by the tests that caught others of its file first, then those of its own module, then all."""
        quick = [argument for test in SLOW for argument in ("--skip", test)]
        known = self.caught_by[mutant["file"]]
        stages = [(programs[0], [module_of(mutant["file"])], seconds[0])]
        for some in quick, SLOW:
            stages += [(program, some, second) for program, second in zip(programs, seconds)]
        last = lambda program: ["--exact", *[name for where, name in known if where == program][:LAST]]
        first = [(program, last(program), second) for program, second in zip(programs, seconds)]
        for program, arguments, second in [one for one in first if one[1][1:]] + stages:
            failed = self.run(program, mutant["number"], arguments, max(ENDLESS, 5 * second))
            if failed is None:
                return "endless"
            if failed:
                self.caught_by[mutant["file"]] = [(program, failed), *(one for one in known if one != (program, failed))]
                return "caught"
        return "missed"

    def test(self, keep):
        """`keep`s the outcome of every mutant."""
        self.copy()
        programs, broken = self.compile_all()
        together = [one for source in self.sources for own in source.together.values() for one in own]
        seconds = self.time(programs)
        print(f"{self.name}: {len(together)} mutants, tests of {sum(seconds):.0f} s", file=sys.stderr, flush=True)

        def tried(mutant):
            return "unviable" if mutant["number"] in broken else self.outcome(programs, seconds, mutant)

        with ThreadPoolExecutor(os.cpu_count()) as workers:
            for mutant, outcome in zip(together, workers.map(tried, together)):
                keep(mutant, outcome)
        for path in self.others:
            write(self.tree / path, (ROOT / path).read_bytes())
        for source in self.sources:
            for mutant in source.alone:
                programs = self.compile_one(source, mutant)
                keep(mutant, self.outcome(programs, [ENDLESS / 5] * len(programs), mutant) if programs else "unviable")


def module_of(path):
    """The path of a file's module, which the names of its unit tests begin with."""
    parts = [part for part in Path(path).with_suffix("").parts[3:] if part not in ("mod", "lib")]
    return "".join(f"{part}::" for part in parts)


def write(path, data):
    """Writes what is not there yet, so that nothing is compiled again without need."""
    if not path.exists() or path.read_bytes() != data:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


class Results:
    """What was found of a crate, in a file."""

    def __init__(self, path, listed=None, same=0, fresh=False):
        self.path, self.new = path, 0
        before = json.loads(path.read_text()) if path.exists() and not fresh else {"outcomes": {}}
        self.outcomes = before["outcomes"]
        self.listed, self.same = before.get("listed", 0), before.get("same", 0)
        if listed is not None:
            self.listed, self.same = len(listed), same
            names = {mutant["name"] for mutant in listed}
            self.outcomes = {name: outcome for name, outcome in self.outcomes.items() if name in names}

    def keep(self, mutant, outcome):
        self.outcomes[mutant["name"]] = outcome
        if outcome in ("missed", "endless"):
            print(f"{outcome}: {mutant['name']}", file=sys.stderr, flush=True)
        self.new += 1
        if self.new % 20 == 0:
            self.write()

    def write(self):
        found = {"listed": self.listed, "same": self.same, "outcomes": self.outcomes}
        self.path.write_text(json.dumps(found, indent=1) + "\n")

    def counts(self):
        return Counter(self.outcomes.values()) + Counter(listed=self.listed, same=self.same)

    def missed(self):
        return [name for name, outcome in self.outcomes.items() if outcome == "missed"]


def table(out):
    print("| crate | mutants | the same | tried | do not compile | caught | never end | missed | score |")
    print("|---|---|---|---|---|---|---|---|---|")
    found = {crate: Results(out / f"{crate}.json") for crate in CRATES if (out / f"{crate}.json").exists()}
    for crate, results in found.items():
        row(crate, results.counts())
    row("all", sum((results.counts() for results in found.values()), Counter()))
    missed = [name for results in found.values() for name in results.missed()]
    print("\n" + "\n".join(["Missed:", *missed]) if missed else "\nNone was missed.")


def row(name, counts):
    compiled = counts["caught"] + counts["endless"] + counts["missed"]
    score = 100 * (compiled - counts["missed"]) / max(compiled, 1)
    tried = compiled + counts["unviable"]
    cells = [counts["listed"] + counts["same"], counts["same"], tried]
    cells += [counts[kind] for kind in ("unviable", "caught", "endless", "missed")]
    print(f"| {name} | {' | '.join(map(str, cells))} | {score:.1f} % |")


def main():
    parser = argparse.ArgumentParser(usage="tests/mutants.py [CRATE...] [--shard K/N] [--only WORD] [--missed] [--untried] [--table] [--out DIRECTORY]")
    parser.add_argument("crates", nargs="*")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--shard")
    parser.add_argument("--only", default="")
    parser.add_argument("--missed", action="store_true")
    parser.add_argument("--untried", action="store_true")
    parser.add_argument("--out", type=Path, default=ROOT / "target/mutants")
    chosen = parser.parse_args()
    if unknown := [crate for crate in chosen.crates if crate not in CRATES]:
        parser.error(f"{unknown[0]} is none of {', '.join(CRATES)}")
    out = chosen.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    if not chosen.table and not shutil.which("cargo-mutants"):
        sys.exit("cargo-mutants is not here: cargo install --locked cargo-mutants")
    for crate in [] if chosen.table else chosen.crates or CRATES:
        listed, same = mutants_of(crate, out)
        every = not (chosen.shard or chosen.only or chosen.missed or chosen.untried)
        results = Results(out / f"{crate}.json", listed, same, fresh=every)
        mutants = [one for one in listed if chosen.only in one["name"]]
        if again := ["missed"] * chosen.missed + [None] * chosen.untried:
            mutants = [one for one in mutants if results.outcomes.get(one["name"]) in again]
        if chosen.shard:
            first, step = map(int, chosen.shard.split("/"))
            mutants = mutants[first::step]
        if mutants:
            Crate(crate, out, mutants).test(results.keep)
        results.write()
    table(out)


if __name__ == "__main__":
    main()
