"""A lifetime: some episodes of learning, then one that counts; many lives side by side.

A *life* is one member on one problem. It begins with the weights that the member was born with; each of `n_updates`
episodes is followed by a step of learning; the last episode is scored, and nothing is learned from it. Where the
environment names problems (`info["problem"]`, see `problems.py`) and `pins` is not False, the problem that a
life met first stays with it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.vec_env import VecEnv
from threadpoolctl import threadpool_limits

from popagents.common.randomness import Purpose, episode_seeds, keys
from popagents.learners.updates.a2c import Hyperparameters, Minds, add_critic
from popagents.learners.updates.compiled_a2c import minds_of
from popagents.population.population import Stack
from popagents.rollout.play import Lives, Step, play
from popagents.rollout.problems import Options, ProblemSlots, pinning
from popagents.rollout.slots import slots_of


@dataclass(frozen=True)
class Lifetime:
    """What a life is made of.

    Attributes:
        n_updates: episodes that are learned from.
        pins: True: a life keeps its first problem; None: where the environment names problems; False: never.
        evaluation_options: for the reset of the episode that counts, for example {"n_trials": 20}.
    """

    n_updates: int = 25
    pins: bool | None = None
    evaluation_options: Options = field(default_factory=dict)

    @property
    def episodes(self) -> int:
        """Return how many episodes a life has."""
        return self.n_updates + 1

    def live(
        self,
        minds: Minds,
        slots: ProblemSlots,
        seeds: np.ndarray,
        keys: np.ndarray | None,
        on_step: Callable[[Step], bool],
    ) -> Lives | None:
        """Let minds live.

        Args:
            minds: one a life; they learn.
            slots: where; any number.
            seeds: int64, (lives, episodes), the environment's seed in each.
            keys: uint64, (lives, episodes), keys of the action draws; None plays the likeliest actions.
            on_step: called after each step; False stops at once.

        Returns:
            One job a life: the return of the episode that counts, the steps of all; None if `on_step` stopped it.

        Raises:
            ValueError: problems are to be pinned, and the environment names none.
            RuntimeError: the environment failed, or a return is not finite.
        """

        def after(step: Step) -> bool:
            minds.reward(step.rewards[step.live])
            return on_step(step)

        pinned, steps = Options(), np.zeros(len(seeds), np.int64)
        episode = 0
        while True:
            last = episode == self.n_updates
            slots.deck.shuffle(pinned | self.evaluation_options if last else pinned)
            minds.begin()
            draws = None if keys is None else keys[:, episode]
            played = play(minds, slots, np.arange(len(seeds)), seeds[:, episode], draws, None, after)  # type: ignore[arg-type]
            if played is None:
                return None
            steps += played.lengths
            if episode == 0 and self.pins is not False:
                pinned = self._pinned(slots.deck.problems)
            if last:
                played.lengths = steps
                return played
            minds.learn()
            episode += 1

    def _pinned(self, problems: list[np.ndarray]) -> Options:
        """Return the options by which every life keeps its problem."""
        if problems:
            return {"problem": np.stack(problems)}
        if self.pins:
            raise ValueError(
                'pin_problems is True, but reset() returned no info["problem"]; use an environment that names its '
                "problems (PopHarlow-v0 does), or pin_problems=None, and each life gets a seed instead"
            )
        return {}


def live_again(
    policies: Sequence[BasePolicy],
    env: VecEnv,
    how: Hyperparameters,
    lifetime: Lifetime,
    n_tasks: int,
    seed: int,
    on_step: Callable[[Step], bool] = lambda step: True,
) -> np.ndarray:
    """Let policies of one design live lifetimes, outside of any population.

    Args:
        policies: who is born, with which weights; they stay as they are.
        env: where.
        how: one number each, the same for all.
        lifetime: what a life is made of.
        n_tasks: problems in each policy's lifetime; each starts from the policy's weights.
        seed: draws problems and actions.
        on_step: called after each step.

    Returns:
        float64, (policies, n_tasks), the return of each life's last episode.
    """
    stack = Stack(policies[0], len(policies))
    add_critic(stack)
    for row, policy in enumerate(policies):
        for name, weights in policy.named_parameters():
            stack.parameters[name][row] = weights.detach().cpu().numpy()
    rows = np.repeat(np.arange(len(policies)), n_tasks)
    minds = minds_of(stack, rows, Hyperparameters(*(np.full(len(rows), value) for value in how)))
    lives, episodes = np.arange(len(rows))[:, None], np.arange(lifetime.episodes)
    seeds = episode_seeds(keys(seed, Purpose.EPISODE, 0, lives, episodes))
    draws = keys(seed, Purpose.ACTION, 0, lives, episodes)
    with threadpool_limits(1):
        lived = lifetime.live(minds, pinning(slots_of(env)), seeds, draws, on_step)
    if lived is None:
        raise RuntimeError("on_step returned False; there are no returns")
    return lived.returns.reshape(len(policies), n_tasks)
