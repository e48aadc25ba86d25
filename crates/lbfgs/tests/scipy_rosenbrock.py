"""Prints the evaluations that SciPy's L-BFGS-B takes on Rosenbrock's function: SCIPY in minimise/convergence.rs.

python -m pip install scipy; python scipy_rosenbrock.py
"""

import numpy as np
import scipy
from scipy.optimize import minimize


def rosenbrock(x):
    across, along = x[1:] - x[:-1] ** 2, 1 - x[:-1]
    g = np.zeros_like(x)
    g[:-1] += -400 * x[:-1] * across - 2 * along
    g[1:] += 200 * across
    return (100 * across**2 + along**2).sum(), g


print("SciPy", scipy.__version__)
for n in [2, 3, 10, 100]:
    start = np.where(np.arange(n) % 2 == 0, -1.2, 1.0)
    start[-1] = 1.5
    options = {"maxcor": 10, "maxiter": 2000, "maxfun": 100_000, "ftol": 0, "gtol": 1e-9}
    result = minimize(rosenbrock, start, jac=True, method="L-BFGS-B", options=options)
    print(n, result.nit, result.nfev, result.fun, result.message)
