"""`python -m popagents.train`: train a learner; see `popagents.zoo.train`."""

from popagents.zoo.train import main

if __name__ == "__main__":
    main()
