"""Convolutions of many members in NumPy give what torch gives, with the same bits whoever sits beside them."""

import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticCnnPolicy
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import nn

from popagents.networks import convolution, dense
from popagents.population.design import Design
from popagents.population.extractors import SmallCNN, StridedCNN
from popagents.population.policies import CnnPolicy, SmallCnnPolicy

BOARD = spaces.Box(-3, 3, (2, 7, 5), np.float32)
IMAGE = spaces.Box(0, 255, (4, 44, 50), np.uint8)
LARGE = spaces.Box(0, 255, (3, 63, 66), np.uint8)
SIX = spaces.Discrete(6)


class Own(BaseFeaturesExtractor):
    """A stack of layers that a test hands over."""

    def __init__(self, observation_space, layers, factor=1):
        nothing = torch.zeros(1, *observation_space.shape)
        super().__init__(observation_space, layers(nothing).shape[1])
        self.layers, self.factor = layers, factor

    def forward(self, image):
        return self.layers(image) * self.factor


def own(*layers, factor=1):
    torch.manual_seed(1)
    chain = nn.Sequential(*[layer() for layer in layers], nn.Flatten())
    return CnnPolicy(
        BOARD, SIX, features_extractor_class=Own, features_extractor_kwargs={"layers": chain, "factor": factor}
    )


DESIGNS = {
    "SB3's NatureCNN": lambda: CnnPolicy(IMAGE, SIX),
    "SB3's whole policy": lambda: ActorCriticCnnPolicy(IMAGE, SIX, lambda _: 1e-3),
    "SmallCNN": lambda: SmallCnnPolicy(IMAGE, SIX),
    "SmallCNN and a hidden layer": lambda: SmallCnnPolicy(IMAGE, SIX, net_arch=[9]),
    "StridedCNN": lambda: CnnPolicy(LARGE, SIX, features_extractor_class=StridedCNN),
    "BoardCNN": lambda: CnnPolicy(BOARD, SIX),
    "images as they are": lambda: SmallCnnPolicy(IMAGE, SIX, normalize_images=False),
    "uneven": lambda: own(lambda: nn.Conv2d(2, 3, (3, 2), stride=(2, 1), padding=(0, 2)), nn.Tanh),
}
UNREADABLE = {
    "groups": lambda: own(lambda: nn.Conv2d(2, 4, 3, groups=2)),
    "gaps": lambda: own(lambda: nn.Conv2d(2, 4, 2, dilation=2)),
    "mirrored edges": lambda: own(lambda: nn.Conv2d(2, 4, 3, padding=1, padding_mode="reflect")),
    "no bias": lambda: own(lambda: nn.Conv2d(2, 4, 3, bias=False)),
    "pooling": lambda: own(lambda: nn.Conv2d(2, 4, 3), lambda: nn.MaxPool2d(2)),
    "more than its layers show": lambda: own(lambda: nn.Conv2d(2, 4, 3), nn.ReLU, factor=2),
    "another leak": lambda: own(lambda: nn.Conv2d(2, 4, 3), lambda: nn.LeakyReLU(0.5)),
}


def drawn(make, size=5):
    """Return a design and members of it."""
    torch.manual_seed(1)
    design, rng = Design(make()), np.random.default_rng(0)
    members = design.copies(size)
    for values in members.values():
        values += rng.normal(0, 0.05, values.shape).astype(np.float32)
    return design, members


def pictures(space, k):
    space.seed(0)
    return np.stack([space.sample() for _ in range(k)])


@pytest.mark.bits
@pytest.mark.parametrize("name", DESIGNS)
def test_outputs_are_torchs_and_a_rows_bits_are_its_own(name, monkeypatch):
    design, members = drawn(DESIGNS[name])
    assert design.stages is not None
    rows, seen = np.array([3, 0, 4, 4, 1]), pictures(design.template.observation_space, 5)
    through_torch = design.through_torch(members, rows, seen)
    convolved, plain = [], convolution.outputs
    monkeypatch.setattr(convolution, "outputs", lambda *given: convolved.append(1) or plain(*given))
    together = design.outputs(members, rows, seen)
    assert convolved == [1]
    assert together.dtype == np.float32
    scale = max(1, np.abs(through_torch).max())  # sums of numbers of this size cancel
    np.testing.assert_allclose(together, through_torch, rtol=1e-4, atol=1e-5 * scale)
    apart = [design.outputs(members, rows[i : i + 1], seen[i : i + 1]) for i in range(5)]
    assert (together == np.concatenate(apart)).all()
    assert (together[1:4] == design.outputs(members, rows[1:4], seen[1:4])).all()


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_is_no_plain_chain_goes_through_torch(name, monkeypatch):
    asked, plain = [], Design.through_torch
    monkeypatch.setattr(Design, "through_torch", lambda *given: asked.append(1) or plain(*given))
    design, members = drawn(UNREADABLE[name])
    asked.clear()  # the design has compared its paths
    design.outputs(members, np.arange(5), pictures(BOARD, 5))
    assert asked == [1]
    assert design.stages is None


def test_patches_are_columns_in_the_order_of_the_filters_weights():
    picture = np.arange(12, dtype=np.uint8).reshape(1, 1, 3, 4)
    cut = convolution.patches(picture, np.float32(0.5), (2, 2), (1, 2), (2, 2))
    by_hand = [[0, 2, 4, 6], [1, 3, 5, 7], [4, 6, 8, 10], [5, 7, 9, 11]]  # top left, top right, below: four places each
    assert (cut[0] == np.array(by_hand) / 2).all()


@pytest.mark.bits
def test_large_matrices_are_not_copied_and_give_the_same_bits(monkeypatch):
    rng = np.random.default_rng(0)
    stack, rows = rng.normal(size=(4, 30, 20)).astype(np.float32), np.array([2, 0, 3])
    x = rng.normal(size=(3, 1, 20)).astype(np.float32)
    small = dense.products(x, stack, rows)
    monkeypatch.setattr(dense, "LARGE", 1)
    monkeypatch.setattr(dense, "taken", None)
    assert (dense.products(x, stack, rows) == small).all()
    np.testing.assert_allclose(small[1, 0], stack[0] @ x[1, 0], rtol=1e-5, atol=1e-5)


def test_small_networks_have_few_weights():
    atari = spaces.Box(0, 255, (4, 84, 84), np.uint8)
    assert sum(p.numel() for p in SmallCNN(atari).parameters()) == 8 * (4 * 64 + 1) + 16 * (8 * 16 + 1)
    assert SmallCNN(atari).features_dim == 16 * 4 * 4
    assert StridedCNN(spaces.Box(0, 255, (3, 128, 128), np.uint8)).features_dim == 256 * 3 * 3
