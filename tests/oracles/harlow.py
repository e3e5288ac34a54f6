"""Harlow's experiment as its rules are stated, slowly: objects are taken out of a list, sides dealt from a deck.

Shares no code with popenvs; the random stream is the oracle's of pac-man.
"""

from oracles.pacman import lane_stream


class HarlowOracle:
    def __init__(
        self,
        seed,
        n_objects=10,
        n_trials=6,
        observation="full",
        reward=1.0,
        punishment=-1.0,
        balanced_sides=False,
        split="all",
    ):
        self.stream = lane_stream(seed)
        self.n_objects, self.n_trials, self.observation = n_objects, n_trials, observation
        self.reward, self.punishment = reward, punishment
        self.balanced_sides, self.split = balanced_sides, split

    def reset(self, problem=None, n_trials=None):
        self.trials_left = n_trials or self.n_trials
        self.rewarded, self.punished = problem or self.drawn()
        self.previous = None
        if self.balanced_sides:
            lefts = (self.trials_left + self.stream.below(2)) // 2  # a coin decides about an odd trial
            self.deck = ["left"] * lefts + ["right"] * (self.trials_left - lefts)
        self.show()
        return self.observe()

    def drawn(self):
        """Draw pairs until one belongs to the split; the test pairs are those whose sum ends in 0 or 5."""
        while True:
            objects = list(range(self.n_objects))
            first = objects.pop(self.stream.below(len(objects)))
            second = objects.pop(self.stream.below(len(objects)))
            held_out = str(first + second)[-1] in "05"
            if self.split == "all" or held_out == (self.split == "test"):
                return first, second

    def show(self):
        if self.balanced_sides:
            side = self.deck.pop(self.stream.below(len(self.deck)))
        else:
            side = ["left", "right"][self.stream.below(2)]
        shown = [self.rewarded, self.punished]
        self.shown = shown if side == "left" else shown[::-1]

    def step(self, action):
        reward = self.reward if self.shown[action] == self.rewarded else self.punishment
        self.previous = (reward, action)
        self.trials_left -= 1
        if self.trials_left > 0:
            self.show()
        return self.observe(), reward, self.trials_left == 0, False

    def observe(self):
        reward, action = self.previous or (0, None)
        last_trial = [reward, action == 0, action == 1]
        if self.observation == "digits":
            return self.shown
        if self.observation == "full":
            return self.shown + last_trial
        return [number == seen for seen in self.shown for number in range(self.n_objects)] + last_trial
