"""Space Invaders from pixels in minutes: an elitist evolution strategy.

    python -m examples.space_invaders [--runs 3] [--steps N] [--games 16] [--folder runs/space_invaders]

Trains with the preset `elitist_es.yml`, on first lives alone, and tests the centre on whole games now and
then. Leaves in the folder each run's best centre, the tests of all runs as curves, and a film of the best of all.
"""

import argparse
from pathlib import Path

import torch
from stable_baselines3.common.callbacks import EvalCallback
from stable_baselines3.common.vec_env import VecMonitor

from examples.presets import preset
from popagents import ElitistES, plots
from popagents.plots import animations
from popagents.rollout.make_env import native_vec_env, single_env

ENV = "ALE/SpaceInvaders-v5"
LANES, EVERY = 8, 40_000  # emulators that test; after how many decisions
SCORES = {"random": 148.0, "always firing": 285.0}


def trained(seed: int, steps: int, games: int, folder: Path) -> EvalCallback:
    """Train one centre; return what tested it, the best left in the folder as `best_model.zip`."""
    _, lanes, env_kwargs, settings = preset("elitist_es", ENV)
    examiner = EvalCallback(
        VecMonitor(native_vec_env(ENV, LANES)),
        n_eval_episodes=games,
        eval_freq=max(1, min(EVERY, steps) // lanes),  # in steps of all lanes together
        best_model_save_path=str(folder),
        log_path=str(folder),  # without it no result is kept
        verbose=0,
    )
    model = ElitistES(env=VecMonitor(native_vec_env(ENV, lanes, **env_kwargs)), seed=seed, **settings)
    model.learn(steps, examiner, log_interval=None, progress_bar=True)
    return examiner


def main(arguments: list[str] | None = None) -> None:
    """Train, draw, film."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="with seeds from 0")
    parser.add_argument("--steps", type=int, default=preset("elitist_es", ENV)[0], help="decisions of each run")
    parser.add_argument("--games", type=int, default=16, help="of each test")
    parser.add_argument("--folder", type=Path, default=Path("runs/space_invaders"), help="where the results go")
    options = parser.parse_args(arguments)

    torch.set_num_threads(1)  # networks this small gain nothing from more
    tests, best = {}, {}
    for seed in range(options.runs):
        folder = options.folder / f"seed_{seed}"
        examiner = trained(seed, options.steps, options.games, folder)
        tests[f"seed {seed}"] = examiner.evaluations_timesteps, examiner.evaluations_results
        best[folder / "best_model.zip"] = examiner.best_mean_reward
        print(f"seed {seed}: {examiner.best_mean_reward:.0f} points in its best test", flush=True)
    title = "Space Invaders from pixels: the centre's score in whole games"
    paths = [plots.evaluation_curves(tests, options.folder / "tests.png", SCORES, title)]
    player = ElitistES.load(max(best, key=lambda path: best[path]))
    frames = animations.episode_frames(single_env(ENV, render_mode="rgb_array"), player, seed=1)
    paths.append(animations.save_gif(frames, options.folder / "game.gif", fps=15))
    print("Written:")
    for path in [*best, *paths]:
        print(f"  {path}")


if __name__ == "__main__":
    main()
