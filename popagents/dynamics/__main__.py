"""`python -m popagents.dynamics stag_hunt --out flow.png`; see `popagents.plots.dynamics_command`."""

import runpy

if __name__ == "__main__":
    runpy.run_module("popagents.plots.dynamics_command", run_name="__main__")  # by name: dynamics import no figures
