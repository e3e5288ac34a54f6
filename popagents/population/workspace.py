"""What a process that plays makes for itself, once: designs, and room for members that are made of noise."""

from dataclasses import dataclass

from popagents.population.design import Design
from popagents.population.noise import Noise


@dataclass(frozen=True)
class Workspace:
    """Where players are seated.

    Attributes:
        designs: the population's.
        noise: draws members around parents; None where members have parameters of their own.
    """

    designs: list[Design]
    noise: Noise | None = None
