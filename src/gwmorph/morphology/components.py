"""Principal components of some vectors, and where others lie in them."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

# Decimals of components. The last bits of a product of matrices depend on the processor and on
# the number of threads; unit vectors that differ by less look the same.
_DECIMALS = 5
_BATCH = 16_384


@dataclass(frozen=True)
class Components:
    """Partly whitened principal components.

    ``pca`` is fitted to some vectors; coordinates are rounded to ``1 / scale``, and multiplied by
    ``weights`` float32 [p].
    """

    pca: PCA
    scale: float
    weights: NDArray[np.float32]

    @classmethod
    def fit(cls, vectors: NDArray[np.float32], largest: int, power: float) -> Self:
        """Fit at most ``largest`` components to vectors float32 [n, d].

        Coordinates are rounded to 10⁻⁵ where the largest component's spread is 0.1 to 1, and to
        as many digits below. Each is divided by its spread, relative to the largest, to ``power``:
        a few components hold most of the variance, mainly loudness and where in frequency; shape
        is in the others.

        In double precision: the vectors of one kind of picture all point the same way, and the
        covariance of what is left would drown in single precision. The solver is deterministic
        and fixes each component's sign by its largest item.
        """
        rows, columns = vectors.shape
        pca = PCA(min(largest, rows - 1, columns), svd_solver="covariance_eigh")
        coordinates = pca.fit_transform(vectors.astype(np.float64))
        scale = 10.0 ** (_DECIMALS + _magnitude(coordinates))
        return cls(pca, scale, _weights(_rounded(coordinates, scale), power))

    @property
    def explained(self) -> NDArray[np.float64]:
        """The fractions of variance that the components explain, float64 [p]."""
        explained: NDArray[np.float64] = self.pca.explained_variance_ratio_
        return explained

    def of(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return where vectors float32 [m, d] lie, whether fitted or not: float32 [m, p]."""
        found = np.empty((len(vectors), len(self.weights)), np.float32)
        for start in range(0, len(vectors), _BATCH):
            part = slice(start, start + _BATCH)
            coordinates = self.pca.transform(vectors[part].astype(np.float64))
            found[part] = _rounded(coordinates, self.scale) * self.weights
        return found


def _rounded(coordinates: NDArray[np.float64], scale: float) -> NDArray[np.float32]:
    return (np.rint(coordinates * scale) / scale).astype(np.float32)


def _weights(components: NDArray[np.float32], power: float) -> NDArray[np.float32]:
    """Return what each component is multiplied by, rounded: last bits of a spread stay out."""
    spread = components.std(axis=0, dtype=np.float64)
    relative = spread / max(float(spread.max(initial=0)), 1e-300)
    weights = np.where(relative > 0, relative, 1) ** -power
    return weights.round(2).astype(np.float32)


def _magnitude(values: NDArray[np.float64]) -> int:
    """Return how many powers of ten the values' spread is below that of unit vectors."""
    spread = float(values.std(axis=0).max(initial=0))
    return max(int(np.floor(-np.log10(spread))), 0) if spread > 0 else 0
