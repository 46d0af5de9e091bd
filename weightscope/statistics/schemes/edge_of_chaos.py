"""Critical gains: the edge between vanishing and exploding signals of a deep network at its start.

Of wide fully connected layers without skip connections or norms, with sigma_w^2/fan_in the variance
of the weights and sigma_b that of the biases (Schoenholz et al. 2017, arXiv 1611.01232; Hayou et
al. 2019, arXiv 1902.06853).
"""

from __future__ import annotations

from math import sqrt

from ...columns import Column

# gain = sigma_w; both with sigma_b = 0
RELU, TANH = sqrt(2), 1.0
CRITICAL_RELU = Column(
    "critical_relu",
    "float",
    "gain at the edge of chaos of ReLU, sqrt 2, with biases of 0; on rows of gain",
    "",
    "arXiv 1902.06853",
)
CRITICAL_TANH = Column(
    "critical_tanh",
    "float",
    "gain at the edge of chaos of tanh, 1, with biases of 0; on rows of gain",
    "",
    "arXiv 1611.01232",
)
