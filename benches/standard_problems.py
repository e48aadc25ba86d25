#!/usr/bin/env python3
"""L-BFGS on the problems of Moré, Garbow and Hillstrom beside SciPy's L-BFGS-B: the table of docs/standard-problems.md.

    standard_problems.py                the table, in Markdown; needs cargo, numpy and scipy, and a quarter of an hour
    standard_problems.py --only 3 6     of some problems
    standard_problems.py --path 6 2     what SciPy evaluates on problem 6 with 2 variables
    standard_problems.py --newton       Newton's method on problem 3

Both start at the same point, keep 10 pairs, take a first step of length 1, search with c1 = 1e-4 (SciPy: 1e-3) and c2 = 0.9, and
are given 20 trials a search and 10,000 evaluations. Neither has a tolerance: they go on as long as they can, and it is looked up afterwards at which
evaluation f first was as low as

    f* + tolerance max(|f*|, min(1, f(start)))

where f* is the lowest known minimum that f came so close to. SciPy's are the problems of crates/python/tests/problems.py, written on their own
in another language: f and |g| at the start and f at the end of the run must agree with ours.
"""

import argparse
import json
import math
import os
import pathlib
import subprocess
import sys

for threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(threads, "1")

import numpy as np
import scipy
from scipy.optimize import minimize

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "crates/python/tests"))
import problems  # noqa: E402

TOLERANCES = (1e-5, 1e-10)
OPTIONS = {"maxcor": 10, "ftol": 0, "gtol": 0, "maxls": 20, "maxfun": 10_000, "maxiter": 10_000}
RESIDUALS = {problem.number: problem.residuals for problem in problems.PROBLEMS}


