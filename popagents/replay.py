"""`python -m popagents.replay`: play any member of a run again; see `popagents.zoo.replay`.

Once imported, this module stands where the function `popagents.replay` is found, and so it can be called like it.
"""

import sys
from types import ModuleType

from popagents.zoo.replay import main, replay


class CallableModule(ModuleType):
    """A module that is called as its function is."""

    __call__ = staticmethod(replay)


sys.modules[__name__].__class__ = CallableModule

if __name__ == "__main__":
    main()
