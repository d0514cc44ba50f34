"""What becomes of each window and event: one decision, for whole runs and for new data alike."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Status(StrEnum):
    """What a window or event is; the value is what the ``status`` column holds."""

    EXCLUDED = "EXCLUDED"
    QUIET = "QUIET"
    KNOWN = "KNOWN"
    AMBIGUOUS = "AMBIGUOUS"
    NOVEL = "NOVEL"


# Of a window that is not analysed, or holds nothing, no vector is asked.
_ABOUT_ROWS = (Status.KNOWN, Status.AMBIGUOUS, Status.NOVEL)


@dataclass(frozen=True)
class Judgement:
    """What a row's vector says of it, for n rows.

    Attributes
    ----------
    novel : bool [n], whether it lies below the limit of every class, or below that of all
        classes as one, whichever the promise asks for.
    similarity : float64 [n], best cosine to a labelled row; −inf where there is none.
    margin : float64 [n], cosine above the limit below which it is ``novel`` (with a limit for each
        class, above the one that it reaches best); nan without a limit.
    p_value : float64 [n], in the class that fits best, or in all as one; nan without a limit.
    named : str [n], the commonest class of its nearest labelled rows.
    agreeing : float64 [n], the share of them that have it, 0 to 1.
    within : bool [n], whether it reaches the limit of that class.
    """

    novel: NDArray[np.bool_]
    similarity: NDArray[np.float64]
    margin: NDArray[np.float64]
    p_value: NDArray[np.float64]
    named: NDArray[np.str_]
    agreeing: NDArray[np.float64]
    within: NDArray[np.bool_]


def decide(
    excluded: NDArray[np.bool_],
    quiet: NDArray[np.bool_],
    judgement: Judgement,
    agreeing: float,
) -> NDArray[np.str_]:
    """Return the status of n windows or events, str [n].

    Parameters
    ----------
    excluded
        Whether the window was not analysed, bool [n]; of an event never.
    quiet
        Whether it has no trigger of ``events.snr`` and no score above its limit, bool [n]; of an
        event never, since one of both made it.
    judgement
        What its vector says; of a window that is excluded or quiet it is not read.
    agreeing
        Share of the nearest labelled rows that must have one class, whose limit the row reaches,
        for it to be KNOWN.
    """
    sure = judgement.within & (judgement.agreeing >= agreeing)
    return np.select(
        [excluded, quiet, judgement.novel, sure],
        [Status.EXCLUDED, Status.QUIET, Status.NOVEL, Status.KNOWN],
        default=Status.AMBIGUOUS,
    )


def counts(statuses: NDArray[np.str_]) -> dict[str, int]:
    """Return how many rows have each status, 0 included, in the order of `Status`."""
    found = Counter(statuses.tolist())
    return {status.value: found[status.value] for status in Status}


def is_about_vectors(statuses: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Return of which rows the vector was asked, bool [n]: they are neither excluded nor quiet."""
    return np.isin(statuses, _ABOUT_ROWS)
