"""Workers of this process, to which requests are dealt as to Ray's: pickled, each with a workspace and slots."""

import pickle

import cloudpickle

from popagents.rollout.dealing import dealt, joined
from popagents.rollout.ray_executor import Player, messages
from popagents.rollout.step import Stopped


class Crew:
    """Takes the place of `RayExecutor`."""

    def __init__(self, workers, address, workspace, make):
        packed = cloudpickle.dumps((workspace, make))
        self.players = [Player(*pickle.loads(packed)) for _ in range(workers)]
        self.sent, self.shared, self.returned = [], [], []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def play(self, request, listener=None):
        common, shares = messages(dealt(request, len(self.players)))
        self.shared.append(common)
        self.sent.append(shares)
        common = cloudpickle.dumps(common)
        answers = [pickle.dumps(p.play(common, s)) for p, s in zip(self.players, shares, strict=False)]
        self.returned.append(answers)
        episodes = joined(request, [*map(pickle.loads, answers)])
        if listener is not None and listener.answered(episodes) is False:
            raise Stopped
        return episodes
