import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from gymnasium.error import DependencyNotInstalled

from popenvs import drawing
from popenvs.drawing import Keyboard, Picture, Tile, Window, has_display, image, key_code, text
from popenvs.drawing.as_image import STRIP, tile_images
from popenvs.drawing.shapes import arrow, cross, diamond, disc, dot, mouth, plain, square, star, tick
from popenvs.fruit_catch import basket, full_basket
from popenvs.pacman import two_discs

FLOOR, WALL, COIN, COINS, STEP, HERO = range(6)
TILES = (
    Tile("floor", ".", (30, 30, 50), plain),
    Tile("wall", "#", (120, 120, 120), plain),
    Tile("coin", "o", (110, 200, 250), disc),
    Tile("coins", "8", (250, 140, 90), two_discs),
    Tile("step", ",", (160, 150, 80), dot),
    Tile("hero", "C", (250, 220, 60), mouth),
)
BOARD = np.array([[FLOOR, COIN, FLOOR], [HERO, STEP, COINS]], np.uint8)
PICTURE = Picture(BOARD, TILES, "score 3")
CELL = 160  # 480 pixels for three columns


@pytest.fixture
def pygame(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    module = pytest.importorskip("pygame")
    yield module
    module.quit()


def board_of(shape, tile=FLOOR):
    return Picture(np.full(shape, tile, np.uint8), TILES, "")


def strip_of(caption, columns=3):
    return image(Picture(np.zeros((3, columns), np.uint8), TILES, caption))[-STRIP:]


def columns_with_ink(strip):
    return np.flatnonzero((strip != strip[0, 0]).any(axis=(0, 2)))


def test_text_is_one_character_a_cell_and_then_the_caption():
    assert text(PICTURE) == ".o.\nC,8\nscore 3"


def test_image_is_uint8_with_cells_that_fill_480_pixels_and_a_strip():
    drawn = image(PICTURE)
    assert drawn.dtype == np.uint8
    assert drawn.shape == (2 * CELL + STRIP, 3 * CELL, 3)


@pytest.mark.parametrize(
    ("board", "drawn"),
    [
        ((15, 12), (480, 384)),
        ((30, 40), (360, 480)),
        ((7, 13), (7 * 36, 13 * 36)),  # 480 / 13 is 36.9
        ((9, 9), (9 * 52, 9 * 52)),  # 480 / 9 is 53.3, and sides are even
        ((100, 70), (800, 560)),  # never under 8 pixels a cell
    ],
)
def test_cells_are_even_and_never_under_8_pixels(board, drawn):
    assert image(board_of(board)).shape == (drawn[0] + STRIP, drawn[1], 3)


def test_a_narrow_board_stands_in_the_middle_of_an_image_with_room_for_a_caption():
    drawn = image(board_of((16, 2)))[:-STRIP]  # cells of 30 pixels
    assert drawn.shape == (480, 240, 3)
    floor = np.flatnonzero((drawn == TILES[FLOOR].colour).all(axis=2).any(axis=0))
    assert 90 <= floor[0] <= 92
    assert floor[0] + floor[-1] == 239


def test_the_same_picture_gives_the_same_bytes_in_a_new_writable_array():
    first = image(PICTURE)
    kept = first.copy()
    first[:] = 0
    assert np.array_equal(image(PICTURE), kept)


def test_an_image_is_the_same_while_a_window_is_open_and_after_pygame_was_shut_down(pygame):
    before = image(PICTURE)
    pygame.display.set_mode((50, 50), depth=16)
    assert np.array_equal(image(PICTURE), before)
    pygame.quit()
    assert np.array_equal(image(PICTURE), before)


def test_tiles_are_drawn_once():
    assert tile_images(TILES, 8) is tile_images(TILES, 8)


def test_drawing_opens_no_window(pygame):
    image(PICTURE)
    assert not pygame.display.get_init()


@pytest.mark.parametrize("tile", [WALL, COIN, COINS, STEP, HERO])
def test_a_tile_changes_its_own_cell_and_no_other_pixel(tile):
    board = np.zeros((2, 3), np.uint8)
    floor = image(Picture(board, TILES, ""))
    board[1, 2] = tile
    changed = (image(Picture(board, TILES, "")) != floor).any(axis=2)
    assert changed[CELL : 2 * CELL, 2 * CELL :].any()
    changed[CELL : 2 * CELL, 2 * CELL :] = False
    assert not changed.any()


@pytest.mark.parametrize("side", [2, 20, 60])
def test_no_two_tiles_look_alike_at_any_cell_size(side):
    seen = {image(board_of((side, side), tile)).tobytes() for tile in range(len(TILES))}
    assert len(seen) == len(TILES)


def test_no_two_shapes_look_alike_in_the_same_colour():
    shapes = [plain, dot, disc, two_discs, mouth, star, arrow, diamond, square, basket, full_basket, tick, cross]
    white = [Tile(shape.__name__, "x", (250, 250, 250), shape) for shape in shapes]
    tiles = (TILES[FLOOR], *white, Tile("words", "x", (250, 250, 250), plain, "words"))
    board = np.zeros((1, 2), np.uint8)
    seen = set()
    for board[0, 1] in range(len(tiles)):
        seen.add(image(Picture(board, tiles, "")).tobytes())
    assert len(seen) == len(tiles)


def test_a_tile_shows_its_own_colour_on_the_floor_of_the_first():
    drawn = image(Picture(np.array([[FLOOR, COIN], [WALL, STEP]], np.uint8), TILES, ""))
    middle, near_edge = 120, 20  # of a cell of 240 pixels
    for row, column, tile in [(0, 0, FLOOR), (0, 1, COIN), (1, 0, WALL), (1, 1, STEP)]:
        assert tuple(drawn[240 * row + middle, 240 * column + middle]) == TILES[tile].colour
        ground = WALL if tile == WALL else FLOOR
        assert tuple(drawn[240 * row + near_edge, 240 * column + middle]) == TILES[ground].colour


def test_neighbouring_cells_have_a_line_between_them():
    drawn = image(board_of((2, 3)))
    row = drawn[CELL // 2, : 2 * CELL].astype(int).sum(axis=1)
    darker = np.flatnonzero(row < sum(TILES[FLOOR].colour))
    assert darker.tolist() == [0, CELL - 1, CELL, 2 * CELL - 1]


def test_edges_of_discs_are_smooth():
    disc = image(board_of((1, 1), COIN))[:480]
    assert len(np.unique(disc.reshape(-1, 3), axis=0)) > 20


def test_a_caption_changes_only_the_strip():
    one, other = image(PICTURE), image(Picture(BOARD, TILES, "score 4"))
    assert np.array_equal(one[:-STRIP], other[:-STRIP])
    assert not np.array_equal(one[-STRIP:], other[-STRIP:])


@pytest.mark.parametrize("length", [0, 1, 20, 40, 80])
@pytest.mark.parametrize("columns", [1, 3])
def test_a_caption_of_any_length_fits_the_width(length, columns):
    strip = strip_of("W" * length, columns)
    ink = columns_with_ink(strip)
    assert len(ink) > 0 or length == 0
    assert not len(ink) or (ink[0] >= 1 and ink[-1] <= strip.shape[1] - 2)


def test_every_line_of_a_caption_has_a_strip_of_its_own():
    drawn = image(Picture(np.zeros((3, 3), np.uint8), TILES, "one\nthe other"))
    assert drawn.shape == (480 + 2 * STRIP, 480, 3)
    assert np.array_equal(drawn[480:], np.concatenate([strip_of("one"), strip_of("the other")]))


@pytest.mark.parametrize(("angle", "x", "y"), [(0, 1, 0), (180, -1, 0), (90, 0, -1), (270, 0, 1)])
def test_a_mouth_is_open_where_it_is_turned_to(angle, x, y):
    face = Tile("face", "C", TILES[HERO].colour, partial(mouth, angle=angle))
    cell = image(Picture(np.ones((1, 1), np.uint8), (TILES[FLOOR], face), ""))[:480]
    colours = [tuple(cell[240 + side * 144 * y, 240 + side * 144 * x]) for side in (1, -1)]
    assert colours == [TILES[FLOOR].colour, TILES[HERO].colour]


def test_a_short_caption_is_not_shrunk():
    height = [np.flatnonzero((strip_of("W" * n) != strip_of("")).any(axis=(1, 2))).size for n in (1, 10, 80)]
    assert height[0] == height[1] > height[2]


def test_a_window_shows_what_image_draws_and_closes_twice(pygame):
    window = Window("a game")
    window.show(PICTURE, fps=1000)
    shown = pygame.surfarray.array3d(pygame.display.get_surface()).swapaxes(0, 1)
    assert np.array_equal(shown, image(PICTURE))
    assert pygame.display.get_caption()[0] == "a game"
    window.close()
    assert not pygame.display.get_init()
    window.close()


def test_a_window_that_was_never_shown_closes_nobody_elses(pygame):
    pygame.display.set_mode((50, 50))
    Window("a game").close()
    assert pygame.display.get_init()


def test_a_window_follows_the_size_of_its_pictures(pygame):
    window = Window("a game")
    for shape in [(2, 3), (4, 3)]:
        picture = board_of(shape)
        window.show(picture, fps=1000)
        assert pygame.display.get_surface().get_size() == image(picture).shape[1::-1]
    window.close()


def test_a_window_opens_again_after_pygame_was_shut_down(pygame):
    window = Window("a game")
    window.show(PICTURE, fps=1000)
    pygame.quit()
    window.show(PICTURE, fps=1000)
    assert pygame.display.get_surface().get_size() == image(PICTURE).shape[1::-1]
    window.close()


def test_a_window_opens_again_when_another_one_has_closed_pygames_display(pygame):
    one, other = Window("one"), Window("other")
    one.show(PICTURE, fps=1000)
    other.show(PICTURE, fps=1000)
    other.close()
    one.show(PICTURE, fps=1000)
    assert pygame.display.get_caption()[0] == "one"
    one.close()


def test_a_window_waits_for_the_next_frame(pygame, monkeypatch):
    waits = []

    class Clock:
        tick = staticmethod(waits.append)

    monkeypatch.setattr(pygame.time, "Clock", Clock)
    window = Window("a game")
    window.show(PICTURE, fps=8)
    window.show(PICTURE, fps=9)
    assert waits == [8, 9]


def test_a_window_closed_by_a_person_stays_closed_and_the_program_goes_on(pygame):
    window = Window("a game")
    window.show(PICTURE, fps=1000)
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    window.show(PICTURE, fps=1000)
    assert not pygame.display.get_init()
    window.show(PICTURE, fps=1000)
    assert not pygame.display.get_init()
    window.close()


def test_a_window_leaves_key_presses_to_the_program(pygame):
    window = Window("a game")
    window.show(PICTURE, fps=1000)
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_LEFT))
    window.show(PICTURE, fps=1000)
    assert [event.key for event in pygame.event.get(pygame.KEYDOWN)] == [pygame.K_LEFT]


