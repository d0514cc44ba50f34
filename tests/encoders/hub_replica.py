"""A loopback server that answers as the model hub does."""

import hashlib
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HUB_ID = "facebook/dinov2-with-registers-small"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


class HubReplica:
    """Serves one commit of one repository; ``fault`` makes it misbehave.

    As on the hub, a large file's HEAD is a redirect that carries its hash and size, and its
    content comes from another host (here another name of the same one). Faults: ``missing``,
    ``unavailable``, ``short`` (the stored file is cut), ``corrupt`` (one byte differs).
    """

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.fault: str | None = None
        self.requests: list[tuple[str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "HubReplica":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                hub.answer(self, body=False)

            def do_GET(self) -> None:
                hub.answer(self, body=True)

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def answer(self, request: BaseHTTPRequestHandler, body: bool) -> None:
        self.requests.append((request.command, request.path))
        if self.fault == "unavailable":
            return _send(request, HTTPStatus.SERVICE_UNAVAILABLE, {}, b"busy", body)
        name = request.path.rpartition("/")[2]
        known = request.path in (f"/{HUB_ID}/resolve/{COMMIT}/{name}", f"/cdn/{name}")
        if not known or name not in self.files or self.fault == "missing":
            headers = {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT}
            return _send(request, HTTPStatus.NOT_FOUND, headers, b"Entry not found", body)
        content = self.files[name]
        sha256 = hashlib.sha256(content).hexdigest()
        if name.endswith(".safetensors") and not request.path.startswith("/cdn/"):
            headers = {
                "X-Repo-Commit": COMMIT,
                "X-Linked-Etag": f'"{sha256}"',
                "X-Linked-Size": str(len(content)),
                "Location": f"http://localhost:{self._server.server_port}/cdn/{name}",
            }
            return _send(request, HTTPStatus.FOUND, headers, b"", body)
        headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{sha256[:40]}"'}
        return _send(request, HTTPStatus.OK, headers, self._stored(content), body)

    def _stored(self, content: bytes) -> bytes:
        if self.fault == "short":
            return content[: len(content) // 2]
        if self.fault == "corrupt":
            return content[:-1] + bytes([content[-1] ^ 1])
        return content


def _send(
    request: BaseHTTPRequestHandler,
    status: HTTPStatus,
    headers: dict[str, str],
    content: bytes,
    body: bool,
) -> None:
    request.send_response(status)
    for key, value in {**headers, "Content-Length": str(len(content))}.items():
        request.send_header(key, value)
    request.end_headers()
    if body:
        request.wfile.write(content)
