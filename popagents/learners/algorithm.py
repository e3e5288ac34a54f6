"""What all population learners share, as a Stable-Baselines3 algorithm.

What a learner supplies stands in `learner.py`, how it is driven in `loop.py`, what is random in `common/randomness.py`.
"""

from typing import Any, ClassVar, Self

import numpy as np
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.type_aliases import GymEnv, MaybeCallback
from stable_baselines3.common.utils import check_for_correct_spaces

from popagents.common import model_files
from popagents.common.checks import positive, seed_of
from popagents.common.now import Now
from popagents.learners import snapshot
from popagents.learners.conversation import State
from popagents.learners.file_settings import settings_of
from popagents.learners.learner import Learner
from popagents.learners.loading import model_in
from popagents.learners.logging import Log, check_interval
from popagents.learners.loop import Loop
from popagents.learners.progress import callbacks_of
from popagents.learners.run import Run
from popagents.learners.settings import POLICIES, PolicyDesign, designs_of, slots_each
from popagents.learners.training import train
from popagents.population.design import Design
from popagents.population.observations import check_observations
from popagents.population.policies import make_policy
from popagents.population.population import write_into
from popagents.population.workspace import Workspace
from popagents.rollout.make_env import vec_env_of
from popagents.rollout.make_slots import slots_of
from popagents.rollout.matchmaking import Matchmaker, check_seats, seats_of
from popagents.rollout.sb3_slots import seed_all
from popagents.rollout.slots import Slots
from popagents.rollout.worker import Worker


