"""A progress bar that follows `num_timesteps`."""

from stable_baselines3.common.callbacks import BaseCallback, ProgressBarCallback

from popagents.common.optional import needed


class StepsBar(ProgressBarCallback):
    """SB3's bar, moved to the steps really taken: it adds `num_envs` a call, which counts idle slots too."""

    def _on_step(self) -> bool:
        self.pbar.update(self.num_timesteps - self.model._num_timesteps_at_start - self.pbar.n)
        return True


def progress_callbacks(progress_bar: bool) -> list[BaseCallback]:
    """Return the bar as a list of one, empty where none is asked for.

    Raises:
        ImportError: one is asked for, and tqdm or rich is not installed.
    """
    if not progress_bar:
        return []
    for module in ("tqdm", "rich"):
        needed(module)
    return [StepsBar()]
