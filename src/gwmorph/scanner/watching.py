"""Where `gwmorph watch` looks: a folder, or the address of a server that speaks GWOSC's API."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from gwmorph.config import Config, WatchConfig
from gwmorph.errors import StrainError
from gwmorph.scanner.arrivals import ArrivedFile, Tell
from gwmorph.scanner.endpoint import polled_endpoint
from gwmorph.scanner.folder import Rest, watched_folder
from gwmorph.scanner.record import read_record
from gwmorph.strain.gwosc import GwoscSource

_SERVER = ("http://", "https://")


def source_at(
    where: str,
    config: Config,
    detectors: Sequence[str],
    since: int | None,
    tell: Tell,
    stop: threading.Event,
) -> Iterator[ArrivedFile | None]:
    """Return the source of new files at a place.

    Parameters
    ----------
    where
        A folder, or the address of a server, http or https.
    config
        Its ``scan.watch`` says how often to look; of a server ``source.gwosc`` says which files
        to ask for, and ``source.cache`` where they are kept.
    detectors, since
        What a server is asked for, as `endpoint.polled_endpoint` takes it.
    tell
        Is given a sentence on what is amiss.
    stop
        Ends every wait.

    Raises
    ------
    StrainError
        The folder is not there now: a name that is misspelt must not be watched for ever.
    """
    watch = config.scan.watch
    if where.startswith(_SERVER):
        return _server(where, config, watch, detectors, since, tell, stop)
    if not Path(where).is_dir():
        raise StrainError(
            f"{where}: no such folder. Name the folder in which strain files appear, or the "
            "address of a server (https://gwosc.org)."
        )
    rest = Rest(watch.settle_s, watch.give_up_s)
    return watched_folder(Path(where), rest, watch.poll_s, tell=tell, pause=stop.wait)


def _server(
    address: str,
    config: Config,
    watch: WatchConfig,
    detectors: Sequence[str],
    since: int | None,
    tell: Tell,
    stop: threading.Event,
) -> Iterator[ArrivedFile | None]:
    gwosc = config.source.gwosc
    source = GwoscSource(
        host=address,
        flag=gwosc.flag,
        sample_rate=gwosc.sample_rate,
        cache=Path(config.source.cache),
        attempts=1,
        timeout_s=gwosc.timeout_s,
        file_hosts=gwosc.file_hosts,
    )
    return polled_endpoint(
        source,
        detectors,
        since,
        watch.server_poll_s,
        watch.longest_wait_s,
        tell=tell,
        pause=stop.wait,
    )


def resume_at(folder: Path) -> int | None:
    """Return the GPS second from which on a scan needs files to go on; None for a new one.

    The newest block that all detectors have is asked for again: what follows needs its last
    seconds as context.

    Raises
    ------
    StorageError
        The scan's record cannot be read.
    """
    reached: dict[str, int] = {}
    for detector, start in read_record(folder):
        reached[detector] = max(start, reached.get(detector, start))
    return min(reached.values(), default=None)
