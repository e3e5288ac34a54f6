"""Helpers that look at pictures: skips whoever imports it where pictures cannot be drawn."""

import numpy as np
import pytest

Image = pytest.importorskip("PIL.Image")
pytest.importorskip("matplotlib")

BLUE, ORANGE = (0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00)


def pixels(path, frame=0):
    with Image.open(path) as picture:
        picture.seek(frame)
        return np.asarray(picture.convert("RGB"))


def frames_in(path):
    with Image.open(path) as picture:
        return picture.n_frames


def has(image, colour):
    return (image == colour).all(axis=-1).any()
