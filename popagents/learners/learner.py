"""What a learner supplies: its state, one generation, and the policy that follows from a state."""

from abc import ABC, abstractmethod
from typing import ClassVar, Generic

import numpy as np

from popagents.common.now import Now
from popagents.common.parameters import Parameters
from popagents.learners.conversation import Generation, State
from popagents.learners.run import Run
from popagents.learners.snapshot import flat
from popagents.learners.state_checks import finite
from popagents.rollout.jobs import Conversation


class Learner(ABC, Generic[State]):
    """A population learner, by its state: a frozen dataclass of arrays and numbers, which is also what a file holds.

    Attributes:
        population_size: members.
        samples: whether members sample their actions; otherwise they take the likeliest.
    """

    population_size: int
    samples: ClassVar[bool] = True

    @abstractmethod
    def initial_state(self) -> State:
        """Return the state in which a run begins."""

    @abstractmethod
    def next_generation(self, state: State, now: Now) -> Generation[State]:
        """Live one generation: yield what is to be played, return what follows.

        It reads nothing that changes but its arguments, and changes neither; everything random is drawn from `now`.
        """

    @abstractmethod
    def policy_of(self, state: State, member: int) -> tuple[int, Parameters]:
        """Return a member's design, and its parameters (*shape) by name, as `predict` uses them."""

    @abstractmethod
    def started_from(self, state: State, parameters: Parameters) -> State:
        """Return a state in which every member has these parameters, (*shape) by name."""

    def state_form(self) -> State:
        """Return a state whose arrays have the shapes and dtypes of this learner's; their numbers do not matter.

        A file is held against it. Where the first state is large or slow to make, this one should not be.
        """
        return self.initial_state()

    def check_state(self, state: State) -> None:
        """Check the numbers of a state that comes from a file; its shapes and dtypes are right.

        Raises:
            ValueError: numbers other than fitness are infinite or NaN; learners add what else cannot be.
        """
        for name, array in flat(state, "state").items():
            if name != "state/fitness":
                finite(array, name)

    def with_champion(self, state: State, member: int, parameters: Parameters) -> State:
        """Return a state in which the champion, a member, has these parameters (*shape); here everybody has."""
        return self.started_from(state, parameters)

    @property
    def lineage_tells(self) -> bool:
        """Tell whether `retold` knows what follows every generation."""
        return False

    def retold(self, state: State, now: Now, rows: np.ndarray) -> State | None:
        """Return what follows a generation by what its lineage tells, without play; None where that is not enough.

        Members have the parameters that they had; what only decides who is fit may differ, since rows tell that.

        Args:
            state: before the generation.
            now: the generation.
            rows: `popagents.common.lineage.ROW`, (members,), its rows.
        """
        return None

    def parameters_in(self, state: State, now: Now, member: int) -> tuple[int, Parameters]:
        """Return a member's design, and the parameters (*shape) by name with which it begins a generation."""
        return self.policy_of(state, member)

    def choose_champion(self, run: Run[State]) -> Conversation[int] | None:
        """Choose the champion after the last generation; None where it is the one that leads, without more play."""
        return None
