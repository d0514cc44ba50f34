"""Event records on their way out: kept on disk until somebody has them.

A record is put here in the same transaction that notes its block as taken, so that a process may
die at any moment: blocks that are not noted are taken again, and a record of a known id is not put
twice. What is delivered is noted after the fact. Who dies in between delivers the same record with
the same id once more: delivery is at least once, and exactly once for a receiver that knows ids.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gwmorph.errors import StorageError

# Several threads, and the page, look at it at once: each waits for the others' short writes.
_WAIT_S = 30.0
# The journal's removal, too, is on the disk before a transaction counts.
_SETUP = """
PRAGMA journal_mode = DELETE;
PRAGMA synchronous = EXTRA;
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS blocks (name TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS records (
    place INTEGER PRIMARY KEY,
    event_id TEXT NOT NULL UNIQUE,
    line TEXT NOT NULL,
    delivered INTEGER NOT NULL DEFAULT 0
);
COMMIT;
"""
_IS_SET_UP = "SELECT 1 FROM sqlite_master WHERE name = 'records'"


@dataclass(frozen=True)
class Message:
    """A record on its way: its id, and the record as one line of JSON without the line's end."""

    event_id: str
    line: str


@dataclass(frozen=True)
class OutboxCounts:
    """How many records wait, and how many were delivered."""

    waiting: int
    delivered: int


class Outbox:
    """The outbox in one file (SQLite), which is made when something is put in.

    Raises
    ------
    StorageError
        By every method, where the file cannot be read or written, or is no outbox.
    """

    def __init__(self, path: Path) -> None:
        """Name the file."""
        self._path = path

    def has_taken(self, block: str) -> bool:
        """Tell whether a block's records were put here before."""
        return bool(self._asked("SELECT 1 FROM blocks WHERE name = ?", block))

    def take(self, records: Sequence[Mapping[str, Any]], block: str | None) -> int:
        """Put a block's records here, durably, and return how many are new.

        Each has its ``event_id``; one that is here, delivered or not, stays as it is. The block is
        noted as taken, but for one without a name.
        """
        rows = [(record["event_id"], line_of(record)) for record in records]
        with self._open() as connection, connection:
            connection.executescript(_SETUP)
            before = connection.total_changes
            connection.executemany(
                "INSERT OR IGNORE INTO records (event_id, line) VALUES (?, ?)", rows
            )
            new = connection.total_changes - before
            if block is not None:
                connection.execute("INSERT OR IGNORE INTO blocks VALUES (?)", (block,))
        return new

    def waiting(self) -> list[Message]:
        """Return what is not delivered, in the order in which it came."""
        query = "SELECT event_id, line FROM records WHERE delivered = 0 ORDER BY place"
        return [Message(*row) for row in self._asked(query)]

    def mark_delivered(self, event_id: str) -> None:
        """Note, durably, that somebody has a record."""
        with self._open() as connection, connection:
            connection.execute("UPDATE records SET delivered = 1 WHERE event_id = ?", (event_id,))

    def counts(self) -> OutboxCounts:
        """Return how many records wait, and how many were delivered."""
        query = "SELECT delivered, count(*) FROM records GROUP BY delivered"
        found = dict(self._asked(query))
        return OutboxCounts(found.get(0, 0), found.get(1, 0))

    def _asked(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        """Return the rows that answer a query; there are none where there is no outbox yet."""
        if not self._path.exists():
            return []
        with self._open() as connection:
            # Another thread may be about to set it up, or a process have died before it could.
            if connection.execute(_IS_SET_UP).fetchone() is None:
                return []
            return connection.execute(query, values).fetchall()

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        # One for each use: a connection belongs to one thread.
        try:
            with closing(sqlite3.connect(self._path, timeout=_WAIT_S)) as connection:
                connection.execute("PRAGMA synchronous = EXTRA")
                yield connection
        except sqlite3.Error as error:
            raise StorageError(
                f"{self._path}: cannot be used as an outbox ({error}). If it is damaged, move it "
                "away: a new one is made, and all events of the scan are delivered again."
            ) from error


def line_of(record: Mapping[str, Any]) -> str:
    """Return a record as a line of JSON, without the line's end; equal ones are equal bytes."""
    return json.dumps(record, sort_keys=True, allow_nan=False)