def test_keys_have_the_codes_of_pygame(pygame):
    names = {"left": "K_LEFT", "right": "K_RIGHT", "up": "K_UP", "down": "K_DOWN", "space": "K_SPACE"}
    names |= {"a": "K_a", "A": "K_a", "7": "K_7", ";": "K_SEMICOLON", " ": "K_SPACE"}
    assert {name: key_code(name) for name in names} == {name: getattr(pygame, code) for name, code in names.items()}


def press(pygame, *keys, kind="KEYDOWN"):
    for key in keys:
        pygame.event.post(pygame.event.Event(getattr(pygame, kind), key=key))


def test_a_keyboard_keeps_presses_in_their_order_until_they_are_taken_and_knows_what_is_held(pygame):
    pygame.display.init()
    left, right = key_code("left"), key_code("right")
    keyboard = Keyboard([left, right])
    press(pygame, left, pygame.K_q, right)
    press(pygame, right, kind="KEYUP")
    keyboard.look()
    assert [keyboard.take() for _ in range(3)] == [left, right, None]
    assert keyboard.held() == left
    press(pygame, right)
    keyboard.look()
    assert keyboard.held() == right
    keyboard.forget()
    assert keyboard.take() is None
    assert keyboard.held() == right
    press(pygame, left, right, kind="KEYUP")
    keyboard.look()
    assert keyboard.held() is None


