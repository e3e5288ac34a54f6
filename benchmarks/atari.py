"""Atari: how much of the emulator's speed is left when a population plays, and what its networks cost."""

from collections.abc import Callable, Iterator
from statistics import median

import ale_py
import gymnasium as gym
import numpy as np
import torch
from ale_py import roms
from ale_py.vector_env import AtariVectorEnv
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from stable_baselines3.common.policies import BasePolicy

from benchmarks.ratios import paired, seconds
from benchmarks.table import Row, show
from popagents.population.design import Design
from popagents.population.extractors import StridedCNN
from popagents.population.policies import CnnPolicy, MlpPolicy, SmallCnnPolicy
from popagents.population.population import Population
from popagents.rollout.atari import AtariLanes
from popagents.rollout.jobs import Jobs
from popagents.rollout.make_slots import slots_of
from popagents.rollout.play import play
from popagents.rollout.vec_env import GymVecEnv

GAME, MEMBERS, LANES, FRAMES = "space_invaders", 64, 8, 4
STICKY = 0.25
PARTS = 8  # the members play in so many turns, between which the yardstick runs


def players(env: VectorEnv, policy: type[BasePolicy]) -> Callable[[], int]:
    """Return what lets the next members of a population play a game each, and counts the decisions."""
    slots = slots_of(GymVecEnv(env))
    design = Design(policy(env.single_observation_space, env.single_action_space))
    population = Population([design], [design.normal(np.random.default_rng(0), MEMBERS, 0.1)])
    turns = iter(range(10**9))

    def work() -> int:
        turn = next(turns)
        members = (np.arange(MEMBERS // PARTS) + turn * MEMBERS // PARTS) % MEMBERS
        seeds, judged = (turn * 1000 + members)[:, None], np.ones(len(members), bool)
        return int(play(population, slots, Jobs(members, members, seeds, None, judged)).lengths.sum())

    return work


def theirs() -> AtariVectorEnv:
    """Make ale-py's vector environment of the same game."""
    return AtariVectorEnv(
        GAME,
        LANES,
        autoreset_mode=AutoresetMode.SAME_STEP,
        reward_clipping=False,
        repeat_action_probability=STICKY,
        num_threads=1,
    )


def random_pixels() -> Callable[[], int]:
    """Return what plays random actions in ale-py's vector environment."""
    env, rng, steps = theirs(), np.random.default_rng(0), 400
    env.reset(seed=1)

    def work() -> int:
        for actions in rng.integers(env.single_action_space.n, size=(steps, LANES)):
            env.step(actions)
        return steps * LANES

    return work


def raw_emulator() -> Callable[[], int]:
    """Return what plays random actions in the bare emulator and reads its memory."""
    ale, rng, steps = ale_py.ALEInterface(), np.random.default_rng(0), 3000
    ale.setFloat("repeat_action_probability", STICKY)
    ale.loadROM(roms.get_rom_path(GAME))
    buttons, memory = ale.getMinimalActionSet(), np.zeros(128, np.uint8)

    def work() -> int:
        for choice in rng.integers(len(buttons), size=steps).tolist():
            for _ in range(FRAMES):
                ale.act(buttons[choice])
            ale.getRAM(memory)
            if ale.game_over():
                ale.reset_game()
        return steps

    return work


def share(ours: Callable[[], int], yardstick: Callable[[], int], rounds: int = 5) -> tuple[float, float, float]:
    """Return the median speeds of both (decisions per CPU second), and the median of their ratios, turn by turn."""
    ours(), yardstick()
    speeds = []
    for _ in range(rounds):
        speeds.append((speed(ours), speed(yardstick)))
    return median(a for a, _ in speeds), median(b for _, b in speeds), median(a / b for a, b in speeds)


def speed(work: Callable[[], int]) -> float:
    """Return the decisions per CPU second of some work that counts them."""
    counts: list[int] = []
    cost = seconds(lambda: counts.append(work()))
    return counts[0] / cost


def speeds() -> Iterator[Row]:
    """A population at play against the bare machine; seeded starts and the network are ours to pay."""
    ram = SyncVectorEnv(
        [lambda: gym.make("ALE/SpaceInvaders-v5", obs_type="ram")] * LANES, autoreset_mode=AutoresetMode.DISABLED
    )
    for what, ours, yardstick in (
        (
            "pixels, AtariLanes, SmallCnnPolicy / AtariVectorEnv, random actions",
            players(AtariLanes(GAME, LANES), SmallCnnPolicy),
            random_pixels(),
        ),
        (
            "pixels, AtariVectorEnv, SmallCnnPolicy / the same, random actions",
            players(theirs(), SmallCnnPolicy),
            random_pixels(),
        ),
        (
            "RAM, AtariLanes, 64x64 / bare emulator, random actions",
            players(AtariLanes(GAME, LANES, obs_type="ram"), MlpPolicy),
            raw_emulator(),
        ),
        ("RAM, gym.make, 64x64 / bare emulator, random actions", players(ram, MlpPolicy), raw_emulator()),
    ):
        fast, bare, ratio = share(ours, yardstick)
        frames = f"{fast * FRAMES:,.0f} of {bare * FRAMES:,.0f} frames per CPU s".replace(",", " ")
        yield f"atari, {MEMBERS} members: {what}", "high", f"{ratio:.0%} ({frames})"


def networks() -> Iterator[Row]:
    """Convolutions stacked in NumPy against torch, picture by picture."""
    torch.set_num_threads(1)
    small, large = spaces.Box(0, 255, (4, 84, 84), np.uint8), spaces.Box(0, 255, (3, 128, 128), np.uint8)
    for policy, space, kwargs in (
        (SmallCnnPolicy, small, {}),
        (CnnPolicy, small, {}),
        (CnnPolicy, large, {"features_extractor_class": StridedCNN}),
    ):
        design = Design(policy(space, spaces.Discrete(6), **kwargs))
        members = design.copies(16)
        rows, pictures = np.arange(15, -1, -2), np.stack([space.sample() for _ in range(8)])
        ours, torchs, ratio = paired(
            lambda: [design.outputs(members, rows, pictures) for _ in range(10)],  # noqa: B023
            lambda: [design.through_torch(members, rows, pictures) for _ in range(10)],  # noqa: B023
        )
        name = type(design.template.features_extractor).__name__
        cost = f"{torchs / 80 * 1e6:.0f} against {ours / 80 * 1e6:.0f} us a picture"
        yield f"atari, {name}: torch, picture by picture / ours", "> 1", f"{ratio:.1f} ({cost})"


def rows() -> Iterator[Row]:
    """All of it."""
    yield from speeds()
    yield from networks()


if __name__ == "__main__":
    show(rows())
