"""`python -m popagents.enjoy`: watch a trained agent; see `popagents.zoo.enjoy`."""

from popagents.zoo.enjoy import main

if __name__ == "__main__":
    main()
