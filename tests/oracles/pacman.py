"""Grid pac-man as its source states it, slowly: a list of tokens, `%` for the torus, removal from the list.

Shares no code with popenvs; the random stream is written from the published SplitMix64.
"""

MASK = 2**64 - 1  # arithmetic modulo 2**64


class SplitMix64:
    """The generator of Steele, Lea and Flood (2014), in Vigna's published form."""

    def __init__(self, state):
        self.state = state

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def below(self, n):
        """Scale the upper 32 bits to 0 .. n - 1."""
        return (self.next() >> 32) * n // 2**32


def lane_stream(seed):
    """Return the stream of a lane seeded `seed`: it begins at the first number that SplitMix64 draws from the seed."""
    return SplitMix64(SplitMix64(seed).next())


class PacmanOracle:
    MOVES = {0: (0, 0), 1: (-1, 0), 2: (1, 0), 3: (0, -1), 4: (0, 1)}  # noqa: RUF012

    def __init__(self, seed, width=12, height=15, n_tokens=5, max_steps=100):
        self.stream = lane_stream(seed)
        self.width, self.height, self.n_tokens, self.max_steps = width, height, n_tokens, max_steps

    def reset(self):
        self.agent = (0, 0)
        self.steps = 0
        self.deal()
        return self.observe()

    def deal(self):
        self.tokens = []
        for _ in range(self.n_tokens):
            x = self.stream.below(self.width)
            y = self.stream.below(self.height)
            self.tokens.append((x, y))

    def step(self, action):
        dx, dy = self.MOVES[action]
        self.agent = ((self.agent[0] + dx) % self.width, (self.agent[1] + dy) % self.height)
        reward = 0
        while self.agent in self.tokens:
            self.tokens.remove(self.agent)
            reward += 1
        if not self.tokens:
            self.deal()
        self.steps += 1
        return self.observe(), reward, False, self.steps == self.max_steps

    def observe(self):
        """Count the tokens at each offset from the agent, in one flat list."""
        counts = [0] * (self.width * self.height)
        for x, y in self.tokens:
            dx = (x - self.agent[0]) % self.width
            dy = (y - self.agent[1]) % self.height
            counts[dx * self.height + dy] += 1
        return counts
