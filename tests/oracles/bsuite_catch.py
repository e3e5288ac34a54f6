"""Catch of bsuite (I. Osband et al., 2020), from its published rules; where the ball starts is up to the caller.

The board has 10 rows and 5 columns. The ball starts in the top row, in a random column, and the paddle in the middle
of the bottom row. A step moves the paddle left (0), not at all (1) or right (2), stopping at the walls, and then lets
the ball fall one row. The episode ends when the ball reaches the paddle's row, with +1 if it meets the paddle and -1 if
not; every other reward is 0. The observation is the board, 1 where the ball or the paddle is.
"""


class BsuiteCatch:
    def __init__(self, rows=10, columns=5):
        self.rows, self.columns = rows, columns

    def reset(self, ball_column):
        self.ball_x, self.ball_y = ball_column, 0
        self.paddle_x, self.paddle_y = self.columns // 2, self.rows - 1
        return self.board()

    def step(self, action):
        self.paddle_x = sorted([0, self.paddle_x + (-1, 0, 1)[action], self.columns - 1])[1]
        self.ball_y += 1
        if self.ball_y == self.paddle_y:
            return self.board(), 1.0 if self.ball_x == self.paddle_x else -1.0, True
        return self.board(), 0.0, False

    def board(self):
        ones = {(self.ball_y, self.ball_x), (self.paddle_y, self.paddle_x)}
        return [[float((y, x) in ones) for x in range(self.columns)] for y in range(self.rows)]
