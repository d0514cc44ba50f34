"""Words that follow a number."""


def counted(number: int, noun: str) -> str:
    """Return ``1 window``, ``2 windows``, ``1,000 windows``: for nouns whose plural takes an s."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
