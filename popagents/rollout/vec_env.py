"""A Gymnasium vector environment seen as a Stable-Baselines3 one, so that SB3's own algorithms run on native lanes.

>>> from stable_baselines3 import PPO
>>> lanes = gym.make_vec("popenvs:PopPacman-v0", num_envs=64, autoreset_mode=AutoresetMode.SAME_STEP)
>>> model = PPO("MlpPolicy", GymVecEnv(lanes), device="cpu")
"""

import sys
import warnings
from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from stable_baselines3.common.env_util import is_wrapped
from stable_baselines3.common.vec_env.base_vec_env import VecEnv, VecEnvIndices, VecEnvObs, VecEnvStepReturn

TIMEOUT = "TimeLimit.truncated"  # SB3's name for an episode that was cut off rather than lost or won
SINGLE = {"observation_space": "single_observation_space", "action_space": "single_action_space"}


class GymVecEnv(VecEnv):
    """A Gymnasium vector environment behind SB3's interface; steps, resets and infos are those of `DummyVecEnv`.

    Args:
        vector_env: in SAME_STEP or DISABLED mode; in the latter, finished lanes are reset here through `reset_mask`.

    Raises:
        ValueError: the vector environment resets at the next step, or overwrites the observations that it returned.
    """

    def __init__(self, vector_env: VectorEnv) -> None:
        self.vector_env = vector_env
        self.autoreset_mode = checked_mode(vector_env)
        inner = vector_env.unwrapped
        self.envs: Sequence[gym.Env] = inner.envs if isinstance(inner, SyncVectorEnv) else ()
        self.spec = vector_env.spec  # VecMonitor writes its id at the head of the csv
        super().__init__(vector_env.num_envs, vector_env.single_observation_space, vector_env.single_action_space)
        self.metadata = vector_env.metadata

    def reset(self) -> VecEnvObs:
        """Begin an episode in every lane, with the seeds and options that `seed` and `set_options` left."""
        seed, options = joint_seed(self._seeds), joint_options(self._options)
        if isinstance(seed, list) and is_atari(self.vector_env):
            seed = np.array([-1 if s is None else s for s in seed])
        observations, batched = self.vector_env.reset(seed=seed, options=options)
        self.reset_infos = [lane_info(batched, lane) for lane in range(self.num_envs)]
        self._reset_seeds()
        self._reset_options()
        return observations

    def step_async(self, actions: np.ndarray) -> None:
        """Take the actions (lanes, ...) for `step_wait`."""
        self.actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        """Play one step; a lane whose episode ends is reset, and its info keeps the `terminal_observation`.

        Returns:
            observations (lanes, ...), rewards float32 (lanes,), dones bool (lanes,), one info a lane.
        """
        observations, rewards, terminated, truncated, batched = self.vector_env.step(self.actions)
        dones = np.asarray(terminated | truncated, bool)
        if "final_obs" in batched:
            batched.setdefault("_final_obs", dones)  # Atari's vector environment gives no masks
        infos = self._infos(batched)
        if dones.any():
            observations = self._begin_again(observations, dones, infos)
            for lane in np.flatnonzero(dones):
                infos[lane][TIMEOUT] = bool(truncated[lane] and not terminated[lane])
        return observations, rewards.astype(np.float32), dones, infos

    def _infos(self, batched: dict[str, Any]) -> list[dict[str, Any]]:
        """Return one info a lane, which says that its episode was not cut off."""
        if not batched:
            return [{TIMEOUT: False} for _ in range(self.num_envs)]
        return [{**lane_info(batched, lane), TIMEOUT: False} for lane in range(self.num_envs)]

    def _begin_again(self, observations: VecEnvObs, dones: np.ndarray, infos: list[dict[str, Any]]) -> VecEnvObs:
        """Put what the finished lanes ended with into their infos; return what every lane sees now."""
        finished = np.flatnonzero(dones).tolist()
        if self.autoreset_mode is AutoresetMode.SAME_STEP:
            self._part_infos(finished, infos)
            return observations
        for lane in finished:
            infos[lane]["terminal_observation"] = lane_observation(observations, lane)
        observations, batched = self.vector_env.reset(options={"reset_mask": dones})
        for lane in finished:
            self.reset_infos[lane] = lane_info(batched, lane)
        return observations

    def _part_infos(self, finished: list[int], infos: list[dict[str, Any]]) -> None:
        """Part what lanes that are reset in the same step say of their last step from what they say of the reset."""
        for lane in finished:
            begun = self.reset_infos[lane] = infos[lane]
            del begun[TIMEOUT]
            last = begun.pop("final_obs")
            infos[lane] = {**begun.pop("final_info", {}), "terminal_observation": last}

    def close(self) -> None:
        """Close the vector environment."""
        self.vector_env.close()

    def get_images(self) -> Sequence[np.ndarray | None]:
        """Return one picture a lane, or None for each where `render_mode` is not rgb_array."""
        if self.render_mode == "rgb_array":
            pictures: Any = self.vector_env.render()
            return list(pictures)
        warnings.warn(f"render_mode is {self.render_mode!r}; pictures need 'rgb_array'", stacklevel=2)
        return [None] * self.num_envs

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """Return an attribute of each lane; native lanes share those of their vector environment."""
        lanes = self._get_indices(indices)
        if self.envs:
            return [self.envs[lane].get_wrapper_attr(attr_name) for lane in lanes]
        value = getattr(self.vector_env, SINGLE.get(attr_name, attr_name))
        return [value for _ in lanes]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Set an attribute of each lane; native lanes share it, so it is set for all of them.

        Raises:
            ValueError: `indices` names a part of the native lanes.
        """
        lanes = list(self._get_indices(indices))
        if self.envs:
            for lane in lanes:
                self.envs[lane].set_wrapper_attr(attr_name, value)
        elif len(set(lanes)) == self.num_envs:
            setattr(self.vector_env, attr_name, value)
        else:
            raise ValueError(
                f"{attr_name} cannot be set in lanes {lanes} alone; native lanes share it, so leave indices out"
            )

    def env_method(
        self, method_name: str, *method_args: Any, indices: VecEnvIndices = None, **method_kwargs: Any
    ) -> list[Any]:
        """Call a method of each lane's environment; native lanes know `reset` and `render`.

        Raises:
            AttributeError: native lanes have no such method of their own.
        """
        lanes = list(self._get_indices(indices))
        if self.envs:
            return [self.envs[lane].get_wrapper_attr(method_name)(*method_args, **method_kwargs) for lane in lanes]
        if method_name == "reset":
            return self._reset_lanes(lanes, *method_args, **method_kwargs)
        if method_name == "render":
            pictures = self.vector_env.render()
            return [None if pictures is None else pictures[lane] for lane in lanes]
        raise AttributeError(
            f"the lanes of {self.vector_env} have no method {method_name!r} of their own; "
            "call it on `vector_env`, which holds all of them"
        )

    def env_is_wrapped(self, wrapper_class: type[gym.Wrapper], indices: VecEnvIndices = None) -> list[bool]:
        """Say of each lane whether its environment is wrapped in a class; native lanes never are."""
        return [bool(self.envs) and is_wrapped(self.envs[lane], wrapper_class) for lane in self._get_indices(indices)]

    def _reset_lanes(
        self, lanes: list[int], *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> list[tuple[Any, dict[str, Any]]]:
        mask = np.isin(np.arange(self.num_envs), lanes)
        seeds: Any = None if seed is None else [seed] * self.num_envs
        if seeds and is_atari(self.vector_env):
            seeds = np.array(seeds)[mask]  # one a lane that is reset
        observations, batched = self.vector_env.reset(seed=seeds, options={**(options or {}), "reset_mask": mask})
        return [(lane_observation(observations, lane), lane_info(batched, lane)) for lane in lanes]


def checked_mode(vector_env: VectorEnv) -> AutoresetMode:
    """Return the autoreset mode of a vector environment that SB3 can use; raise ValueError for others."""
    mode = mode_of(vector_env)
    if mode not in (AutoresetMode.SAME_STEP, AutoresetMode.DISABLED):
        raise ValueError(
            f"{vector_env} has autoreset_mode {mode}; SB3 needs SAME_STEP or DISABLED: make it with "
            "autoreset_mode=AutoresetMode.SAME_STEP (for gym.make_vec(..., vectorization_mode='sync') in vector_kwargs)"
        )
    if not getattr(vector_env.unwrapped, "copy", True):
        raise ValueError(
            f"{vector_env} was made with copy=False, but SB3 keeps observations over a step; make it with copy=True"
        )
    return mode


def mode_of(vector_env: VectorEnv) -> AutoresetMode | None:
    """Return the autoreset mode; ale-py writes its own into the metadata of every vector environment that has none."""
    if is_atari(vector_env):
        return vector_env.unwrapped.autoreset_mode  # type: ignore[attr-defined]
    return vector_env.metadata.get("autoreset_mode")


def is_atari(vector_env: VectorEnv) -> bool:
    """Tell whether this is ale-py's vector environment, or a subclass of it, with no wrapper around."""
    module = sys.modules.get("ale_py.vector_env")  # not imported: it is none of its
    return module is not None and isinstance(vector_env, module.AtariVectorEnv)


