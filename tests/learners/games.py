"""Small Gymnasium environments that the learners' tests play."""

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
