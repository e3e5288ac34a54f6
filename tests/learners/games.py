"""Small Gymnasium environments that the learners' tests play."""

from typing import ClassVar

import gymnasium as gym
import numpy as np
from gymnasium import spaces


class Ring(gym.Env):
    """Walk on a ring of 8 cells until cell 0 is reached (reward 1 - 0.1 per step); the seed sets where it begins."""

    def __init__(self, action_space=None, flaw=None, render_mode=None):
        self.observation_space = spaces.Box(0, 1, (8,), np.float32)
        self.action_space = action_space or spaces.Discrete(2)
        self.flaw = flaw
        self.render_mode = render_mode

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.cell = int(self.np_random.integers(1, 8))
        self.steps = 0
        return self._see(), {}

    def step(self, action):
        self.cell = (self.cell + (1 if np.sum(action) > 0 else -1)) % 8
        self.steps += 1
        if self.flaw == "raises" and self.steps == 3:
            raise KeyError("a wheel came off")
        reward = float("nan") if self.flaw == "nan" else 1.0 if self.cell == 0 else -0.1
        return self._see(), reward, self.cell == 0, self.steps >= 20, {}

    def _see(self):
        return np.eye(8, dtype=np.float32)[self.cell]


class DictRing(Ring):
    """A ring whose cell is told in parts of every kind, or in those that are named."""

    PARTS: ClassVar = {
        "where": spaces.Box(0, 1, (8,), np.float32),
        "cell": spaces.Discrete(8),
        "digits": spaces.MultiDiscrete([2, 4]),
        "bits": spaces.MultiBinary(3),
        "byte": spaces.Box(0, 200, (1,), np.uint8),
        "picture": spaces.Box(0, 255, (1, 36, 36), np.uint8),
    }
    NUMBERS = ("where", "cell", "digits", "bits", "byte")

    def __init__(self, names=NUMBERS, **settings):
        super().__init__(**settings)
        self.observation_space = spaces.Dict([(name, self.PARTS[name]) for name in names])

    def _see(self):
        told = {"where": super()._see(), "cell": np.int64(self.cell), "digits": np.array(divmod(self.cell, 4))}
        told["bits"] = (self.cell >> np.arange(3) & 1).astype(np.int8)
        told["byte"] = np.array([25 * self.cell], np.uint8)
        told["picture"] = np.full((1, 36, 36), 30 * self.cell, np.uint8)
        return {name: told[name] for name in self.observation_space.spaces}


class Spaces(gym.Env):
    """Shows random observations of any space for 6 steps, reward 1 each."""

    def __init__(self, observation_space=None, action_space=None):
        self.observation_space = observation_space or spaces.Box(0, 1, (3,))
        self.action_space = action_space or spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.observation_space.seed(seed)
        self.steps = 0
        return self.observation_space.sample(), {}

    def step(self, action):
        self.steps += 1
        return self.observation_space.sample(), 1.0, self.steps == 6, False, {}
