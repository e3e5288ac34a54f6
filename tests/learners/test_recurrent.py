"""The recurrent policy, as SB3 sees it."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy
from torch import nn

from popagents.population.recurrent import RecurrentPolicy

SEEN = spaces.Box(-1, 1, (5,), np.float32)


def policy(action_space=None, **kwargs):
    torch.manual_seed(0)
    return RecurrentPolicy(SEEN, action_space or spaces.Discrete(2), **kwargs)


def test_it_has_the_sources_size_and_pytorchs_first_weights():
    made = policy()
    assert sum(p.numel() for p in made.parameters()) == 120 + 2 * (1600 + 80) + 42 + 21
    for name, weights in made.named_parameters():
        limit = 1 / np.sqrt(5 if "embedding" in name else 20)
        assert weights.abs().max() <= limit
        if weights.numel() > 40:
            assert weights.abs().max() > 0.9 * limit


def test_a_step_is_that_of_pytorchs_lstm():
    made = policy()
    theirs = nn.LSTM(20, 20)
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        getattr(theirs, f"{name}_l0").data = getattr(made.cell, name).data
    x = torch.randn(7, 5)
    hidden, _ = theirs(made.policy_net.embedding(x))
    memory = made.cell.empty(x[0])
    for t in range(7):
        outputs, value, memory = made.step(x[t], memory)
        assert torch.allclose(memory[0], hidden[t], atol=1e-6)
        assert torch.allclose(outputs, made.action_net(hidden[t]), atol=1e-6)
        assert torch.allclose(value, made.value_net(hidden[t])[0], atol=1e-6)


def test_predict_remembers_and_an_episodes_start_makes_it_forget():
    made = policy()
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 3, 5)).astype(np.float32)
    _, memory = made.predict(first, deterministic=True)
    assert [part.shape for part in memory] == [(3, 20), (3, 20)]
    _, fresh = made.predict(second, deterministic=True)
    _, kept = made.predict(second, state=memory, deterministic=True)
    assert not np.allclose(kept[0], fresh[0])
    _, mixed = made.predict(second, state=memory, episode_start=np.array([True, False, True]), deterministic=True)
    assert np.allclose(mixed[0], np.where([[True], [False], [True]], fresh[0], kept[0]))


@pytest.mark.parametrize(
    "space", [spaces.Discrete(3), spaces.MultiDiscrete([2, 3]), spaces.Box(-1, 1, (2,), np.float32)], ids=str
)
def test_predict_gives_actions_in_the_space_for_one_observation_or_many(space):
    made = policy(space)
    for deterministic in (True, False):
        one, _ = made.predict(np.zeros(5, np.float32), deterministic=deterministic)
        assert space.contains(one if one.shape else int(one))
        several, _ = made.predict(np.zeros((4, 5), np.float32), deterministic=deterministic)
        assert several.shape == (4, *space.shape)
    drawn = {str(made.predict(np.zeros(5, np.float32))[0]) for _ in range(40)}
    assert len(drawn) > 1


def test_evaluate_policy_hands_the_memory_back():
    """The player must remember what it saw first: evaluated with its memory it wins, without it cannot."""

    class Recall(gym.Env):
        observation_space, action_space = SEEN, spaces.Discrete(2)

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            self.cue, self.t = int(self.np_random.integers(2)), 0
            return np.eye(5, dtype=np.float32)[self.cue], {}

        def step(self, action):
            self.t += 1
            return np.zeros(5, np.float32), float(self.t == 2 and action == self.cue), self.t == 2, False, {}

    made = policy(embedding_size=2, hidden_size=1)
    with torch.no_grad():
        for weights in made.parameters():
            weights[:] = 0
        made.policy_net.embedding.weight[0, 0], made.policy_net.embedding.weight[0, 1] = -1, 1
        made.cell.bias_ih[:] = torch.tensor([9.0, 9, 0, 9])  # all gates open: the cue is kept
        made.cell.weight_ih[2, 0] = 9
        made.action_net.weight[:] = torch.tensor([[-9.0], [9.0]])
    env = make_vec_env(Recall, 3)
    mean, _ = evaluate_policy(made, env, n_eval_episodes=60)
    assert mean == 1
