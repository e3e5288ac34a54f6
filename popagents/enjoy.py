"""`python -m popagents.enjoy`: watch a trained player; see `popagents.zoo.enjoy`."""

from popagents.zoo.enjoy import main

if __name__ == "__main__":
    main()
