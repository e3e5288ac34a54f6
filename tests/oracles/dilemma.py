"""A game of several players as its rules are stated, slowly: one lane, lists and tuples, no tables laid out in advance.

Shares no code with popenvs; the random stream is the oracle's of pac-man.
"""

from itertools import product

from oracles.pacman import lane_stream


class DilemmaOracle:
    """Plays T[s][a_1]...[a_N][s'], R[i][s][a_1]...[a_N][s'], sights[i][s][o], nested lists.

    `first` holds the odds of the first state. `strategies` maps seats that are not played from outside to
    {None or joint action, own action first: odds of 0}.
    """

    def __init__(self, seed, T, R, sights, first, memory=1, rounds=100, continuation=1.0, noise=0.0, strategies=None):
        self.stream = lane_stream(seed)
        self.T, self.R, self.sights, self.first = T, R, sights, first
        self.memory, self.rounds, self.continuation, self.noise = memory, rounds, continuation, noise
        self.strategies = strategies or {}
        self.numbers, cell = [], T[0]
        while isinstance(cell[0], list):
            self.numbers.append(len(cell))
            cell = cell[0]
        self.players = [i for i in range(len(self.numbers)) if i not in self.strategies]

    def uniform(self):
        return (self.stream.next() >> 11) / 2**53

    def draw(self, odds):
        if len(odds) == 1:
            return 0
        u, total = self.uniform(), 0.0
        for i, chance in enumerate(odds):
            total += chance
            if u < total:
                return i
        return max(i for i, chance in enumerate(odds) if chance > 0)

    def reset(self):
        self.history, self.state = [], self.draw(self.first)
        self.look()
        return self.observe()

    def look(self):
        self.seen = {i: self.draw(self.sights[i][self.state]) for i in self.players}

    def own(self, joint, player):
        return None if joint is None else (joint[player], *joint[:player], *joint[player + 1 :])

    def step(self, told):
        joint, told = [], iter(told)
        last = self.history[-1] if self.history else None
        for i, n in enumerate(self.numbers):
            if i in self.strategies:
                action = 0 if self.uniform() < self.strategies[i][self.own(last, i)] else 1
            else:
                action = next(told)
            if self.noise > 0 and self.uniform() < self.noise:
                others = [(action + k) % n for k in range(1, n)]
                action = others[self.stream.below(n - 1)]
            joint.append(action)
        before = self.state
        row = self.T[before]
        for action in joint:
            row = row[action]
        self.state = self.draw(row)
        self.history.append(tuple(joint))
        ended = self.continuation < 1 and self.uniform() >= self.continuation
        self.look()
        rewards = []
        for i in self.players:
            pay = self.R[i][before]
            for action in joint:
                pay = pay[action]
            rewards.append(pay[self.state])
        return self.observe(), rewards, ended, len(self.history) >= self.rounds

    def observe(self):
        return [self.view(i) for i in self.players]

    def view(self, player):
        """Write the one-hot row: what is seen of the state, then the remembered rounds, the oldest first."""
        rest = [n for i, n in enumerate(self.numbers) if i != player]
        joints = [None, *product(*map(range, [self.numbers[player], *rest]))]
        past = [None] * self.memory + [self.own(joint, player) for joint in self.history]
        now = (self.seen[player], *past[len(past) - self.memory :])
        places = list(product(range(len(self.sights[player][0])), *[joints] * self.memory))
        return [1.0 if place == now else 0.0 for place in places]
