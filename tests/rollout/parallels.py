"""Small PettingZoo parallel environments in which members of a population meet."""

import numpy as np
from gymnasium import spaces
from pettingzoo import ParallelEnv


class Camp(ParallelEnv):
    """Three see four numbers; doing 1 at a positive first number pays 1, and what all do moves what all see.

    `a` and `c` leave after six steps, by truncation; `b` dies after one to five, as the seed says.
    """

    metadata = {"name": "camp"}  # noqa: RUF012
    possible_agents = ["a", "b", "c"]  # noqa: RUF012

    def __init__(self):
        self.render_mode = "ansi"
        self.asked, self.acted = [], 0

    def observation_space(self, agent):
        return spaces.Box(-9, 9, (4,), np.float32)

    def action_space(self, agent):
        return spaces.Discrete(2)

    def reset(self, **keywords):
        self.asked.append(keywords)
        seed, options = keywords.get("seed"), keywords.get("options", {})
        rng = np.random.default_rng(seed)
        self.problem = int(options.get("problem", rng.integers(1000)))
        self.agents, self.steps, self.death = list(self.possible_agents), 0, int(rng.integers(1, 6))
        self.seen = np.random.default_rng(self.problem).normal(size=(3, 4)).astype(np.float32)
        return self._of_agents(self.seen), {agent: {"problem": self.problem} for agent in self.agents}

    def step(self, actions):
        assert set(actions) == set(self.agents)
        self.steps += 1
        self.acted += len(actions)
        here = self.agents
        paid = {agent: float(actions[agent] == (self.seen["abc".index(agent), 0] > 0)) for agent in here}
        shift = sum((1 + "abc".index(agent)) * int(action) for agent, action in actions.items())
        self.seen = np.roll(self.seen, shift, axis=1) * np.float32(0.9)
        seen = self._of_agents(self.seen)
        died = {agent: agent == "b" and self.steps == self.death for agent in here}
        over = dict.fromkeys(here, self.steps == 6)
        self.agents = [agent for agent in here if not (died[agent] or over[agent])]
        return seen, paid, died, over, {agent: {"steps": float(self.steps)} for agent in here}

    def render(self):
        return f"step {self.steps}"

    def _of_agents(self, rows):
        return {agent: rows["abc".index(agent)].copy() for agent in self.agents}


class Vanishing(Camp):
    """Tells nobody that `b` has died."""

    def step(self, actions):
        seen, paid, died, over, infos = super().step(actions)
        return {a: seen[a] for a in self.agents}, paid, dict.fromkeys(died, False), over, infos


class Haunted(Camp):
    """Tells, shows and pays the dead, who was cut off, and says of them that they live."""

    def step(self, actions):
        _, paid, died, over, infos = super().step(actions)
        cut = {agent: over.get(agent, False) or died.get(agent, False) for agent in "abc"}
        seen = dict(zip("abc", self.seen.copy(), strict=True))
        told = {agent: infos.get(agent, {"steps": 0.0}) for agent in "abc"}
        return seen, {agent: paid.get(agent, 5.0) for agent in "abc"}, dict.fromkeys("abc", False), cut, told


class Failing(Camp):
    """Breaks at the third step, or hands `c` something that is no observation."""

    def __init__(self, seen=None):
        super().__init__()
        self.wrong = seen

    def step(self, actions):
        seen, *rest = super().step(actions)
        if self.steps == 3 and self.wrong is None:
            raise KeyError("a wheel came off")
        return seen | {"c": self.wrong if self.steps == 3 else seen["c"]}, *rest


class Unequal(Camp):
    """`b` can do, or see, more than the others."""

    def __init__(self, kind):
        super().__init__()
        self.kind = kind

    def observation_space(self, agent):
        return spaces.Box(-9, 9, (5 if (agent, self.kind) == ("b", "seen") else 4,), np.float32)

    def action_space(self, agent):
        return spaces.Discrete(3 if (agent, self.kind) == ("b", "done") else 2)
