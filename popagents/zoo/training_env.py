"""The environment of a run, made again from the settings in its folder."""

import gymnasium as gym
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv

from popagents.common.optional import missing_extra
from popagents.rollout.make_env import has_native, native_vec_env, registered_id
from popagents.zoo.run_folder import RunFolder
from registration.environments import register_environments

try:
    from rl_zoo3.utils import get_wrapper_class
except ImportError as error:
    raise missing_extra(f"RL Zoo is not complete here ({error})", "zoo") from error

SHARED = ("normalize", "frame_stack", "vec_env_wrapper")  # wrappers whose state the slots share


def training_env(run: RunFolder) -> VecEnv:
    """Make the environment in which a run's members played.

    Raises:
        ValueError: it stood behind wrappers in which episodes cannot be played again one by one.
    """
    arguments, settings = run.arguments(), run.settings()
    if wrappers := [name for name in SHARED if settings.get(name) not in (None, False, 0)]:
        raise ValueError(
            f"{run.path} was trained with {' and '.join(wrappers)}, in which an episode depends on those before: its "
            "generations cannot be played again; normalize_observations scales in a way that can"
        )
    register_environments()
    env_id, slots = registered_id(arguments["env"]), int(settings.get("n_envs", 1))
    keywords, wrapper = arguments["env_kwargs"] or settings.get("env_kwargs") or {}, get_wrapper_class(settings)
    if wrapper is None and has_native(env_id):
        return native_vec_env(env_id, slots, **keywords)

    def make() -> gym.Env:
        env = gym.make(env_id, **keywords)
        return env if wrapper is None else wrapper(env)

    return DummyVecEnv([make] * slots)
