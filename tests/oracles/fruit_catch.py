"""Fruit catch as its rules are stated, slowly: a list of the basket's columns, a board of nested lists.

Shares no code with popenvs; the random stream is the oracle's of pac-man.
"""

from oracles.pacman import lane_stream


class FruitCatchOracle:
    MOVES = {0: -1, 1: 0, 2: 1}  # noqa: RUF012

    def __init__(self, seed, rows=15, columns=15, basket_width=3, basket_start="uniform", end_row=-2):
        self.stream = lane_stream(seed)
        self.rows, self.columns, self.basket_width, self.basket_start = rows, columns, basket_width, basket_start
        self.end_row = list(range(rows))[end_row]

    def reset(self):
        self.fruit = (0, self.stream.below(self.columns))
        if self.basket_start == "center":
            centre = self.columns // 2
        else:
            centres = [column for column in range(self.columns) if self.on_board(self.around(column))]
            centre = centres[self.stream.below(len(centres))]
        self.basket = self.around(centre)
        return self.observe()

    def around(self, centre):
        half = (self.basket_width - 1) // 2
        return [centre + offset for offset in range(-half, half + 1)]

    def on_board(self, basket):
        return all(0 <= column < self.columns for column in basket)

    def step(self, action):
        moved = [column + self.MOVES[action] for column in self.basket]
        if self.on_board(moved):
            self.basket = moved
        row, column = self.fruit
        self.fruit = (row + 1, column)
        if self.fruit[0] == self.end_row:
            return self.observe(), 1 if column in self.basket else -1, True, False
        return self.observe(), 0, False, False

    def observe(self):
        """Write the board, one row after the other, in one flat list."""
        board = [[0] * self.columns for _ in range(self.rows)]
        for column in self.basket:
            board[self.rows - 1][column] = 1
        board[self.fruit[0]][self.fruit[1]] = 1
        return [cell for row in board for cell in row]
