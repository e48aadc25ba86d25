"""Paint a photograph in the style of a painting (Gatys, Ecker and Bethge, 2015), on the CPU."""

from impasto._check import (
    GradientCheck,
    Probe,
    check_gradient,
)
from impasto._optimise import (
    Iteration,
    Outcome,
    Reason,
    Steps,
    adam,
    adam_steps,
    lbfgs,
    lbfgs_steps,
)

__all__ = [
    "GradientCheck",
    "Iteration",
    "Outcome",
    "Probe",
    "Reason",
    "Steps",
    "adam",
    "adam_steps",
    "check_gradient",
    "lbfgs",
    "lbfgs_steps",
]
