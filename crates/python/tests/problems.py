"""The 35 problems of Moré, Garbow and Hillstrom, "Testing unconstrained optimization software", 1981.

Each is a sum of squares, f(x) = sum_i r_i(x)^2, from a standard start. A problem here gives the residuals r and their Jacobian J
(m x n), of which the gradient is 2 J' r. The numbers of problems and the names are the paper's; i and j count from 1 there, as in
the arrays `i` and `j` here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy import exp, sqrt
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Residuals = Callable[[Vector], tuple[Vector, Vector]]


@dataclass(frozen=True)
class Problem:
    """One problem in one dimension."""

    number: int
    name: str
    start: Vector
    residuals: Residuals
    minima: tuple[float, ...]
    """The values of f at the minima that the paper knows; those that are not finite are not listed."""

    @property
    def title(self) -> str:
        return f"{self.number} {self.name}, n = {self.start.size}"

    def __call__(self, x: Vector) -> tuple[float, Vector]:
        with np.errstate(all="ignore"):
            r, jacobian = self.residuals(x)
            return float(r @ r), 2 * (jacobian.T @ r)


def rows(*lines: list[float] | tuple[float, ...]) -> Vector:
    return np.array(lines, dtype=np.float64)


def columns(*each: Vector | float, m: int) -> Vector:
    return np.stack([np.broadcast_to(np.asarray(column, np.float64), (m,)) for column in each], axis=1)


def rosenbrock(x: Vector) -> tuple[Vector, Vector]:
    """Of pairs: the extended one is several."""
    n = x.size
    odd, even = x[0::2], x[1::2]
    r, jacobian = np.empty(n), np.zeros((n, n))
    r[0::2], r[1::2] = 10 * (even - odd**2), 1 - odd
    k = np.arange(0, n, 2)
    jacobian[k, k], jacobian[k, k + 1], jacobian[k + 1, k] = -20 * odd, 10, -1
    return r, jacobian


def freudenstein_roth(x: Vector) -> tuple[Vector, Vector]:
    a, b = x
    r = np.array([-13 + a + ((5 - b) * b - 2) * b, -29 + a + ((b + 1) * b - 14) * b])
    return r, rows([1, 10 * b - 3 * b**2 - 2], [1, 3 * b**2 + 2 * b - 14])


def powell_badly_scaled(x: Vector) -> tuple[Vector, Vector]:
    a, b = x
    r = np.array([1e4 * a * b - 1, exp(-a) + exp(-b) - 1.0001])
    return r, rows([1e4 * b, 1e4 * a], [-exp(-a), -exp(-b)])


def brown_badly_scaled(x: Vector) -> tuple[Vector, Vector]:
    a, b = x
    return np.array([a - 1e6, b - 2e-6, a * b - 2]), rows([1, 0], [0, 1], [b, a])


def beale(x: Vector) -> tuple[Vector, Vector]:
    a, b = x
    i = np.arange(1, 4)
    return np.array([1.5, 2.25, 2.625]) - a * (1 - b**i), columns(b**i - 1, a * i * b ** (i - 1), m=3)


def jennrich_sampson(x: Vector) -> tuple[Vector, Vector]:
    i = np.arange(1, 11)
    a, b = exp(i * x[0]), exp(i * x[1])
    return 2 + 2 * i - (a + b), columns(-i * a, -i * b, m=10)


def helical_valley(x: Vector) -> tuple[Vector, Vector]:
    a, b, c = x
    theta = np.arctan(b / a) / (2 * np.pi) + (0.5 if a < 0 else 0.0)
    radius = np.hypot(a, b)
    turn = 100 / (2 * np.pi * radius**2)
    r = np.array([10 * (c - 10 * theta), 10 * (radius - 1), c])
    return r, rows([turn * b, -turn * a, 10], [10 * a / radius, 10 * b / radius, 0], [0, 0, 1])


def bard(x: Vector) -> tuple[Vector, Vector]:
    y = np.array([0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39])
    u = np.arange(1.0, 16.0)
    v = 16 - u
    w = np.minimum(u, v)
    below = v * x[1] + w * x[2]
    return y - (x[0] + u / below), columns(-1, u * v / below**2, u * w / below**2, m=15)


def gaussian(x: Vector) -> tuple[Vector, Vector]:
    half = [0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521]
    y = np.array([*half, 0.3989, *half[::-1]])
    away = (8 - np.arange(1.0, 16.0)) / 2 - x[2]
    bell = exp(-x[1] * away**2 / 2)
    return x[0] * bell - y, columns(bell, -x[0] * bell * away**2 / 2, x[0] * bell * x[1] * away, m=15)


def meyer(x: Vector) -> tuple[Vector, Vector]:
    y = np.array([34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872])
    below = 45 + 5 * np.arange(1.0, 17.0) + x[2]
    e = exp(x[1] / below)
    return x[0] * e - y, columns(e, x[0] * e / below, -x[0] * e * x[1] / below**2, m=16)


def gulf(x: Vector) -> tuple[Vector, Vector]:
    t = np.arange(1, 100) / 100
    away = 25 + (-50 * np.log(t)) ** (2 / 3) - x[1]
    power = np.abs(away) ** x[2]
    e = exp(-power / x[0])
    of_away = x[2] * power / away / x[0]
    return e - t, columns(e * power / x[0] ** 2, e * of_away, -e * power * np.log(np.abs(away)) / x[0], m=99)


def box(x: Vector) -> tuple[Vector, Vector]:
    t = 0.1 * np.arange(1, 11)
    a, b, c = exp(-t * x[0]), exp(-t * x[1]), exp(-t) - exp(-10 * t)
    return a - b - x[2] * c, columns(-t * a, t * b, -c, m=10)


def powell_singular(x: Vector) -> tuple[Vector, Vector]:
    """Of fours: the extended one is several."""
    n = x.size
    a, b, c, d = x.reshape(-1, 4).T
    r = np.stack([a + 10 * b, sqrt(5) * (c - d), (b - 2 * c) ** 2, sqrt(10) * (a - d) ** 2], axis=1).ravel()
    jacobian = np.zeros((n, n))
    k = np.arange(0, n, 4)
    jacobian[k, k], jacobian[k, k + 1] = 1, 10
    jacobian[k + 1, k + 2], jacobian[k + 1, k + 3] = sqrt(5), -sqrt(5)
    jacobian[k + 2, k + 1], jacobian[k + 2, k + 2] = 2 * (b - 2 * c), -4 * (b - 2 * c)
    jacobian[k + 3, k], jacobian[k + 3, k + 3] = 2 * sqrt(10) * (a - d), -2 * sqrt(10) * (a - d)
    return r, jacobian


def wood(x: Vector) -> tuple[Vector, Vector]:
    a, b, c, d = x
    r = [10 * (b - a**2), 1 - a, sqrt(90) * (d - c**2), 1 - c, sqrt(10) * (b + d - 2), (b - d) / sqrt(10)]
    jacobian = rows(
        [-20 * a, 10, 0, 0],
        [-1, 0, 0, 0],
        [0, 0, -2 * sqrt(90) * c, sqrt(90)],
        [0, 0, -1, 0],
        [0, sqrt(10), 0, sqrt(10)],
        [0, 1 / sqrt(10), 0, -1 / sqrt(10)],
    )
    return np.array(r), jacobian


def kowalik_osborne(x: Vector) -> tuple[Vector, Vector]:
    y = np.array([0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246])
    u = np.array([4.0, 2.0, 1.0, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625])
    above, below = u**2 + u * x[1], u**2 + u * x[2] + x[3]
    part = x[0] * above / below**2
    return y - x[0] * above / below, columns(-above / below, -x[0] * u / below, part * u, part, m=11)


def brown_dennis(x: Vector) -> tuple[Vector, Vector]:
    t = np.arange(1, 21) / 5
    a, b = x[0] + t * x[1] - exp(t), x[2] + x[3] * np.sin(t) - np.cos(t)
    return a**2 + b**2, columns(2 * a, 2 * a * t, 2 * b, 2 * b * np.sin(t), m=20)


def osborne1(x: Vector) -> tuple[Vector, Vector]:
    y = np.array(
        [0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.850, 0.818, 0.784, 0.751, 0.718, 0.685, 0.658, 0.628, 0.603, 0.580]
        + [0.558, 0.538, 0.522, 0.506, 0.490, 0.478, 0.467, 0.457, 0.448, 0.438, 0.431, 0.424, 0.420, 0.414, 0.411, 0.406]
    )
    t = 10 * np.arange(33.0)
    a, b = exp(-t * x[3]), exp(-t * x[4])
    return y - (x[0] + x[1] * a + x[2] * b), columns(-1, -a, -b, x[1] * t * a, x[2] * t * b, m=33)


def biggs_exp6(x: Vector) -> tuple[Vector, Vector]:
    t = 0.1 * np.arange(1, 14)
    y = exp(-t) - 5 * exp(-10 * t) + 3 * exp(-4 * t)
    a, b, c = exp(-t * x[0]), exp(-t * x[1]), exp(-t * x[4])
    r = x[2] * a - x[3] * b + x[5] * c - y
    return r, columns(-t * x[2] * a, t * x[3] * b, a, -b, -t * x[5] * c, c, m=13)


def osborne2(x: Vector) -> tuple[Vector, Vector]:
    y = np.array(
        [1.366, 1.191, 1.112, 1.013, 0.991, 0.885, 0.831, 0.847, 0.786, 0.725, 0.746, 0.679, 0.608, 0.655, 0.616, 0.606, 0.602]
        + [0.626, 0.651, 0.724, 0.649, 0.649, 0.694, 0.644, 0.624, 0.661, 0.612, 0.558, 0.533, 0.495, 0.500, 0.423, 0.395, 0.375]
        + [0.372, 0.391, 0.396, 0.405, 0.428, 0.429, 0.523, 0.562, 0.607, 0.653, 0.672, 0.708, 0.633, 0.668, 0.645, 0.632, 0.591]
        + [0.559, 0.597, 0.625, 0.739, 0.710, 0.729, 0.720, 0.636, 0.581, 0.428, 0.292, 0.162, 0.098, 0.054]
    )
    t = np.arange(65) / 10
    away = t[:, None] - x[8:]
    decay, bells = exp(-t * x[4]), exp(-(away**2) * x[5:8])
    r = y - (x[0] * decay + bells @ x[1:4])
    heights = x[1:4] * bells
    parts = [-decay[:, None], -bells, (t * x[0] * decay)[:, None], heights * away**2, -2 * heights * away * x[5:8]]
    return r, np.concatenate(parts, axis=1)


def watson(x: Vector) -> tuple[Vector, Vector]:
    n = x.size
    t = np.arange(1, 30)[:, None] / 29
    powers = t ** np.arange(n)
    slopes = np.zeros((29, n))
    slopes[:, 1:] = np.arange(1, n) * powers[:, :-1]
    value = powers @ x
    r = np.concatenate([slopes @ x - value**2 - 1, [x[0], x[1] - x[0] ** 2 - 1]])
    ends = np.zeros((2, n))
    ends[0, 0], ends[1, 0], ends[1, 1] = 1, -2 * x[0], 1
    return r, np.concatenate([slopes - 2 * value[:, None] * powers, ends])


def penalty1(x: Vector) -> tuple[Vector, Vector]:
    weight = sqrt(1e-5)
    jacobian = np.concatenate([weight * np.eye(x.size), [2 * x]])
    return np.concatenate([weight * (x - 1), [x @ x - 0.25]]), jacobian


def penalty2(x: Vector) -> tuple[Vector, Vector]:
    n, weight = x.size, sqrt(1e-5)
    i = np.arange(2, n + 1)
    e = exp(x / 10)
    smooth = weight * (e[1:] + e[:-1] - exp(i / 10) - exp((i - 1) / 10))
    near = weight * (e[1:] - exp(-0.1))
    factors = n - np.arange(n)
    r = np.concatenate([[x[0] - 0.2], smooth, near, [factors @ x**2 - 1]])
    jacobian = np.zeros((2 * n, n))
    jacobian[0, 0] = 1
    k = np.arange(1, n)
    jacobian[k, k], jacobian[k, k - 1] = weight * e[1:] / 10, weight * e[:-1] / 10
    jacobian[n - 1 + k, k] = weight * e[1:] / 10
    jacobian[-1] = 2 * factors * x
    return r, jacobian


def variably_dimensioned(x: Vector) -> tuple[Vector, Vector]:
    j = np.arange(1, x.size + 1)
    total = j @ (x - 1)
    return np.concatenate([x - 1, [total, total**2]]), np.concatenate([np.eye(x.size), [j, 2 * total * j]])


def trigonometric(x: Vector) -> tuple[Vector, Vector]:
    n = x.size
    i = np.arange(1, n + 1)
    sine, cosine = np.sin(x), np.cos(x)
    r = n - cosine.sum() + i * (1 - cosine) - sine
    return r, np.tile(sine, (n, 1)) + np.diag(i * sine - cosine)


def brown_almost_linear(x: Vector) -> tuple[Vector, Vector]:
    n = x.size
    r = x + x.sum() - (n + 1)
    r[-1] = x.prod() - 1
    jacobian = np.ones((n, n)) + np.eye(n)
    jacobian[-1] = [np.delete(x, j).prod() for j in range(n)]
    return r, jacobian


def discrete_boundary_value(x: Vector) -> tuple[Vector, Vector]:
    n = x.size
    h = 1 / (n + 1)
    cube = x + h * np.arange(1, n + 1) + 1
    second = 2 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)
    return second @ x + h**2 * cube**3 / 2, second + np.diag(1.5 * h**2 * cube**2)


def discrete_integral(x: Vector) -> tuple[Vector, Vector]:
    n = x.size
    h = 1 / (n + 1)
    t = h * np.arange(1, n + 1)
    kernel = np.where(t[None, :] <= t[:, None], np.outer(1 - t, t), np.outer(t, 1 - t))
    cube = x + t + 1
    return x + h / 2 * kernel @ cube**3, np.eye(n) + 1.5 * h * kernel * cube**2


def broyden_tridiagonal(x: Vector) -> tuple[Vector, Vector]:
    n = x.size
    neighbours = np.eye(n, k=-1) + 2 * np.eye(n, k=1)
    return (3 - 2 * x) * x - neighbours @ x + 1, np.diag(3 - 4 * x) - neighbours


def broyden_banded(x: Vector) -> tuple[Vector, Vector]:
    n = x.size
    band = np.tri(n, k=1) - np.tri(n, k=-6) - np.eye(n)
    return x * (2 + 5 * x**2) + 1 - band @ (x * (1 + x)), np.diag(2 + 15 * x**2) - band * (1 + 2 * x)


def linear(matrix: Vector) -> Residuals:
    """r = A x - 1."""
    return lambda x: (matrix @ x - 1, matrix)


def full_rank(n: int, m: int) -> Vector:
    return np.eye(m, n) - 2 / m


def rank_one(n: int, m: int) -> Vector:
    return np.outer(np.arange(1.0, m + 1), np.arange(1.0, n + 1))


def rank_one_with_zeros(n: int, m: int) -> Vector:
    matrix = np.outer(np.arange(m), np.arange(1.0, n + 1))
    matrix[[0, -1]] = 0
    matrix[:, [0, -1]] = 0
    return matrix


def chebyquad(x: Vector) -> tuple[Vector, Vector]:
    n = x.size
    z = 2 * x - 1
    values, slopes = [np.ones(n), z], [np.zeros(n), np.full(n, 2.0)]
    for _ in range(n - 1):
        slopes.append(2 * z * slopes[-1] + 4 * values[-1] - slopes[-2])
        values.append(2 * z * values[-1] - values[-2])
    integrals = [-1 / (i**2 - 1) if i % 2 == 0 else 0.0 for i in range(1, n + 1)]
    return np.mean(values[1:], axis=1) - integrals, np.array(slopes[1:]) / n


def _all() -> list[Problem]:
    problems = []

    def add(number: int, name: str, start: list[float] | Vector, residuals: Residuals, *minima: float) -> None:
        problems.append(Problem(number, name, np.array(start, dtype=np.float64), residuals, minima))

    add(1, "Rosenbrock", [-1.2, 1], rosenbrock, 0)
    add(2, "Freudenstein and Roth", [0.5, -2], freudenstein_roth, 0, 48.9842)
    add(3, "Powell badly scaled", [0, 1], powell_badly_scaled, 0)
    add(4, "Brown badly scaled", [1, 1], brown_badly_scaled, 0)
    add(5, "Beale", [1, 1], beale, 0)
    add(6, "Jennrich and Sampson", [0.3, 0.4], jennrich_sampson, 124.362)
    add(7, "helical valley", [-1, 0, 0], helical_valley, 0)
    add(8, "Bard", [1, 1, 1], bard, 8.21487e-3)
    add(9, "Gaussian", [0.4, 1, 0], gaussian, 1.12793e-8)
    add(10, "Meyer", [0.02, 4000, 250], meyer, 87.9458)
    add(11, "Gulf research and development", [5, 2.5, 0.15], gulf, 0)
    add(12, "Box three-dimensional", [0, 10, 20], box, 0)
    add(13, "Powell singular", [3, -1, 0, 1], powell_singular, 0)
    add(14, "Wood", [-3, -1, -3, -1], wood, 0)
    add(15, "Kowalik and Osborne", [0.25, 0.39, 0.415, 0.39], kowalik_osborne, 3.07505e-4)
    add(16, "Brown and Dennis", [25, 5, -5, -1], brown_dennis, 85822.2)
    add(17, "Osborne 1", [0.5, 1.5, -1, 0.01, 0.02], osborne1, 5.46489e-5)
    add(18, "Biggs EXP6", [1, 2, 1, 1, 1, 1], biggs_exp6, 0, 5.65565e-3)
    add(19, "Osborne 2", [1.3, 0.65, 0.65, 0.7, 0.6, 3, 5, 7, 2, 4.5, 5.5], osborne2, 4.01377e-2)
    for n, minimum in [(6, 2.28767e-3), (9, 1.39976e-6), (12, 4.72238e-10)]:
        add(20, "Watson", np.zeros(n), watson, minimum)
    add(21, "extended Rosenbrock", [-1.2, 1] * 10, rosenbrock, 0)
    add(22, "extended Powell singular", [3, -1, 0, 1] * 5, powell_singular, 0)
    for n, minimum in [(4, 2.24997e-5), (10, 7.08765e-5)]:
        add(23, "penalty I", np.arange(1, n + 1), penalty1, minimum)
    for n, minimum in [(4, 9.37629e-6), (10, 2.93660e-4)]:
        add(24, "penalty II", np.full(n, 0.5), penalty2, minimum)
    j, t = np.arange(1, 11), np.arange(1, 11) / 11
    add(25, "variably dimensioned", 1 - j / 10, variably_dimensioned, 0)
    add(26, "trigonometric", np.full(10, 0.1), trigonometric, 0, 2.79506e-5)
    add(27, "Brown almost-linear", np.full(10, 0.5), brown_almost_linear, 0, 1)
    add(28, "discrete boundary value", t * (t - 1), discrete_boundary_value, 0)
    add(29, "discrete integral equation", t * (t - 1), discrete_integral, 0)
    add(30, "Broyden tridiagonal", np.full(10, -1), broyden_tridiagonal, 0)
    add(31, "Broyden banded", np.full(10, -1), broyden_banded, 0)
    m = 20
    add(32, "linear, full rank", np.ones(10), linear(full_rank(10, m)), m - 10)
    add(33, "linear, rank 1", np.ones(10), linear(rank_one(10, m)), m * (m - 1) / (2 * (2 * m + 1)))
    least = (m**2 + 3 * m - 6) / (2 * (2 * m - 3))
    add(34, "linear, rank 1 with zeros", np.ones(10), linear(rank_one_with_zeros(10, m)), least)
    for n, minimum in [(8, 3.51687e-3), (9, 0.0), (10, 6.50395e-3)]:
        add(35, "Chebyquad", np.arange(1, n + 1) / (n + 1), chebyquad, minimum)
    return problems


PROBLEMS = _all()
