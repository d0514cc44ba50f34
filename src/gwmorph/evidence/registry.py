"""Where a campaign gets its statistics from: importing a module registers what it holds."""

from collections.abc import Iterable, Mapping
from importlib import import_module

from gwmorph.config import AutoencoderWeightsConfig
from gwmorph.errors import ConfigError
from gwmorph.evidence.statistics import STATISTICS, Statistic, register_reconstruction


def load_statistics(
    modules: Iterable[str] = (), autoencoder: AutoencoderWeightsConfig | None = None
) -> Mapping[str, Statistic]:
    """Import ``modules`` besides the library's own and return all that is registered.

    Among it is an autoencoder's reconstruction error where its weights are named.

    Raises
    ------
    ConfigError
        A module cannot be found, or is found without something that it imports.
    """
    for name in modules:
        try:
            import_module(name)
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"injections.modules: {name!r} cannot be imported ({error}). It must be "
                "installed, or its folder be named in PYTHONPATH."
            ) from error
    if autoencoder is not None and autoencoder.path is not None:
        register_reconstruction(autoencoder)
    return STATISTICS


def labels_of(
    modules: Iterable[str],
    names: Iterable[str],
    autoencoder: AutoencoderWeightsConfig | None = None,
) -> dict[str, str]:
    """Return the labels of those statistics that ``names`` holds, in the order of registration.

    Raises
    ------
    ConfigError
        As `load_statistics`.
    """
    held = set(names)
    known = load_statistics(modules, autoencoder)
    return {name: entry.label for name, entry in known.items() if name in held}