def test_a_keyboard_knows_esc_and_leaves_the_closing_of_the_window_to_others(pygame):
    pygame.display.init()
    keyboard = Keyboard([])
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    keyboard.look()
    assert not keyboard.escaped
    assert pygame.event.get(pygame.QUIT)
    press(pygame, pygame.K_ESCAPE)
    keyboard.look()
    keyboard.look()
    assert keyboard.escaped


def test_a_display_that_was_asked_for_by_name_is_one(pygame):
    assert has_display()


@pytest.mark.parametrize("name", ["", "sideways", "K_LEFT"])
def test_an_unknown_key_is_refused(name):
    with pytest.raises(ValueError, match="it must be one character or one of left, right, up, down, space"):
        key_code(name)


def test_a_shape_without_a_drawing_is_refused():
    with pytest.raises(
        ValueError,
        match="shape is 'blob'; it must be a function of .*, such as those of popenvs.drawing.shapes",
    ):
        Tile("blob", "b", (0, 0, 0), "blob")


@pytest.mark.parametrize(
    "use",
    [lambda: image(PICTURE), lambda: Window("a game").show(PICTURE, fps=8), lambda: key_code("a"), has_display],
    ids=["image", "window", "key_code", "has_display"],
)
def test_without_pygame_the_error_names_what_to_install(monkeypatch, use):
    monkeypatch.setitem(sys.modules, "pygame", None)
    with pytest.raises(DependencyNotInstalled, match=r'run `pip install "\.\[render\]"` in '):
        use()


def test_text_needs_no_pygame(monkeypatch):
    monkeypatch.setitem(sys.modules, "pygame", None)
    assert text(PICTURE).endswith("score 3")


def test_importing_the_module_imports_no_pygame():
    code = f"import sys, {drawing.__name__}; sys.exit('pygame' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