def joint_seed(seeds: list[int | None]) -> Any:
    """Return a seed for all lanes: None, an int where every lane's is one more than the last's, or else the list."""
    if all(seed is None for seed in seeds):
        return None
    first = seeds[0]
    return first if first is not None and seeds == [first + lane for lane in range(len(seeds))] else seeds


def joint_options(options: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the options that all lanes share; raise ValueError where they differ."""
    if any(other != options[0] for other in options):
        raise ValueError(f"options are {options}; a vector environment takes one dict for all lanes: pass a dict")
    return options[0] or None


def lane_info(batched: dict[str, Any], lane: int) -> dict[str, Any]:
    """Return one lane's part of a vector environment's infos, where `_key` tells which lanes have `key`."""
    info = {}
    for key, value in batched.items():
        is_mask = key.startswith("_") and key[1:] in batched
        if not is_mask and ("_" + key not in batched or batched["_" + key][lane]):
            info[key] = lane_info(value, lane) if isinstance(value, dict) else value[lane]
    return info


def lane_observation(observations: Any, lane: int) -> Any:
    """Copy one lane's part of an array, dict or tuple of observations."""
    if isinstance(observations, dict):
        return {key: lane_observation(value, lane) for key, value in observations.items()}
    if isinstance(observations, tuple):
        return tuple(lane_observation(value, lane) for value in observations)
    return observations[lane].copy()
