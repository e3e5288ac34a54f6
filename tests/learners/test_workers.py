"""Ray's actors play: the same bits, whoever dies; what cannot be is refused by name."""

import os
import signal
from pathlib import Path

import pytest

from tests.learners.cases import assert_same, new
from tests.learners.games import Ring

ray = pytest.importorskip("ray", reason="the extra 'ray' is not installed")


class Mortal(Ring):
    """A ring that ends its process in its third episode, unless it has done so before: a file says that."""

    def __init__(self, file):
        super().__init__()
        self.file, self.episodes = Path(file), 0

    def reset(self, **keywords):
        self.episodes += 1
        if self.episodes == 3 and not self.file.exists():
            self.file.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().reset(**keywords)


def test_a_worker_that_dies_is_replaced_and_the_run_is_its_twin(tmp_path):
    model = new("es", lambda: Mortal(tmp_path / "died"), workers=2).learn(400)
    assert (tmp_path / "died").exists()
    assert_same(model, new("es", Ring).learn(400))


def test_too_many_workers_for_a_cluster_are_refused():
    with pytest.raises(ValueError, match="workers is 100000, and Ray's cluster has .* CPUs; choose"):
        new("es", Ring, workers=100_000).learn(1)


@pytest.mark.parametrize("address", ["auto", "127.0.0.1:6399", "nowhere"])
def test_an_address_where_no_cluster_answers_is_refused(address):
    ray.shutdown()
    with pytest.raises(ValueError, match=f"ray_address is '{address}', and no cluster of Ray's answers"):
        new("es", Ring, workers=2, ray_address=address).learn(1)
