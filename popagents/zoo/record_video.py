"""Film a trained agent with RL Zoo's own script: `python -m popagents.record_video --algo culture --env PopPacman-v0`.

Options are RL Zoo's (`-h` lists them) and `--trust`; the agent is found and read as `popagents.enjoy` does. The film
goes into `videos/` unless `-o` names a folder.
"""

import runpy
import sys

from popagents.common.optional import missing_extra
from popagents.zoo.enjoy import prepare_watching

try:
    import rl_zoo3.utils
except ImportError as error:
    raise missing_extra(f"RL Zoo is not complete here ({error})", "zoo") from error


def main() -> None:
    """Run RL Zoo's script on the command line."""
    prepare_watching(rl_zoo3.utils)
    sys.argv[1:1] = ["-o", "videos"]  # another one behind it counts
    runpy.run_module("rl_zoo3.record_video", run_name="__main__")


if __name__ == "__main__":
    main()
