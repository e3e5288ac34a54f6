"""The loop that every population learner shares, as a Stable-Baselines3 algorithm.

One generation is

    candidates = self.ask()          # who plays
    lives = self.live(candidates)    # their episodes
    self.tell(candidates, lives)     # who learns from whom, who survives, where the mean moves

and everything random in it is a function of (run seed, generation, member, episode), so that a stopped run goes on
bit for bit and the number of slots never changes a result. A learner supplies `ask`, `tell` and the state they keep.
"""

import difflib
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback, ConvertCallback
from stable_baselines3.common.policies import ActorCriticPolicy, BasePolicy
from stable_baselines3.common.type_aliases import GymEnv, MaybeCallback
from stable_baselines3.common.utils import check_for_correct_spaces
from stable_baselines3.common.vec_env import VecEnv
from threadpoolctl import threadpool_limits

from popagents.common import model_files as saving
from popagents.common.checks import positive
from popagents.common.lineage import ROW, Lineage, Transmission
from popagents.common.randomness import Purpose, episode_seeds, keys
from popagents.learners.checkpoint import changed, pack, unpack
from popagents.learners.logging import diversity, log_generation, write_monitor
from popagents.learners.progress import StepsBar
from popagents.population.actions import Actions
from popagents.population.policies import CnnPolicy, LinearPolicy, MlpPolicy, SmallCnnPolicy, make_policy
from popagents.population.population import Population, Stack
from popagents.rollout.make_env import second_vec_env, vec_env_of
from popagents.rollout.matchmaking import examiners, meetings, of_finalists, seats_of, shared
from popagents.rollout.play import Lives, RandomPlayers, Recorder, Step, play
from popagents.rollout.slots import Slots, slots_of


