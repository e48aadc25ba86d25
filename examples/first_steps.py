"""From nothing to a picture, and to its parts: paints, measures a Gram matrix, checks a gradient, and lets scipy paint.

    python first_steps.py PHOTO PAINTING OUT.png

It needs the package `impasto`, numpy and, for its last step alone, scipy. `make wheel` runs it in a new virtual environment that has
nothing else, and compares OUT.png with what `impasto transfer PHOTO PAINTING -o OUT.png --size 128` writes: they are the same bytes.
"""

import sys

import numpy as np

import impasto

photo, painting, out = sys.argv[1:]

# A whole transfer (docs/math.md 1), as the command line's.
painted = impasto.transfer(photo, painting, size=128)
painted.save(out)
height, width, _ = painted.image.shape
print(f"Painted {width} x {height} in {painted.evaluations} evaluations: loss {painted.loss:.4g}, because {painted.reason}")

# G_ij = 1/M sum_k F_ki F_kj (docs/math.md 3), from the responses and by itself.
network = impasto.Network.embedded()
responses = network.features(painted.image, "conv2_1")["conv2_1"]
f = responses.reshape(-1, responses.shape[-1]).astype(float)
gram = network.gram(painted.image, "conv2_1")["conv2_1"]
difference = np.abs(f.T @ f / len(f) - gram).max() / np.abs(gram).max()
print(f"The Gram matrix of conv2_1 is {gram.shape[0]} x {gram.shape[1]}; numpy's differs by {difference:.1e} of its largest number")
assert difference < 1e-5

# Is dL/dx the gradient of L? In double precision, on a small picture.
options = dict(size=24, preset="paper", content_layers="conv2_2", style_layers="conv1_1,conv2_1")
objective = impasto.Objective(photo, painting, **options)
x = np.random.default_rng(0).uniform(0, 255, objective.shape)
check = impasto.check_gradient(objective, x)
print(check)
assert check.ok

# The same loss, moved by somebody else's optimiser.
from scipy.optimize import minimize  # noqa: E402

start, _ = objective(x)
found = minimize(objective, x.ravel(), jac=True, method="L-BFGS-B", bounds=[(0, 255)] * x.size, options={"maxiter": 20})
print(f"scipy's L-BFGS-B lowers the loss from {start:.4g} to {found.fun:.4g} in {found.nit} iterations")
assert found.fun < start / 2
