"""How the scripts say no: one line, as argparse does."""

import sys
from pathlib import Path
from typing import NoReturn


def refuse(reason: str) -> NoReturn:
    """End the program with one line on stderr and exit code 2, as argparse does."""
    print(f"{Path(sys.argv[0]).name}: error: {reason}", file=sys.stderr)
    raise SystemExit(2)
