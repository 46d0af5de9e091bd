"""The laws that are fitted, in the order of their rows; a new law is a new file and one line below.

Not in `__init__`, which imports the statistic of the fits, which imports this list.
"""

from __future__ import annotations

from .gennorm import Gennorm
from .laplace import Laplace
from .law import Law
from .logistic import Logistic
from .normal import Normal
from .normal_mixture import NormalMixture
from .student_t import StudentT
from .truncnorm import Truncnorm
from .uniform import Uniform

LAWS: tuple[Law, ...] = (
    Normal(),
    Laplace(),
    Logistic(),
    StudentT(),
    Gennorm(),
    Truncnorm(),
    Uniform(),
    NormalMixture(),
)
