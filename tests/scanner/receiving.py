"""A loopback receiver of event records, which can be down, slow of memory, or refuse."""

import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class LoopbackReceiver:
    """Counts every id that it is given; answers 503 while ``down``, 422 to ids in ``refused``.

    With ``forgetful`` it takes a record and then breaks the connection, as if it had died before
    it could say so.
    """

    def __init__(self) -> None:
        self.given: Counter[str] = Counter()
        self.records: dict[str, Any] = {}
        self.down = False
        self.forgetful = False
        self.refused: set[str] = set()
        self.tries = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.tries += 1
                body = self.rfile.read(int(self.headers["Content-Length"]))
                key = self.headers["Idempotency-Key"]
                if receiver.down:
                    self._answer(503)
                    return
                record = json.loads(body)
                assert record["event_id"] == key
                assert self.headers["Content-Type"] == "application/json"
                if key in receiver.refused:
                    self._answer(422)
                    return
                known = key in receiver.given
                receiver.given[key] += 1
                receiver.records[key] = record
                if receiver.forgetful:
                    self.connection.close()
                    return
                self._answer(409 if known else 201)

            def _answer(self, status: int) -> None:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.handle_error = lambda *_: None  # a connection that it broke itself
        self.url = f"http://127.0.0.1:{self._server.server_port}/events"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
