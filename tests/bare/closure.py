"""`python -m tests.bare.closure`: is nothing installed here but what `popzoo[test]` brings?"""

from importlib.metadata import distribution, distributions

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

TOOLS = {"pip", "setuptools"}  # that a new environment comes with


def closure(requirement: str) -> set[str]:
    """Return the canonical names of the distributions that a requirement brings, its own among them.

    Args:
        requirement: a distribution that is installed here, with or without extras: "popzoo[test]".

    Raises:
        PackageNotFoundError: one of them is not installed.
    """
    seen: set[tuple[str, str]] = set()
    ahead = [Requirement(requirement)]
    while ahead:
        found = ahead.pop()
        name = canonicalize_name(found.name)
        for extra in {"", *found.extras} - {e for n, e in seen if n == name}:
            seen.add((name, extra))
            lines = [Requirement(line) for line in distribution(name).requires or []]
            ahead += [line for line in lines if line.marker is None or line.marker.evaluate({"extra": extra})]
    return {name for name, _ in seen}


def main() -> None:
    """Name what was installed by hand, and fail if anything was."""
    installed = {canonicalize_name(found.name) for found in distributions()}
    by_hand = sorted(installed - closure("popzoo[test]") - TOOLS)
    if by_hand:
        raise SystemExit(f"installed by hand: {', '.join(by_hand)}; name them in pyproject.toml, or `make clean setup`")


if __name__ == "__main__":
    main()
