"""What the tests of a search for chirps look for, and in what."""

from gwmorph.evidence.chirp_windows import Look, Masses
from gwmorph.spectra.band import Band

LOOK = Look(("H1", "L1"), 2048, 2048, Band(20.0, 900.0), 0.75, 0.95)
MASSES = Masses(25.0, 60.0, 0.0)
