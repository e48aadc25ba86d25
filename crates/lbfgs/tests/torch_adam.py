"""Prints the points that torch.optim.Adam walks through on Rosenbrock's function: TORCH in minimise/adam.rs; then TORCH_MEANS, the
means of the points of a walk whose every point is clamped.

python -m pip install torch; python torch_adam.py
"""

import torch


def walk(betas, step_done):
    v = torch.tensor([-1.2, 1.0], dtype=torch.float64, requires_grad=True)
    adam = torch.optim.Adam([v], lr=0.02, betas=betas)
    for iteration in range(1, 201):
        adam.zero_grad()
        x, y = v
        (100 * (y - x**2) ** 2 + (1 - x) ** 2).backward()
        adam.step()
        shown = step_done(v)
        if iteration in [1, 10, 200]:
            print((iteration, shown))


def means(decay):
    """Clamps a point; the mean of all so far and the start, each of which weighs `decay` times what the next one does."""
    points = [torch.tensor([-1.2, 1.0], dtype=torch.float64)]

    def step_done(v):
        with torch.no_grad():
            v.clamp_(-1.19, 1.1)
        points.append(v.detach().clone())
        weights = torch.tensor([decay**age for age in reversed(range(len(points)))], dtype=torch.float64)
        return (torch.stack(points).T @ weights / weights.sum()).tolist()

    return step_done


print("PyTorch", torch.__version__)
walk((0.9, 0.999), lambda v: v.tolist())
walk((0.9, 0.99), means(0.9))
