"""Paint a photograph in the style of a painting (Gatys, Ecker and Bethge, 2015), on the CPU.

    import impasto

    painting = impasto.transfer("photo.jpg", "painting.jpg", size=512, progress=True)
    painting.save("out.png")
    painting.image                      # float32, H x W x 3, 0 to 255

and the parts of it, as calls on numpy arrays:

    network = impasto.Network.embedded()
    f = network.features("photo.jpg", "conv4_2")["conv4_2"]             # H/8 x W/8 x 512
    g = network.gram("painting.jpg", ["conv1_1", "conv2_1"])            # 64 x 64, 128 x 128

    objective = impasto.Objective("photo.jpg", "painting.jpg", size=256)
    loss, gradient = objective(objective.start())
"""

from impasto._check import (
    GradientCheck,
    Probe,
    check_gradient,
)
from impasto._impasto import (
    Network,
    Objective,
    Painting,
    Progress,
    Term,
    options,
    transfer,
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
    "Network",
    "Objective",
    "Outcome",
    "Painting",
    "Probe",
    "Progress",
    "Reason",
    "Steps",
    "Term",
    "adam",
    "adam_steps",
    "check_gradient",
    "lbfgs",
    "lbfgs_steps",
    "options",
    "transfer",
]
