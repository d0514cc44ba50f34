# The names of what a run's record is made of.

from functools import cache

from gwmorph.provenance.names import CODE as RECORDED_CODE
from gwmorph.provenance.names import PAGE as RECORD_PAGE
from gwmorph.provenance.names import RECORD_FILES

KEPT_OF_RECORD = [name for name in RECORD_FILES if name != RECORD_PAGE]


@cache
def provenance_files():
    """Return all that a record is made of, so that what is lost is made again."""
    made = [*KEPT_OF_RECORD, RECORD_PAGE, RECORDED_CODE]
    return expand("results/{run}/{name}", run=RUN, name=made)
