"""A progress bar that follows `num_timesteps`."""

from stable_baselines3.common.callbacks import BaseCallback, ConvertCallback, ProgressBarCallback
from stable_baselines3.common.type_aliases import MaybeCallback

from popagents.common.optional import needed


class StepsBar(ProgressBarCallback):
    """SB3's bar, moved to the steps really taken: it adds `num_envs` a call, which counts idle slots too."""

    def _on_training_start(self) -> None:
        super()._on_training_start()
        self.begun = self.model.num_timesteps

    def _on_step(self) -> bool:
        self.pbar.update(self.num_timesteps - self.begun - self.pbar.n)
        return True


def callbacks_of(callback: MaybeCallback, progress_bar: bool) -> list[BaseCallback]:
    """Return what `learn` was given as callbacks, and the bar if one is asked for.

    Raises:
        ImportError: one is asked for, and tqdm or rich is not installed.
    """
    given = [*callback] if isinstance(callback, list) else [callback] if callback else []
    callbacks = [c if isinstance(c, BaseCallback) else ConvertCallback(c) for c in given]
    if not progress_bar:
        return callbacks
    for module in ("tqdm", "rich"):
        needed(module)
    return [*callbacks, StepsBar()]
