"""What a plain install promises: `python -I check.py 0.2.0` in an environment that holds the wheel and no extra.

Every line that it prints held; words behind the version keep to the lines that end so (learns, plays, steps).
`tests.bare.install` makes the environment and runs it.
"""

import importlib
import importlib.util
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pettingzoo

import popagents
import popenvs
import registration
from popagents import dynamics, plots
from popagents.plots.animations import save_gif
from registration.environments import ENVIRONMENTS, MULTI_AGENT
from registration.games import load_game
from registration.learners import LEARNERS, load_learner

EXTRAS = ("tqdm", "rich", "yaml", "rl_zoo3", "pandas", "seaborn", "scipy", "requests", "tensorboard")
EXTRAS += ("matplotlib", "PIL", "ale_py", "cv2", "pygame", "Box2D", "ray")
CHAMPIONS = Path(popagents.__file__).parent / "zoo" / "champions"
PACMAN = "popenvs:PopPacman-v0"


def check_that_it_is_bare(version: str) -> None:
    """See that no extra is here, and that what is imported is what was installed."""
    here = [name for name in EXTRAS if importlib.util.find_spec(name)]
    assert not here, f"{here} can be imported; a plain install brings none of them"
    for package in (popagents, popenvs, registration):
        assert Path(package.__file__ or "").is_relative_to(sys.prefix), f"{package} is not the installed one"
    assert popagents.__version__ == popenvs.__version__ == version


def check_public_names() -> None:
    """See that what the packages offer is there."""
    for package in (popagents, popenvs, dynamics, plots):
        for name in package.__all__:
            assert getattr(package, name) is not None, f"{package.__name__}.{name}"


def check_learner(name: str) -> None:
    """Learn a little, save, load and predict."""
    model = load_learner(name)("LinearPolicy", PACMAN, seed=0).learn(1)
    assert model.num_timesteps > 0
    model.save(name)
    loaded = load_learner(name).load(name, env=PACMAN)
    observation = gym.make(PACMAN).reset(seed=0)[0]
    actions = [player.predict(observation, deterministic=True)[0] for player in (model, loaded)]
    assert actions[0] == actions[1]
    assert loaded.learn(1, reset_num_timesteps=False).num_timesteps > model.num_timesteps


def check_champion(path: Path) -> None:
    """Load a player that ships and ask it for a move."""
    model = load_learner(path.relative_to(CHAMPIONS).parts[0]).load(path)
    assert model.action_space.contains(model.predict(model.observation_space.sample(), deterministic=True)[0])


def check_environment(env_id: str) -> None:
    """Step it alone and as a vector."""
    env = gym.make(env_id)
    env.reset(seed=0)
    assert env.observation_space.contains(env.step(env.action_space.sample())[0])
    lanes = gym.make_vec(env_id, num_envs=3)
    lanes.reset(seed=0)
    assert lanes.step(lanes.action_space.sample())[1].shape == (3,)


def check_multi_agent(env_id: str) -> None:
    """Step it together and in turns."""
    together = pettingzoo.make("parallel", env_id)
    together.reset(seed=0)
    rewards = together.step({agent: together.action_space(agent).sample() for agent in together.agents})[1]
    assert set(rewards) == set(together.possible_agents)
    turns = pettingzoo.make("aec", env_id)
    turns.reset(seed=0)
    for agent in turns.possible_agents:
        assert turns.agent_selection == agent
        turns.step(turns.action_space(agent).sample())


def check_dynamics() -> None:
    """Follow a trajectory on a game of popenvs."""
    learner = dynamics.ActorCritic(load_game("stag_hunt")(), learning_rate=0.1, discount=0.9)
    assert learner.trajectory([[[0.6, 0.4]], [[0.5, 0.5]]], max_steps=100).strategies.shape[1:] == (2, 1, 2)


def check_message(call: Callable[[], Any], extra: str) -> None:
    """See that a call which needs an extra is one error that names it."""
    try:
        call()
    except (ImportError, gym.error.DependencyNotInstalled) as error:
        assert_remedy(str(error), extra)
    else:
        raise AssertionError(f"nothing was raised where the extra {extra} is needed")


def check_program(command: str, extra: str) -> None:
    """See that a program which needs an extra ends with a line that names it."""
    program = [sys.executable, "-I", "-m", *command.split()]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert done.returncode in (1, 2), done
    assert_remedy(done.stderr.splitlines()[-1], extra)


def assert_remedy(message: str, extra: str) -> None:
    """See that a message is one line that ends with what to do."""
    assert message.endswith(f'; run `pip install "popzoo[{extra}]"`'), message
    assert len(message.splitlines()) == 1, message


def rendered() -> Any:
    """Draw a picture of a game."""
    env = gym.make(PACMAN, render_mode="rgb_array")
    env.reset(seed=0)
    return env.render()


CALLS: dict[str, tuple[Callable[[], Any], str]] = {
    "a progress bar": (lambda: load_learner("es")("LinearPolicy", PACMAN).learn(1, progress_bar=True), "zoo"),
    "a figure": (lambda: plots.canvas(3), "zoo"),
    "an animation": (lambda: save_gif([np.zeros((4, 4, 3), np.uint8)], "life.gif"), "zoo"),
    "popagents.zoo.train": (lambda: importlib.import_module("popagents.zoo.train"), "zoo"),
    "popagents.zoo.enjoy": (lambda: importlib.import_module("popagents.zoo.enjoy"), "zoo"),
    "an Atari id": (lambda: load_learner("es")("LinearPolicy", "ALE/Pong-v5"), "atari"),
    "popagents.rollout.atari": (lambda: importlib.import_module("popagents.rollout.atari"), "atari"),
    "a picture": (rendered, "render"),
}
PROGRAMS = {
    "popagents.train -h": "zoo",
    "popagents.dynamics stag_hunt": "zoo",
    "popenvs.play PopPacman-v0": "render",
}


def main(version: str, *ends: str) -> None:
    """Check everything, one line each, or the lines that end in some word."""
    held: list[tuple[str, Callable[[], None]]] = [
        ("no extra is here", partial(check_that_it_is_bare, version)),
        ("all public names are there", check_public_names),
        ("dynamics are followed", check_dynamics),
    ]
    held += [(f"{name} learns", partial(check_learner, name)) for name in LEARNERS]
    held += [(f"{path.stem} plays", partial(check_champion, path)) for path in CHAMPIONS.rglob("*.zip")]
    held += [(f"{env_id} steps", partial(check_environment, env_id)) for env_id in ENVIRONMENTS]
    held += [(f"{env_id} steps", partial(check_multi_agent, env_id)) for env_id in MULTI_AGENT]
    held += [(f"{what} names its extra", partial(check_message, *row)) for what, row in CALLS.items()]
    held += [(f"{what} names its extra", partial(check_program, what, extra)) for what, extra in PROGRAMS.items()]
    for claim, check in held:
        if claim.endswith(ends or ("",)):
            check()
            print(claim, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
