"""A population learner of your own: truncation selection, complete.

    python -m examples.own_learner [--steps 20000] [--seed 0]

Every generation each member is a copy of one of the fittest of the last generation, with noise on every parameter. What
a learner supplies is its state and four functions of it. From the base come everything else that `Culture` or `ES` can
do: SB3's callbacks, logger and `predict`, files, runs that go on bit for bit, any number of slots, the lineage.

Source: H.-P. Schwefel (1981), "Numerical optimization of computer models", the (mu, lambda) strategy without
recombination, and with one standard deviation for all.
"""

import argparse
from dataclasses import dataclass
from typing import Any, Unpack

import numpy as np

from popagents.learners.toolkit import (
    Generation,
    Members,
    Now,
    Parameters,
    PopulationAlgorithm,
    Purpose,
    Request,
    Shared,
    Succession,
    Transmission,
    ranked,
    repeated,
    row_of,
)


@dataclass(frozen=True)
class OwnState:
    """What a generation hands on to the next.

    Attributes:
        members: parameters of those who played, (members, *shape) by name.
        parents: int64, (members,), whose child each of the next generation is.
    """

    members: Parameters
    parents: np.ndarray


class OwnLearner(PopulationAlgorithm[OwnState]):
    """Children of the fittest.

    Args:
        policy: a policy's name or class.
        env: a Gymnasium id, Gymnasium environment or vector environment, or an SB3 VecEnv.
        population_size: members.
        n_parents: so many of the fittest have children.
        mutation_std: standard deviation of the noise.
        shared: see `popagents.learners.settings.Shared`.
    """

    def __init__(
        self,
        policy: Any,
        env: Any,
        *,
        population_size: int = 16,
        n_parents: int = 4,
        mutation_std: float = 0.5,
        **shared: Unpack[Shared],
    ) -> None:
        self.n_parents, self.mutation_std = n_parents, mutation_std
        super().__init__(policy, env, population_size=population_size, **shared)

    def initial_state(self) -> OwnState:
        """Begin with members who are all alike."""
        everyone = np.arange(self.population_size)
        return OwnState(self.workspace.designs[0].copies(self.population_size), everyone)

    def next_generation(self, state: OwnState, now: Now) -> Generation[OwnState]:
        """Let children be born and play; the fittest of them are the next parents."""
        rng, size = now.rng(Purpose.MUTATION), self.population_size
        members = {
            name: values[state.parents] + np.float32(self.mutation_std) * rng.standard_normal(values.shape, np.float32)
            for name, values in state.members.items()
        }
        players = Members([members])
        episodes = yield Request(players, self.matchmaker(now).jobs(np.arange(size), self.episodes))
        fitness = episodes.fitness(size)
        ranks = ranked(fitness, now.rank_keys(size))
        parents = np.resize(ranks[: self.n_parents], size)
        state = OwnState(members, parents)
        return Succession(state, fitness, int(ranks[0]), players, parents, transmission=Transmission.BIRTH)

    def policy_of(self, state: OwnState, member: int) -> tuple[int, Parameters]:
        """Return a member's design (there is one) and parameters."""
        return 0, row_of(state.members, member)

    def started_from(self, state: OwnState, parameters: Parameters) -> OwnState:
        """Return a population whose members all have these parameters."""
        return OwnState(repeated(parameters, self.population_size), state.parents)


def main(arguments: list[str] | None = None) -> None:
    """Learn CartPole."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=20_000, help="environment steps")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    model = OwnLearner("LinearPolicy", "CartPole-v1", seed=options.seed).learn(options.steps, log_interval=None)
    print(f"Mean fitness after {model.generation} generations: {model.fitness.mean():.0f} steps of 500")


if __name__ == "__main__":
    main()
