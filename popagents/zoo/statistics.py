"""What a VecNormalize has seen, as data beside a trained agent, where RL Zoo keeps a pickle that may run code."""

from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

from popagents.common.archive import arrays_of
from popagents.common.model_files import refusing

STATISTICS, PICKLE = "vecnormalize.safetensors", "vecnormalize.pkl"
SETTINGS = ("norm_obs", "norm_reward", "clip_obs", "clip_reward", "epsilon", "gamma")
SEEN = "observations"
MOMENTS = ("mean", "var", "count")


def save_statistics(env: VecNormalize, folder: Path) -> None:
    """Write a VecNormalize's settings and all that it has seen into an agent's folder, as float64."""
    arrays = {name: np.asarray(getattr(env, name), np.float64) for name in SETTINGS}
    for kind, moments in moments_of(env).items():
        arrays |= {f"{kind}/{name}": np.asarray(getattr(moments, name), np.float64) for name in MOMENTS}
    save_file(arrays, str(folder / STATISTICS))


def moments_of(env: VecNormalize) -> dict[str, Any]:
    """Return SB3's running moments of returns and, where they are scaled, of observations, or of a Dict's parts."""
    if not env.norm_obs:
        return {"returns": env.ret_rms}
    if not isinstance(env.obs_rms, dict):
        return {"returns": env.ret_rms, SEEN: env.obs_rms}
    return {"returns": env.ret_rms} | {f"{SEEN}/{name}": moments for name, moments in env.obs_rms.items()}


def parts_in(arrays: dict[str, np.ndarray]) -> list[str] | None:
    """Return which parts of a Dict were scaled; None where observations are no Dict."""
    names = [name.removesuffix("/mean") for name in arrays if name.endswith("/mean")]
    return [name.removeprefix(f"{SEEN}/") for name in names if name.startswith(f"{SEEN}/")] or None


def check_statistics(folder: Path) -> None:
    """Refuse a folder whose statistics are not data.

    Raises:
        ValueError: it holds RL Zoo's pickle alone.
    """
    if (folder / PICKLE).is_file() and not (folder / STATISTICS).is_file():
        raise ValueError(
            f"there is no {folder / STATISTICS}; RL Zoo's own {PICKLE} may run code: if you know who made it, --trust "
            "reads it"
        )


def normalized(env: VecEnv, folder: Path, *, training: bool = False) -> VecNormalize:
    """Scale an environment as the statistics in an agent's folder say.

    Args:
        env: whose observations they are of.
        folder: the agent's.
        training: whether to go on gathering statistics, and to scale rewards, too, where that was done.

    Raises:
        ValueError: there are none, or they are damaged, or of other observations.
    """
    file = folder / STATISTICS
    check_statistics(folder)
    if not file.is_file():
        raise ValueError(f"there is no {file}, by which the agent's observations are to be scaled; train it again")
    with refusing(file):
        arrays = arrays_of(file.read_bytes())
        settings: dict[str, Any] = {name: number_of(arrays, name) for name in SETTINGS}
        switches = {"norm_obs": bool(settings["norm_obs"]), "norm_reward": training and bool(settings["norm_reward"])}
        wrapped = VecNormalize(env, training, **settings | switches, norm_obs_keys=parts_in(arrays))
        fill_all(wrapped, arrays)
    return wrapped


def restore_moments(env: VecNormalize, folder: Path) -> None:
    """Give a VecNormalize the moments in an agent's folder again.

    Raises:
        ValueError: they are damaged, or of other observations.
    """
    with refusing(folder / STATISTICS):
        fill_all(env, arrays_of((folder / STATISTICS).read_bytes()))


def fill_all(env: VecNormalize, arrays: dict[str, np.ndarray]) -> None:
    """Put a file's moments into a VecNormalize; see `fill`."""
    for kind, moments in moments_of(env).items():
        fill(moments, arrays, kind)


def number_of(arrays: dict[str, np.ndarray], name: str) -> float:
    """Return a number.

    Raises:
        ValueError: it is missing, or no finite number from 0.
    """
    return float(checked(arrays, name, ()))


def fill(moments: Any, arrays: dict[str, np.ndarray], kind: str) -> None:
    """Put a file's moments into SB3's.

    Raises:
        ValueError: they are not like these, not finite, or a variance is below 0.
    """
    shape = moments.mean.shape
    moments.mean = checked(arrays, f"{kind}/mean", shape, lowest=-np.inf).copy()
    moments.var, moments.count = checked(arrays, f"{kind}/var", shape).copy(), number_of(arrays, f"{kind}/count")


def checked(arrays: dict[str, np.ndarray], name: str, shape: tuple[int, ...], lowest: float = 0) -> np.ndarray:
    """Return an array.

    Raises:
        ValueError: it is missing, of another shape or dtype, not finite, or holds numbers below the lowest.
    """
    array = arrays.get(name, np.zeros(0, "V1"))
    alike = array.shape == shape and array.dtype == np.float64
    if not alike or not np.isfinite(array).all() or (array < lowest).any():
        found = f"{array.dtype} {array.shape}" if name in arrays else "missing"
        raise ValueError(f"{name} is {found}; it must be finite float64 {shape}, in its range: train the agent again")
    return array
