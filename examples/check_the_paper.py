#!/usr/bin/env python3
"""Recomputes the equations of docs/math.md from the numbers of a run, with NumPy alone.

    impasto explain photo.jpg painting.jpg -o report.html --preset paper --size 128 --dump numbers
    python3 examples/check_the_paper.py numbers

Each line of the table is an equation: what it is of, the relative difference between what is computed here and what the run wrote
(arrays in the 2-norm), and whether that is at most 1e-5. The exit code is 1 if one is more. Nothing of impasto is used: the raw
responses F, P and F_s are read, and everything else is computed from them.
"""

import json
import pathlib
import sys

import numpy as np

TOLERANCE = 1e-5
# Of the distance of Gaussians (section 21): what keeps covariances above 0, and the steps of a square root.
EPSILON, STEPS = 1e-4 * 58.0 * 58.0, 12


class Dump:
    """A folder that `impasto explain --dump` wrote."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        try:
            self.manifest = json.loads((self.folder / "manifest.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as problem:
            raise SystemExit(f"{folder} is no folder that `impasto explain --dump` wrote: {problem}") from None
        if self.manifest.get("format") != "impasto-dump":
            raise SystemExit(f"{folder}: this is no dump of impasto")
        if self.manifest.get("unfinished"):
            raise SystemExit(f"{folder}: this dump was not finished")

    def array(self, symbol, layer=None, term=None, painting=None):
        """The array of that symbol and place in double precision; None if there is none."""
        for entry in self.manifest["arrays"]:
            place = (entry.get("layer"), entry.get("term"), entry.get("painting"))
            if entry["symbol"] == symbol and place == (layer, term, painting):
                values = np.load(self.folder / entry["file"])
                assert list(values.shape) == entry["shape"], entry["file"]
                return values.astype(np.float64)
        return None


class Table:
    """The lines so far, and whether all agree."""

    def __init__(self):
        self.failed = 0
        print(f"{'of':<28} {'section':<8} {'equation':<48} {'difference':>10}")

    def line(self, of, section, equation, here, there):
        """Compares what was computed here with what was written there."""
        here, there = np.asarray(here, np.float64), np.asarray(there, np.float64)
        size, difference = np.linalg.norm(there), np.linalg.norm(here - there)
        relative = difference / size if size > 0 else difference
        agrees = here.shape == there.shape and relative <= TOLERANCE
        self.failed += not agrees
        print(f"{of:<28} {section:<8} {equation:<48} {relative:>10.1e}{'' if agrees else '  DIFFERS'}")


def rows(response):
    """H x W x N as the matrix M x N of math.md: positions by filters."""
    return response.reshape(-1, response.shape[-1])


def moments(f, t=None):
    """The mean of F and its Gram matrix over the number of positions, or over what counts of them."""
    t = np.ones(len(f)) if t is None else t.reshape(-1)
    return t @ f / t.sum(), (t[:, None] * f).T @ f / t.sum()


def square_root_and_parts(a):
    """R(A) by Newton-Schulz steps, with Z and P of section 21 and the norm n."""
    n = np.linalg.norm(a)
    identity = np.eye(len(a))
    y, z, p = a / n, identity, identity
    for _ in range(STEPS):
        s = z @ y
        p = 1.5 * p @ (identity - s)
        y, z = 0.5 * y @ (3 * identity - s), 0.5 * (3 * identity - s) @ z
    return np.sqrt(n) * y, z, p, n


def wasserstein(f, t, mu, g, mu_a, a):
    """W_l and dW_l/dF."""
    n = f.shape[1]
    sigma, sigma_a = (m - np.outer(u, u) + EPSILON * np.eye(n) for m, u in ((g, mu), (a, mu_a)))
    h = square_root_and_parts(sigma_a)[0]
    b = h @ sigma @ h
    root, z, p, norm = square_root_and_parts(b)
    value = (np.sum((mu - mu_a) ** 2) + np.trace(sigma + sigma_a - 2 * root)) / n
    unit = b / norm
    q = (0.5 * (z + p) - 0.5 * np.trace(p @ unit) * unit) / np.sqrt(norm)
    transport = 2 * h @ q @ h
    gradient = (f - mu) @ (np.eye(n) - transport) + mu - mu_a
    return value, 2 * t[:, None] / (n * t.sum()) * gradient


def total_variation(x):
    """TV and dTV/dx."""
    down, right = x[1:] - x[:-1], x[:, 1:] - x[:, :-1]
    gradient = np.zeros_like(x)
    gradient[1:] += down
    gradient[:-1] -= down
    gradient[:, 1:] += right
    gradient[:, :-1] -= right
    return 0.5 * (np.sum(down**2) + np.sum(right**2)), gradient


def check_paintings(dump, table):
    """Section 3: A_s = F_s^T F_s / M_s of each painting."""
    for entry in dump.manifest["arrays"]:
        if entry["symbol"] == "A" and "painting" in entry:
            layer, painting = entry["layer"], entry["painting"]
            f = rows(dump.array("F", layer, painting=painting))
            _, a = moments(f, dump.array("t", layer, painting=painting))
            there = dump.array("A", layer, painting=painting)
            table.line(f"{layer}, painting {painting}", "3", "A = F^T F / M", a, there)


def check_term(dump, table, term, f):
    """Sections 2 and 3 for one term: its loss and its gradient alone. Returns dl/dF."""
    name, layer, kind = term["name"], term["layer"], term["kind"]
    shape = f.shape
    f = rows(f)
    t = dump.array("t", layer, name)
    t = np.ones(len(f)) if t is None else t.reshape(-1)
    if kind == "content":
        p = rows(dump.array("P", layer, name))
        loss, gradient = 0.5 * np.sum(t[:, None] * (f - p) ** 2), t[:, None] * (f - p)
        section, of_loss, of_gradient = "2", "L_content = 1/2 sum (F - P)^2", "dL_content/dF = F - P"
    else:
        mu, g = moments(f, t)
        table.line(name, "3", "G = F^T F / M", g, dump.array("G", layer, name))
        parts = [(s["share"], dump.array("A", layer, painting=s["painting"])) for s in term["blend"]]
        a = sum(share * part for share, part in parts)
        table.line(name, "3", "A = sum_s b_s A_s", a, dump.array("A", layer, name))
        n = f.shape[1]
        if kind == "gram":
            loss = np.sum((g - a) ** 2) / (4 * n**2)
            gradient = t[:, None] * (f @ (g - a)) / (n**2 * t.sum())
            section, of_loss = "3", "E_l = 1/(4 N^2) sum (G - A)^2"
            of_gradient = "dE_l/dF = F (G - A) / (N^2 M)"
        else:
            table.line(name, "21", "mu = mean of F", mu, dump.array("mu", layer, name))
            loss, gradient = wasserstein(f, t, mu, g, dump.array("mu_a", layer, name), a)
            section, of_loss, of_gradient = "21", "W_l, distance of Gaussians", "dW_l/dF"
    table.line(name, section, of_loss, loss, term["loss"])
    gradient = gradient.reshape(shape)
    table.line(name, section, of_gradient, gradient, dump.array("dl_dF", layer, name))
    return gradient


def check_layers(dump, table):
    """Sections 2 to 4 at every layer that a loss looks at."""
    terms = [term for term in dump.manifest["terms"] if term["layer"]]
    # The sweep writes from the deepest layer back.
    layers = [entry["layer"] for entry in dump.manifest["arrays"] if entry["symbol"] == "dL_dF"]
    for layer in layers:
        f = dump.array("F", layer)
        own = sum(term["weight"] * check_term(dump, table, term, f) for term in terms if term["layer"] == layer)
        by_f, by_z = dump.array("dL_dF", layer), dump.array("dL_dZ", layer)
        table.line(layer, "4", "dL/dZ = dL/dF where F > 0, else 0", np.where(f > 0, by_f, 0.0), by_z)
        if layer == layers[0]:
            table.line(layer, "5", "at the deepest tap dL/dF = sum of w dl/dF", own, by_f)


def check_sum(dump, table):
    """L, and the weights of its terms."""
    total = 0.0
    for term in dump.manifest["terms"]:
        if term["kind"] == "tv":
            loss, gradient = total_variation(dump.array("x"))
            table.line(term["name"], "9", "TV = 1/2 sum of (x_p - x_q)^2", loss, term["loss"])
            table.line(term["name"], "9", "dTV/dx", gradient, dump.array("dl_dx", term=term["name"]))
        weight = term["alpha"] * term["layer_weight"] * term["scale"] * term["region_share"]
        table.line(term["name"], "3", "weight = alpha w_l scale lambda", weight, term["weight"])
        total += term["weight"] * term["loss"]
    table.line("L", "3", "L = sum of weight times loss", total, dump.manifest["loss"])


def main():
    if len(sys.argv) != 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__.strip())
        return 0 if len(sys.argv) == 2 else 2
    dump, table = Dump(sys.argv[1]), Table()
    check_paintings(dump, table)
    check_layers(dump, table)
    check_sum(dump, table)
    manifest = dump.manifest
    fast = abs(manifest["loss_of_engine"] - manifest["loss"]) / abs(manifest["loss"] or 1.0)
    print(
        f"\nThe fast path in single precision differs from these numbers by {fast:.1e} in L "
        f"and by {manifest['gradient_difference_of_engine']:.1e} in dL/dx."
    )
    print("All agree." if not table.failed else f"{table.failed} differ by more than {TOLERANCE:.0e}.")
    return 1 if table.failed else 0


if __name__ == "__main__":
    sys.exit(main())
