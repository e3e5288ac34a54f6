"""Film a trained agent with RL Zoo's own script: `python -m popagents.record_video --algo culture --env PopPacman-v0`.

Options are RL Zoo's (`-h` lists them); the agent is found as `popagents.enjoy` finds it. The film goes into `videos/`
unless `-o` names a folder.
"""

import runpy
import sys

import rl_zoo3.utils

from popagents.zoo.enjoy import chosen_run, habits, saved_settings, watched_env
from popagents.zoo.train import checked_arguments, prepare


def main() -> None:
    """Run RL Zoo's script on the command line."""
    prepare()
    if not {"-h", "--help"} & set(sys.argv[1:]):
        names, arguments = checked_arguments(sys.argv[1:])
        folder = [] if {"-o", "--output-folder"} & set(arguments) else ["-o", "videos"]
        sys.argv[1:] = [*arguments, *chosen_run(names, arguments), *habits(names, arguments), *folder]
    rl_zoo3.utils.create_test_env = watched_env  # type: ignore[assignment]
    rl_zoo3.utils.get_saved_hyperparams = saved_settings
    runpy.run_module("rl_zoo3.record_video", run_name="__main__")


if __name__ == "__main__":
    main()
