"""L-BFGS with a strong Wolfe line search in NumPy f64: an independent twin of crates/lbfgs for the golden losses.

The two-loop recursion on vectors (Nocedal and Wright, Algorithm 7.4), and a line search with the conditions, the
expansion, the cubic interpolation and the safeguards that crates/lbfgs/src/line_search.rs documents. Only what a smooth
objective needs: no retreat from infinities, no restarts.
"""

import numpy as np

C1, C2 = 1e-4, 0.9
EXPANSION = (2.0, 10.0)  # outwards, each step is this many times the last
SHRINKAGE, MARGIN = 2 / 3, 0.1  # of an interval


def minimise(x, evaluate, iterations, history, first_step):
    """The losses of the start and of each accepted iterate. `evaluate(x)` returns the loss and the gradient."""
    loss, gradient = evaluate(x)
    losses, pairs = [loss], []
    for _ in range(iterations):
        direction = -two_loop(pairs, gradient)
        first = 1.0 if pairs else first_step / np.linalg.norm(gradient)
        step, loss, new = line_search(evaluate, x, direction, loss, gradient, first)
        s, y = step * direction, new - gradient
        if s @ y > 0:
            pairs = [*pairs, (s, y)][-history:]
        x, gradient = x + s, new
        losses.append(loss)
    return losses


def two_loop(pairs, gradient):
    """H g."""
    q, alphas = gradient.copy(), []
    for s, y in reversed(pairs):
        alphas.append((s @ q) / (s @ y))
        q -= alphas[-1] * y
    if pairs:
        s, y = pairs[-1]
        q *= (s @ y) / (y @ y)
    for (s, y), alpha in zip(pairs, reversed(alphas)):
        q += (alpha - (y @ q) / (s @ y)) * s
    return q


def line_search(evaluate, x, direction, loss, gradient, step):
    """(t, loss, gradient) at a step with the strong Wolfe conditions."""
    slope0 = gradient @ direction
    low = other = (0.0, loss, slope0)
    bracketed, width = False, np.inf
    while True:
        trial_loss, trial_gradient = evaluate(x + step * direction)
        trial = (step, trial_loss, trial_gradient @ direction)
        decreases = trial_loss <= loss + C1 * step * slope0 and trial_loss < low[1]
        if decreases and abs(trial[2]) <= C2 * abs(slope0):
            return step, trial_loss, trial_gradient
        if not decreases:
            other, bracketed = trial, True
        else:
            outwards = other[0] - low[0] if bracketed else 1.0
            turned = trial[2] * outwards >= 0
            if turned or not bracketed:
                other = low
            bracketed, low = bracketed or turned, trial
        last_width, width = width, abs(other[0] - low[0]) if bracketed else np.inf
        step = next_step(low, other, bracketed, width, last_width)


def next_step(low, other, bracketed, width, last_width):
    cubic = cubic_minimiser(other, low)
    if not bracketed:
        least, most = EXPANSION[0] * low[0], EXPANSION[1] * low[0]
        return min(max(cubic, least), most) if cubic > low[0] else most
    middle = (low[0] + other[0]) / 2
    if width > SHRINKAGE * last_width or np.isnan(cubic):
        return middle
    left, right = sorted((low[0], other[0]))
    margin = MARGIN * (right - left)
    return min(max(cubic, left + margin), right - margin)


def cubic_minimiser(a, b):
    """The minimum of the cubic with the losses and slopes of both points (Nocedal and Wright, equation 3.59)."""
    (ta, fa, da), (tb, fb, db) = a, b
    d1 = da + db - 3 * (fa - fb) / (ta - tb)
    square = d1 * d1 - da * db
    if square < 0:
        return np.nan
    d2 = np.sign(tb - ta) * np.sqrt(square)
    return tb - (tb - ta) * (db + d2 - d1) / (db - da + 2 * d2)