def ours():
    """The runs of the Rust program, one an object of JSON."""
    command = ["cargo", "run", "--locked", "-q", "-p", "impasto-lbfgs", "--example", "standard_problems"]
    lines = subprocess.run([*command, "--", "--json"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in lines.splitlines()]


def residuals_of(number, n):
    """Those of the linear problems know their matrix, and with it n."""
    if number == 32:
        return problems.linear(problems.full_rank(n, 2 * n))
    if number not in (33, 34):
        return RESIDUALS[number]
    # Of rank 1: by their two factors, as in Rust. A product with the matrix rounds f by more than the tolerance.
    matrix = {33: problems.rank_one, 34: problems.rank_one_with_zeros}[number](n, 2 * n)
    left, right = matrix[:, 1] / 2, np.arange(1.0, n + 1)
    right[[0, -1]] = right[[0, -1]] if number == 33 else 0
    assert np.array_equal(np.outer(left, right), matrix)
    return lambda x: (left * (right @ x) - 1, matrix)


class Objective:
    """f and its gradient; keeps f of every evaluation."""

    def __init__(self, run):
        start = np.array(run["start"])
        self.problem = problems.Problem(run["number"], run["name"], start, residuals_of(run["number"], start.size), ())
        self.losses = []

    def __call__(self, x):
        loss, gradient = self.problem(x)
        self.losses.append(loss)
        return loss, gradient


def require_the_same(run):
    """Two programs that agree to rounding on f and |g| at the start and on f at the end compute the same function."""
    objective = Objective(run)
    loss, gradient = objective(objective.problem.start)
    for what, a, b in [("f", loss, run["start_loss"]), ("|g|", np.linalg.norm(gradient), run["start_gradient"])]:
        if not math.isclose(a, b, rel_tol=1e-6):  # sums of 1,000 terms that cancel
            sys.exit(f"{objective.problem.title}: {what} at the start is {b} in Rust and {a} in Python")
    end = objective(np.array(run["x"]))[0]
    if not math.isclose(end, run["loss"], rel_tol=1e-6, abs_tol=1e-16 * max(1.0, run["start_loss"])):
        sys.exit(f"{objective.problem.title}: f at the end is {run['loss']} in Rust and {end} in Python")


def scipys(run):
    """SciPy's run, with what `reached` and `loss` are in ours."""
    objective = Objective(run)
    result = minimize(objective, objective.problem.start, jac=True, method="L-BFGS-B", options=OPTIONS)
    losses = np.array(objective.losses)
    lowest = np.nanmin(losses)
    worth = min(1.0, run["start_loss"])

    def reached(tolerance):
        for minimum in run["minima"]:
            allowed = tolerance * max(abs(minimum), worth)
            if abs(lowest - minimum) <= allowed:
                return [minimum, int(np.argmax(losses - minimum <= allowed)) + 1]
        return None

    return {"reached": [reached(tolerance) for tolerance in TOLERANCES], "loss": lowest, "message": result.message}


def table(only):
    runs = [run for run in ours() if not only or run["number"] in only]
    pairs = []
    print("| problem | n | f* | ours to 1e-5 | SciPy | ours to 1e-10 | SciPy |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for run in runs:
        require_the_same(run)
        other = scipys(run)
        pairs.append((run, other))
        minima = [reached[0] for reached in run["reached"] + other["reached"] if reached]
        minimum = f"{minima[-1]:.6g}" if minima else ""
        cells = []
        for i in range(len(TOLERANCES)):
            for of in (run, other):
                cells.append(str(of["reached"][i][1]) if of["reached"][i] else f"({of['loss']:.2g})")
        print(f"| {run['number']} {run['name']} | {len(run['start'])} | {minimum} | {' | '.join(cells)} |", flush=True)
    for i, tolerance in enumerate(TOLERANCES):
        both = [(a["reached"][i][1], b["reached"][i][1]) for a, b in pairs if a["reached"][i] and b["reached"][i]]
        fewer, equal = sum(a < b for a, b in both), sum(a == b for a, b in both)
        ratio = math.exp(sum(math.log(a / b) for a, b in both) / len(both))
        alone = sum(bool(a["reached"][i]) and not b["reached"][i] for a, b in pairs)
        scipy_alone = sum(bool(b["reached"][i]) and not a["reached"][i] for a, b in pairs)
        print(f"\nTo {tolerance:g}: both in {len(both)} of {len(pairs)}, ours with fewer evaluations in {fewer}, as many in {equal}, ", end="")
        print(f"more in {len(both) - fewer - equal}; ours / SciPy {ratio:.2f} (geometric mean). Ours alone {alone}, SciPy alone {scipy_alone}.")
    print("\nHow SciPy's runs ended where it did not come to a known minimum:")
    for run, other in pairs:
        if not other["reached"][-1]:
            print(f"- {run['number']}, n = {len(run['start'])}: f = {other['loss']:.6g}, {other['message']}")
    print(f"\nSciPy {scipy.__version__}, NumPy {np.__version__}.")


def path(number, n):
    """Every evaluation of SciPy's run on one problem."""
    (run,) = [run for run in ours() if (run["number"], len(run["start"])) == (number, n)]
    objective = Objective(run)

    def look(x):
        loss, gradient = objective(x)
        print(f"{len(objective.losses):4} {loss:12.6e} |g| {np.linalg.norm(gradient):8.2e} x {x[:3]}")
        return loss, gradient

    print(minimize(look, objective.problem.start, jac=True, method="L-BFGS-B", options=OPTIONS).message)


def newton():
    """Newton's method with exact second derivatives, absolute eigenvalues and halved steps, until f <= 1e-10."""
    x, evaluations = np.array([0.0, 1.0]), 0

    def function(x):
        return problems.Problem(3, "", x, problems.powell_badly_scaled, ())(x)

    for iteration in range(1000):
        loss, gradient = function(x)
        if loss <= 1e-10:
            break
        r, jacobian = problems.powell_badly_scaled(x)
        second = 2 * (jacobian.T @ jacobian + r[0] * 1e4 * np.array([[0, 1], [1, 0]]) + r[1] * np.diag(np.exp(-x)))
        eigenvalues, vectors = np.linalg.eigh(second)
        direction = -vectors @ ((vectors.T @ gradient) / np.abs(eigenvalues))
        step, evaluations = 1.0, evaluations + 1
        while function(x + step * direction)[0] > loss + 1e-4 * step * (gradient @ direction):
            step, evaluations = step / 2, evaluations + 1
        x = x + step * direction
    print(f"{iteration} iterations, {evaluations} evaluations: f = {loss:.3g} at {x}; second derivatives {np.linalg.eigvalsh(second)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", type=int, metavar="PROBLEM")
    parser.add_argument("--path", nargs=2, type=int, metavar=("PROBLEM", "N"))
    parser.add_argument("--newton", action="store_true")
    arguments = parser.parse_args()
    if arguments.path:
        path(*arguments.path)
    elif arguments.newton:
        newton()
    else:
        table(arguments.only)


if __name__ == "__main__":
    main()
