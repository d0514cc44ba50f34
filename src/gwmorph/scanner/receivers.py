"""Who is given event records: a file to which lines are added, or a server."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import requests

from gwmorph.errors import ConfigError, StorageError
from gwmorph.scanner.outbox import Message
from gwmorph.storage import append_line, cut_unfinished_line
from gwmorph.strain.download import failed_request

_CONFLICT = 409


class Receiver(Protocol):
    """Takes records, one at a time."""

    def deliver(self, message: Message) -> None:
        """Give a record away; it is there when this returns.

        Raises
        ------
        TryFailedError
            Nobody is there at the moment.
        DownloadError
            This record is refused.
        StorageError
            The file cannot be written.
        """
        ...


def receiver_at(address: str, timeout_s: float) -> Receiver:
    """Return the receiver at an URL (http, https), or the file of that name.

    ``timeout_s`` is the longest silence of a server before a try fails, s.

    Raises
    ------
    ConfigError
        It is an address of another kind, or a file whose folder is not there.
    """
    if address.startswith(("http://", "https://")):
        return UrlReceiver(address, timeout_s)
    if "://" in address:
        raise ConfigError(
            f"scan.receiver.address, or --receiver: expected http://…, https://… or the name of a "
            f"file, got {address!r}."
        )
    path = Path(address)
    if not path.parent.is_dir() or path.is_dir():
        raise ConfigError(
            f"scan.receiver.address, or --receiver: {path}: expected the name of a file in a "
            "folder that is there. Make the folder, or correct the name."
        )
    return FileReceiver(path)


@dataclass(frozen=True)
class UrlReceiver:
    """A server to which each record is POSTed as JSON.

    The id is in the record and in the header ``Idempotency-Key``, as the IETF draft of that name
    has it: a server that knows it answers 409 or any success.
    """

    url: str
    timeout_s: float

    def deliver(self, message: Message) -> None:
        """Post a record."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": message.event_id}
        try:
            response = requests.post(
                self.url,
                data=message.line.encode(),
                headers=headers,
                timeout=self.timeout_s,
                # A POST that is redirected becomes a GET, which delivers nothing.
                allow_redirects=False,
            )
            if response.status_code != _CONFLICT:
                response.raise_for_status()
            if response.is_redirect:
                raise requests.HTTPError("is moved", response=response)
        except requests.RequestException as error:
            raise failed_request(self.url, error) from error


class FileReceiver:
    """A file of one record a line; a record that is in it already is not added again."""

    def __init__(self, path: Path) -> None:
        """Name the file; it is made with the first record."""
        self._path = path
        self._held: set[str] | None = None

    def deliver(self, message: Message) -> None:
        """Add a record's line, on the disk when this returns."""
        try:
            if self._held is None:
                self._held = self._mended()
            if message.event_id in self._held:
                return
            append_line(self._path, message.line)
        except OSError as error:
            self._held = None  # whether the line is there is to be seen
            raise StorageError(f"{self._path}: cannot be written ({error}).") from error
        self._held.add(message.event_id)

    def _mended(self) -> set[str]:
        """Return the ids in the file, after taking off a last line that was cut short."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        cut_unfinished_line(self._path)
        with self._path.open("rb") as stream:
            return {event_id for line in stream for event_id in _event_ids(line)}


def _event_ids(line: bytes) -> list[str]:
    """Return the id in a line of the file; none of a line that is somebody else's."""
    try:
        record = json.loads(line)
    except ValueError:
        return []
    return [record["event_id"]] if isinstance(record, dict) and "event_id" in record else []
