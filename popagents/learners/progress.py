"""A progress bar that follows `num_timesteps`."""

from stable_baselines3.common.callbacks import ProgressBarCallback


class StepsBar(ProgressBarCallback):
    """SB3's bar, moved to the steps really taken: it adds `num_envs` a call, which counts idle slots too."""

    def _on_step(self) -> bool:
        self.pbar.update(self.num_timesteps - self.model._num_timesteps_at_start - self.pbar.n)
        return True