class PopulationAlgorithm(BaseAlgorithm):
    """What all population learners have in common.

    Args:
        policy: a policy's name or class, or a list of them: designs among which the members are dealt.
        env: a Gymnasium id (a native vector environment with `lives_at_once` slots is made), a Gymnasium environment or
            vector environment, or an SB3 VecEnv with any number of slots.
        learning_rate: what the learner makes of it.
        population_size: members.
        episodes: episodes that a candidate plays in each generation.
        champion_episodes: argmax episodes that each finalist plays when a champion is chosen.
        policy_kwargs: keywords for the policy; a list of dicts for several designs.
        tensorboard_log, verbose, seed, device: as in SB3.

    Attributes:
        generation: how many are done.
        champion: who `policy` was when it was chosen (member).
        fitness: float64, (members,), each member's mean return in the last generation; NaN before the first.
        lineage: structured array of `popagents.common.lineage.ROW`, who lived and from whom each learned.
        policy: the champion, an SB3 policy; what `predict` uses. During `learn` it is the fittest member of the last
            generation; at the end of `learn` and in every saved file it is the winner of an exam: the best quarter play
            `champion_episodes` argmax episodes each, on seeds of their own.
        num_timesteps: steps taken in the environment for learning.
        evaluation_timesteps: steps taken for exams.
    """

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {
        "LinearPolicy": LinearPolicy,
        "MlpPolicy": MlpPolicy,
        "CnnPolicy": CnnPolicy,
        "SmallCnnPolicy": SmallCnnPolicy,
        "ActorCriticPolicy": ActorCriticPolicy,
    }
    records: ClassVar[bool] = False  # whether `tell` needs what was seen and done
    samples: ClassVar[bool] = True  # whether members sample their actions, rather than take the likeliest
    several_designs: ClassVar[bool] = True  # whether policies of several designs may live together
    stores_members: ClassVar[bool] = True  # whether a file holds the members' parameters

    def __init__(
        self,
        policy: Any,
        env: Any,
        learning_rate: float,
        population_size: int,
        episodes: int,
        champion_episodes: int,
        policy_kwargs: Any,
        tensorboard_log: str | None,
        verbose: int,
        seed: int | None,
        device: Any,
        _init_setup_model: bool,
    ) -> None:
        positive("population_size", population_size)
        positive("episodes", episodes)
        positive("champion_episodes", champion_episodes)
        self.population_size = int(population_size)
        self.episodes = int(episodes)
        self.champion_episodes = int(champion_episodes)
        names = policy if isinstance(policy, (list, tuple)) else [policy]
        kwargs = policy_kwargs if isinstance(policy_kwargs, (list, tuple)) else [policy_kwargs or {}] * len(names)
        if not names or len(kwargs) != len(names) or len(names) > population_size:
            raise ValueError(
                f"policy names {len(names)} designs, policy_kwargs {len(kwargs)}, for {population_size} members; give "
                "one dict a design and at least one member to each"
            )
        if len(names) > 1 and not self.several_designs:
            raise ValueError(f"policy names {len(names)} designs; {type(self).__name__} evolves one: name one")
        super().__init__(
            names[0],
            vec_env_of(env, self.lives_at_once),
            learning_rate,
            policy_kwargs=kwargs[0],
            tensorboard_log=tensorboard_log,
            verbose=verbose,
            seed=seed,
            device=device,
            support_multi_env=True,
        )
        classes = [self._get_policy_from_name(n) if isinstance(n, str) else n for n in names]
        self.designs = list(zip(classes, kwargs, strict=True))
        self.run_seed = int(np.random.SeedSequence().entropy % 2**32) if seed is None else int(seed)  # type: ignore
        self.generation = 0
        self.evaluation_timesteps = 0
        self._steps_lived = 0  # steps of all finished generations
        self._start = 0  # num_timesteps when this generation began
        self._playing = False
        self._examined = 0  # the generation for which the champion was chosen
        if _init_setup_model:
            self._setup_model()

    # ---------------------------------------------------------------- what a learner supplies

    def ask(self) -> np.ndarray:
        """Return who plays in this generation: int64, (candidates,); by default every member."""
        return np.arange(self.population_size)

    @abstractmethod
    def tell(self, candidates: np.ndarray, lives: Lives) -> tuple[np.ndarray, np.ndarray, Transmission]:
        """Move on to the next generation.

        Returns:
            Each member's parent and second parent (int, (members,), -1 for none), and how it is transmitted.
        """

    def scores(self, lives: Lives) -> np.ndarray:
        """Return each member's fitness, float64, (members,); a learner that keeps scores overrides it."""
        return lives.fitness(self.population_size)

    def learner_arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays, beside the population's, that `tell` needs to go on."""
        return {}

    def set_learner_arrays(self, arrays: dict[str, np.ndarray]) -> None:
        """Take back what `learner_arrays` returned."""

    @property
    def lives_at_once(self) -> int:
        """Return how many slots are made for an environment given by its id: one a member."""
        return self.population_size

    # ---------------------------------------------------------------- set-up

    def _setup_model(self) -> None:
        saving.space_to_json(self.observation_space)  # refuses what cannot be saved before a run begins
        Actions.of(self.action_space)
        self._setup_lr_schedule()
        templates = [self._new_policy(d) for d in range(len(self.designs))]
        self.population = Population(templates, self.population_size, self._new_stack)
        self.fitness = np.full(self.population_size, np.nan)
        self._lineage = Lineage()
        self._recorder = Recorder() if self.records else None
        self.watch: Callable[[np.ndarray, np.ndarray], None] | None = None  # is told what the jobs see, step by step
        self._slots: Slots | None = None
        self._exam_env: VecEnv | None = None
        self._crown(0)

    def _new_policy(self, design: int) -> BasePolicy:
        """Make a policy of a design; the same at every call."""
        policy_class, kwargs = self.designs[design]
        spaces = self.observation_space, self.action_space
        policy = make_policy(policy_class, *spaces, self.lr_schedule, kwargs, self.run_seed)
        policy.set_training_mode(False)
        return policy

    def _new_stack(self, template: BasePolicy, size: int) -> Stack:
        """Make the stack of a design's members."""
        return Stack(template, size)

    def _get_policy_from_name(self, policy_name: str) -> type[BasePolicy]:
        if policy_name in self.policy_aliases:
            return self.policy_aliases[policy_name]
        near = difflib.get_close_matches(policy_name, self.policy_aliases, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"policy is {policy_name!r}; choose one of {', '.join(self.policy_aliases)}, or a class{hint}")

    def set_env(self, env: GymEnv, force_reset: bool = True) -> None:
        """Go on in another environment of the same spaces, with any number of slots."""
        wrapped = self._wrap_env(vec_env_of(env, self.lives_at_once), self.verbose)
        check_for_correct_spaces(wrapped, self.observation_space, self.action_space)
        self.env, self.n_envs, self._slots = wrapped, wrapped.num_envs, None
        self._last_obs = None

    def start_from(self, policy: BasePolicy) -> None:
        """Let every member begin with the weights of a trained SB3 policy, for example `PPO(...).policy`.

        Raises:
            ValueError: a design of this population has other parameters.
        """
        for stack in self.population.stacks:
            stack.fill(policy)
        self._crown(0)

    def counts(self) -> dict[str, int]:
        """Return the counters that a file holds, as they were when the current generation began."""
        names = ("run_seed", "generation", "_start", "_steps_lived", "evaluation_timesteps", "_examined")
        return {name: int(getattr(self, name)) for name in names} | {"num_timesteps": self._start}

    def recall(self, lineage: Lineage, fitness: np.ndarray, champion: int) -> None:
        """Take back the past, as it was read from a file."""
        self._lineage, self.fitness = lineage, fitness
        self._crown(champion)

    @property
    def lineage(self) -> np.ndarray:
        """Return who lived and from whom each learned: structured array of `popagents.common.lineage.ROW`."""
        return self._lineage.rows

    # ---------------------------------------------------------------- the loop

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
            callback: SB3's; returning False stops at once, and the unfinished generation is not learned from.
            log_interval: log every so many generations, onto the screen at most once a second; None never.
            tb_log_name: name of the TensorBoard run, the learner's by default.
            reset_num_timesteps: count from zero (generations go on counting in any case).
            progress_bar: show one.
            resume: continue a stopped run toward its own `total_timesteps`; an unfinished generation is played again,
                and its steps count once.
        """
        if resume:
            self.num_timesteps = self._start
            total_timesteps, reset_num_timesteps = total_timesteps - self.num_timesteps, False
        if self.env is None:
            raise ValueError("the model has no environment; give it one with set_env(env) or load(path, env=env)")
        callbacks = [*callback] if isinstance(callback, list) else [callback] if callback else []
        hooks = [c if isinstance(c, BaseCallback) else ConvertCallback(c) for c in callbacks]
        name = tb_log_name or type(self).__name__
        _, hook = self._setup_learn(total_timesteps, hooks + [StepsBar()] * progress_bar, reset_num_timesteps, name)
        self._start = self.num_timesteps
        self.next_table = 0.0  # when the next log may go onto the screen (seconds)
        hook.on_training_start(locals(), globals())
        with threadpool_limits(1):
            while self.num_timesteps < self._total_timesteps and self._live(hook, log_interval):
                pass
            self._examine()
        hook.on_training_end()
        return self

    def _live(self, hook: BaseCallback, log_interval: int | None) -> bool:
        """Live one generation; return whether the run goes on."""
        hook.on_rollout_start()
        self._start = self.num_timesteps
        candidates = self.ask()
        self._playing = True
        try:
            lives = self.live(candidates, hook)
        finally:
            self._playing = False
        if lives is None:
            return False
        logs = log_interval is not None and (self.generation + 1) % log_interval == 0
        if logs:
            self.logger.record("population/diversity", diversity(self, lives))
            for name, values in lives.told.items():
                self.logger.record(f"rollout/{name}", np.nanmean(values))
        self._finish(candidates, lives)
        if logs:
            log_generation(self)
        hook.on_rollout_end()
        return True

    def live(self, candidates: np.ndarray, hook: BaseCallback) -> Lives | None:
        """Let the candidates play; None if a callback stopped it. A learner of whole lifetimes overrides it."""
        return self.episodes_of(self.population, candidates, hook)

    def episodes_of(
        self,
        population: Population | RandomPlayers,
        candidates: np.ndarray,
        hook: BaseCallback,
        first: int = 0,
        samples: bool | None = None,
    ) -> Lives | None:
        """Let the candidates of a population play `episodes` each, or meet where the environment seats several.

        Args:
            population: whose members play.
            candidates: who of them.
            hook: is told of every step.
            first: the number of each one's first episode in this generation.
            samples: whether actions are sampled; by default as the learner's members do.
        """
        members = np.repeat(candidates, self.episodes)
        numbers = np.tile(first + np.arange(self.episodes), len(candidates))
        where = (self.generation, self.stream(members), numbers)
        seats = seats_of(self.env)  # type: ignore[arg-type]
        order = meetings(self.run_seed, self.generation, len(candidates), self.episodes, seats, first)
        return play(
            population,
            self._training_slots(),
            members,
            shared(episode_seeds(keys(self.run_seed, Purpose.EPISODE, *where)), order, seats),
            keys(self.run_seed, Purpose.ACTION, *where) if (self.samples if samples is None else samples) else None,
            self._recorder,
            lambda step: self._after(step, hook),
            self.watch,
            order,
            self.cutoff,
        )

    def stream(self, members: np.ndarray) -> np.ndarray:
        """Return whose random numbers each member's episodes use: its own."""
        return members

    @property
    def cutoff(self) -> int | None:
        """Return after how many steps this generation's episodes are cut off; None lets all of them end."""
        return None

    @property
    def progress(self) -> float:
        """Return the share of this run's steps that were taken before this generation, 0 to 1."""
        return min(1.0, self._start / max(1, self._total_timesteps))

    def _after(self, step: Step, hook: BaseCallback) -> bool:
        """Count a step of the slots and let the callbacks see it."""
        self.num_timesteps += len(step.live)
        if np.count_nonzero(step.dones):
            self._update_info_buffer([step.infos[slot] for slot in step.live.tolist()], step.dones[step.live])
        hook.update_locals({"infos": step.infos, "dones": step.dones, "rewards": step.rewards})
        return hook.on_step()

    def _finish(self, candidates: np.ndarray, lives: Lives) -> None:
        """Learn from a generation. The count of generations moves on last: until then the old generation stands."""
        fitness = self.scores(lives)
        steps_lived = self._steps_lived + int(lives.lengths.sum())
        parent, second_parent, transmission = self.tell(candidates, lives)
        self._crown(int(np.nanargmax(fitness)))
        rows = np.empty(self.population_size, ROW)
        rows["generation"], rows["member"], rows["timesteps"] = (
            self.generation,
            np.arange(self.population_size),
            steps_lived,
        )
        rows["fitness"], rows["parent"], rows["second_parent"] = fitness, parent, second_parent
        rows["transmission"] = np.where(parent >= 0, transmission, Transmission.NONE)
        self._lineage.append(rows)
        self.fitness, self._steps_lived, self._start = fitness, steps_lived, self.num_timesteps
        self.generation += 1
        write_monitor(self.env, lives)

    # ---------------------------------------------------------------- the champion

    def _crown(self, member: int) -> None:
        """Make a member the policy that `predict` uses."""
        self.champion = member
        design = member % len(self.designs)
        if getattr(self, "_design", None) != design:
            self._design = design
            self.policy = self._new_policy(design).to(self.device)
        self.population.express(self.population.genes(member), self.policy)

    def _examine(self) -> None:
        """Choose the champion among the best quarter, unless that is done for this generation."""
        slots = self._exam_slots()
        if self._examined == self.generation or slots is None:
            return
        ranked = np.argsort(-self.fitness, kind="stable")
        finalists = ranked[: max(1, np.isfinite(self.fitness).sum() // 4)]
        lives = self.sit(finalists, np.arange(self.champion_episodes), slots)
        assert lives is not None
        self.evaluation_timesteps += int(lives.lengths.sum())
        self._crown(int(np.nanargmax(lives.fitness(self.population_size))))
        self._examined = self.generation

    def sit(
        self,
        finalists: np.ndarray,
        papers: np.ndarray,
        slots: Slots,
        on_step: Callable[[Step], bool] = lambda step: True,
    ) -> Lives | None:
        """Let finalists sit an exam: every paper is an episode by the likeliest actions, on the same seed for them all.

        Args:
            finalists: int64, (k,), members.
            papers: int64, the papers' numbers; each has a seed of its own.
            slots: where they sit.
            on_step: called after each step; False stops at once.

        Returns:
            What became of them; None when `on_step` stopped it.
        """
        seeds = episode_seeds(keys(self.run_seed, Purpose.EXAM, self.generation, 0, papers))
        members = np.repeat(finalists, len(papers))
        seats = seats_of(self.env)  # type: ignore[arg-type]
        others = examiners(self.run_seed, self.generation, self.population_size, papers, seats)
        groups = np.column_stack([members, np.tile(others, (len(finalists), 1))]).reshape(-1)
        shared_seeds = np.repeat(np.tile(seeds, len(finalists)), seats)
        lives = play(self.population, slots, groups, shared_seeds, None, on_step=on_step, cutoff=self.cutoff)
        return None if lives is None else of_finalists(lives, seats)

    def _exam_slots(self) -> Slots | None:
        """Return slots for an exam; in the middle of a generation only a second environment will do."""
        if self.env is None:
            return None
        if not self._playing:
            return self._training_slots()
        if self._exam_env is None:
            self._exam_env = second_vec_env(self.env)
        return None if self._exam_env is None else slots_of(self._exam_env)

    def _training_slots(self) -> Slots:
        if self._slots is None:
            assert self.env is not None
            self._slots = slots_of(self.env)
        return self._slots

    # ---------------------------------------------------------------- files

    def save(self, path: Any, exclude: Any = None, include: Any = None) -> None:
        """Save the whole state as it was when the current generation began, and the champion.

        Args:
            path: where; `.zip` is added. The file is written beside and renamed, so what stood there is never lost.
            exclude: accepted for SB3's sake; the state is always whole.
            include: likewise.

        Raises:
            OSError: the disk is full or the folder cannot be written.
        """
        with threadpool_limits(1):
            self._examine()
        saving.write(path, *pack(self))

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
            custom_objects: `policy` and `policy_kwargs`, for classes that the file may not name; SB3's other entries
                (schedules) have nothing to replace here.
            print_system_info: accepted for SB3's sake.
            force_reset: likewise; every generation begins with seeded resets.
            kwargs: settings to change. `seed` is accepted and ignored: a run's random numbers are its own.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: it is damaged, was saved by another learner, or a setting cannot change.
        """
        arrays, description = saving.read(path)
        if description["learner"] != cls.__name__:
            raise ValueError(
                f"{path} was saved by {description['learner']}; load it with {description['learner']}.load"
            )
        settings = changed(description["settings"], kwargs, cls.stores_members)
        custom = custom_objects or {}
        designs = [[None, None]] if "policy" in custom else saving.from_json(description["designs"])
        model = cls(
            custom.get("policy", [design[0] for design in designs]),
            env,
            policy_kwargs=custom.get("policy_kwargs", [design[1] for design in designs]),
            device=device,
            _init_setup_model=False,
            **settings,
        )
        unpack(model, arrays, description)
        return model
