"""`python -m popagents.record_video`: see `popagents.zoo.record_video`."""

from popagents.zoo.record_video import main

if __name__ == "__main__":
    main()