class PopulationAlgorithm(BaseAlgorithm, Learner[State]):
    """A population that learns, behind Stable-Baselines3's interface.

    Args:
        policy: a policy's name or class, or a list of them: designs among which the members are dealt.
        env: a Gymnasium id (a native vector environment with `default_slots` slots is made), environment or vector
            environment; a PettingZoo parallel environment, where members meet; an SB3 VecEnv; or a function making one.
        population_size: members.
        learning_rate: what the learner makes of it.
        champion_episodes: episodes by the likeliest actions that each finalist plays when the champion is chosen.
        stats_window_size and all others: see `settings.Shared`.

    Attributes:
        policy: the champion, an SB3 policy; what `predict` uses. During `learn` it is the fittest member of the last
            generation; at the end of `learn` it is the best of the fittest quarter in evaluation episodes.
        num_timesteps: steps taken in the environment for learning.
        loop: drives the learner; `loop.run` is all that the run has become.
    """

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = POLICIES
    several_designs: ClassVar[bool] = False  # whether policies of several designs may live together
    _slots: Slots | None

    def __init__(
        self,
        policy: Any,
        env: Any,
        *,
        population_size: int,
        learning_rate: float = 1.0,
        champion_episodes: int = 1,
        episodes: int = 1,
        policy_kwargs: Any = None,
        tensorboard_log: str | None = None,
        verbose: int = 0,
        seed: int | None = None,
        device: Any = "auto",
        stats_window_size: int = 100,
        workers: int = 1,
        ray_address: str | None = None,
        _init_setup_model: bool = True,
    ) -> None:
        sizes = {"population_size": population_size, "episodes": episodes, "champion_episodes": champion_episodes}
        for name, size in (sizes | {"stats_window_size": stats_window_size, "workers": workers}).items():
            positive(name, size)
        self.given_env, self.workers, self.ray_address = env, int(workers), ray_address
        self.run_seed = seed_of(seed)
        self.population_size, self.episodes = int(population_size), int(episodes)
        self.champion_episodes, self.stats_window_size = int(champion_episodes), int(stats_window_size)
        self.designs: list[PolicyDesign] = designs_of(type(self), policy, policy_kwargs, population_size)
        super().__init__(
            self.designs[0][0],
            vec_env_of(env, slots_each(self)),
            learning_rate,
            policy_kwargs=self.designs[0][1],
            tensorboard_log=tensorboard_log,
            verbose=verbose,
            seed=seed,
            device=device,
            support_multi_env=True,
            stats_window_size=stats_window_size,
        )
        if _init_setup_model:
            self._setup_model()

    def make_workspace(self) -> Workspace:
        """Make what players are seated in."""
        return Workspace([Design(self.new_policy(design)) for design in range(len(self.designs))])

    @property
    def default_slots(self) -> int:
        """Return how many slots are made for an environment given by its id: one a member."""
        return self.population_size

    def matchmaker(self, now: Now) -> Matchmaker:
        """Return what makes this generation's tables of jobs."""
        return Matchmaker(now, self.population_size, seats_of(self.env))  # type: ignore[arg-type]

    def new_policy(self, design: int) -> BasePolicy:
        """Make a policy of a design; the same at every call."""
        policy, kwargs = self.designs[design]
        return make_policy(policy, self.observation_space, self.action_space, self.lr_schedule, kwargs, self.run_seed)

    @property
    def now(self) -> Now:
        """Return when the next generation is lived."""
        run = self.loop.run
        return Now(self.run_seed, run.generation, run.progress(self._total_timesteps))

    @property
    def generation(self) -> int:
        """Return how many generations are done."""
        return self.loop.run.generation

    @property
    def fitness(self) -> np.ndarray:
        """Return each member's fitness in the last generation: float64, (members,)."""
        return self.loop.run.fitness

    @property
    def champion(self) -> int:
        """Return the member that `policy` was when it was chosen."""
        return self.loop.run.champion

    @property
    def evaluation_timesteps(self) -> int:
        """Return how many steps were taken to choose champions."""
        return self.loop.run.evaluation_timesteps

    @property
    def lineage(self) -> np.ndarray:
        """Return who lived and from whom each learned: structured array of `popagents.common.lineage.ROW`."""
        return self.loop.lineage

    def start_from(self, policy: BasePolicy) -> None:
        """Let every member begin with the weights of a trained SB3 policy, for example `PPO(...).policy`.

        Raises:
            ValueError: a design of this population has other parameters.
        """
        self.loop.start_from(policy)
        self.show_champion()

    def predict(
        self,
        observation: Any,
        state: tuple[np.ndarray, ...] | None = None,
        episode_start: np.ndarray | None = None,
        deterministic: bool | None = None,
    ) -> tuple[np.ndarray, tuple[np.ndarray, ...] | None]:
        """Choose actions as in SB3; `deterministic` None acts as members do, True and False are obeyed."""
        likeliest = not self.samples if deterministic is None else deterministic
        return self.policy.predict(observation, state, episode_start, likeliest)

    def set_parameters(self, load_path_or_dict: Any, exact_match: bool = True, device: Any = "auto") -> None:
        """Set the weights of the policy as in SB3, and with them the champion's in the run (see `with_champion`)."""
        super().set_parameters(snapshot.parameters_of(load_path_or_dict), exact_match, device)
        self.loop.set_champion(self.policy)

    def set_env(self, env: GymEnv, force_reset: bool = True) -> None:
        """Go on in another environment of the same spaces, with any number of slots."""
        wrapped = self._wrap_env(vec_env_of(env, slots_each(self)), self.verbose)
        check_for_correct_spaces(wrapped, self.observation_space, self.action_space)
        check_seats(self.population_size, seats_of(wrapped))
        self.given_env, self.env, self.n_envs, self._slots, self._last_obs = env, wrapped, wrapped.num_envs, None, None

    def _setup_model(self) -> None:
        self.make_parts()
        self.begin(Run(self.initial_state(), np.full(self.population_size, np.nan)))

    def make_parts(self) -> None:
        """Make all that does not learn."""
        check_observations(self.observation_space)  # before a run begins
        settings_of(self)
        if self.env is not None:
            check_seats(self.population_size, seats_of(self.env))
            seed_all(self.env, self.run_seed % 2**32)  # SB3 resets it when `learn` begins, which VecNormalize counts
        self._setup_lr_schedule()
        self._slots, self._shown_design = None, -1
        self.workspace = self.make_workspace()

    def begin(self, run: Run[State], lineage: np.ndarray | None = None) -> None:
        """Take up a run where it stands."""
        self.loop: Loop[State] = Loop(self, Worker(self.workspace), self.action_space, run, lineage)
        self.show_champion()

    def show_champion(self) -> None:
        """Make the champion the policy that `predict` uses."""
        design, parameters = self.policy_of(self.loop.run.state, self.loop.run.champion)
        if self._shown_design != design:
            self._shown_design, self.policy = design, self.new_policy(design).to(self.device)
        write_into(self.policy, parameters)

    def learn(
        self,
        total_timesteps: int,
        callback: MaybeCallback = None,
        log_interval: int | None = 1,
        tb_log_name: str | None = None,
        reset_num_timesteps: bool = True,
        progress_bar: bool = False,
        resume: bool = False,
    ) -> Self:
        """Live generations until `total_timesteps` steps are taken; the last one is finished.

        Args:
            total_timesteps: steps to take in this call.
            callback: SB3's; False stops at once (workers: after a request); the generation is not learned from then.
            log_interval: log every so many generations, onto the screen at most once a second; None never.
            tb_log_name: name of the TensorBoard run, the learner's by default.
            reset_num_timesteps: count from zero (generations go on counting in any case).
            progress_bar: show one.
            resume: continue a stopped run toward its own `total_timesteps`; an unfinished generation is played again.

        Raises:
            ValueError: there is no environment, or `log_interval` is below 1.
            RuntimeError: the environment failed, or a return is not finite; the run stays as it was.
        """
        check_interval(log_interval)
        if resume:
            self.num_timesteps = self.loop.run.timesteps
            total_timesteps, reset_num_timesteps = total_timesteps - self.num_timesteps, False
        if self.env is None:
            raise ValueError("the model has no environment; give it one with set_env(env) or load(path, env=env)")
        hooks, name = callbacks_of(callback, progress_bar), tb_log_name or type(self).__name__
        _, hook = self._setup_learn(total_timesteps, hooks, reset_num_timesteps, name)
        self._slots = self._slots or slots_of(self.env)
        hook.on_training_start(locals(), globals())
        train(self, self._slots, hook, self._update_info_buffer, log_interval, self._total_timesteps)
        hook.on_training_end()
        return self

    def dump_logs(self) -> None:
        """Write the log as it stands, in the middle of a generation too; SB3's `LogEveryNTimesteps` calls it."""
        log = Log(self.logger, self._num_timesteps_at_start, int(self.start_time))
        log.record({}, self.loop.run, self.num_timesteps, self.ep_info_buffer or [], self.ep_success_buffer or [])
        log.dump(self.num_timesteps)

    def save(self, path: Any, exclude: Any = None, include: Any = None) -> None:
        """Save the whole run as it was when the current generation began, and the policy that `predict` uses.

        Args:
            path: where; `.zip` is added. The file is written beside and renamed, so what stood there is never lost.
            exclude: settings to leave out, which `load` then takes from keywords or defaults; the state is whole.
            include: settings to keep in spite of `exclude`.

        Raises:
            OSError: the disk is full or the folder cannot be written.
            ValueError: `include` names what no file can hold.
        """
        model_files.write(path, *snapshot.pack(self, self.lineage, exclude or (), include or ()))

    @classmethod
    def load(
        cls,
        path: Any,
        env: GymEnv | None = None,
        device: Any = "auto",
        custom_objects: dict[str, Any] | None = None,
        print_system_info: bool = False,
        force_reset: bool = True,
        **kwargs: Any,
    ) -> Self:
        """Load a model; with an environment of the same spaces it can go on learning.

        Args:
            path: the file.
            env: where to go on; None suffices for `predict`.
            device: where the champion computes.
            custom_objects: settings in place of the file's, and `policy`, `policy_kwargs` of other classes.
            print_system_info: accepted for SB3's sake.
            force_reset: likewise.
            kwargs: settings to change. `seed` is accepted and ignored: a run's random numbers are its own.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: it is damaged, of another version or learner, or a setting cannot change.
        """
        changes = {name: value for name, value in kwargs.items() if name not in ("seed", "policy_kwargs")}
        return model_in(cls, path, custom_objects or {}, changes | {"env": env, "device": device})
