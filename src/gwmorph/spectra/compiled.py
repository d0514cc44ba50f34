"""Compiled functions, kept on disk where there is a place for them."""

from collections.abc import Callable
from typing import Any

from numba import njit


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return `numba.njit` with its options, caching beside the source or in the user's folder.

    Where neither can be written, functions are compiled anew by every process.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        dispatcher = njit(**options)(function)
        keep_on_disk(dispatcher)
        return dispatcher

    return decorate


def keep_on_disk(dispatcher: Any) -> None:
    """Let a function that `numba.njit` returned be kept as `compiled` keeps ours."""
    try:
        dispatcher.enable_caching()
    except RuntimeError as error:
        if "cannot cache function" not in str(error):
            raise
