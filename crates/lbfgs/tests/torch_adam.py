"""Prints the points that torch.optim.Adam walks through on Rosenbrock's function: TORCH in minimise/adam.rs.

python -m pip install torch; python torch_adam.py
"""

import torch

print("PyTorch", torch.__version__)
v = torch.tensor([-1.2, 1.0], dtype=torch.float64, requires_grad=True)
adam = torch.optim.Adam([v], lr=0.02)
for iteration in range(1, 201):
    adam.zero_grad()
    x, y = v
    (100 * (y - x**2) ** 2 + (1 - x) ** 2).backward()
    adam.step()
    if iteration in [1, 10, 200]:
        print((iteration, v.tolist()))
