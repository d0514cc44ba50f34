"""Serves the live page, and of the scan's folder the pictures and summaries alone."""

import contextlib
import ipaddress
import re
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from gwmorph.errors import GwmorphError, StorageError
from gwmorph.scanner.page import State, read_state, render, render_fault
from gwmorph.scanner.record import PICTURES, SUMMARY

# No script, nothing from elsewhere, and in nobody's frame.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'; "
        "base-uri 'none'; form-action 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_BLOCK = re.compile(r"[A-Z]1-GWMORPH_SCAN-\d+-\d+")
_PICTURE = re.compile(r"[A-Z]1-GWMORPH_(?:EVENT|WINDOW)-[\d.]+-\d+\.png")
_STARTING_S = 10.0


def application(
    folder: Path, outbox: Path, now: Callable[[], float], hosts: list[str]
) -> Starlette:
    """Return the page's application.

    Parameters
    ----------
    folder, outbox
        As `page.read_state` takes them.
    now
        Tells the GPS time, s.
    hosts
        Names by which the server may be called, ``*`` for any: a page from elsewhere must not
        read this one by giving its own name to this address.
    """

    def state() -> State:
        return read_state(folder, outbox, now())

    async def page(_: Request) -> Response:
        try:
            text = render(await run_in_threadpool(state))
        except GwmorphError as error:
            return HTMLResponse(render_fault(error), 500, _HEADERS)
        return HTMLResponse(text, headers=_HEADERS)

    async def as_json(_: Request) -> Response:
        try:
            content = (await run_in_threadpool(state)).to_json()
        except GwmorphError as error:
            return JSONResponse({"error": str(error)}, 500, _HEADERS)
        return JSONResponse(content, headers=_HEADERS)

    async def file(request: Request) -> Response:
        parts = request.path_params
        inside = SUMMARY
        if (picture := parts.get("picture")) is not None:
            inside = f"{PICTURES}/{picture}"
        named = picture is None or _PICTURE.fullmatch(picture)
        path = folder / parts["block"] / inside
        if not (named and _BLOCK.fullmatch(parts["block"]) and path.is_file()):
            raise HTTPException(404)
        return FileResponse(path, headers={"X-Content-Type-Options": "nosniff"})

    return Starlette(
        routes=[
            Route("/", page),
            Route("/state.json", as_json),
            Route(f"/{{block}}/{PICTURES}/{{picture}}", file),
            Route(f"/{{block}}/{SUMMARY}", file),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False)],
    )


class PageServer:
    """Serves the page while its ``with`` block lasts.

    Parameters
    ----------
    folder, outbox, now
        As in `application`.
    host, port
        The address to listen at; who is bound to loopback answers to loopback's names alone.
        Port 0 is any that is free.

    Raises
    ------
    StorageError
        The address cannot be used, on entering the block.
    """

    def __init__(
        self, folder: Path, outbox: Path, now: Callable[[], float], host: str, port: int
    ) -> None:
        """Keep what is needed; nothing listens yet."""
        self._app = application(folder, outbox, now, _names_of(host))
        self._host = host
        self._port = port

    def __enter__(self) -> Self:
        """Listen."""
        self._socket = _bound(self._host, self._port)
        config = uvicorn.Config(
            self._app, log_level="warning", access_log=False, lifespan="off", loop="asyncio"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="page", daemon=True
        )
        self._thread.start()
        end = time.monotonic() + _STARTING_S
        while not self._server.started and self._thread.is_alive() and time.monotonic() < end:
            time.sleep(0.01)
        if not self._server.started:
            self.__exit__()
            raise StorageError(f"{self.url}: the live page could not be served.")
        return self

    @property
    def url(self) -> str:
        """Return the address of the page."""
        host, port = self._socket.getsockname()[:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}/"

    def __exit__(self, *_: object) -> None:
        """Listen no more."""
        self._server.should_exit = True
        self._thread.join(_STARTING_S)
        self._socket.close()


def _bound(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except (OSError, OverflowError) as error:
        raise StorageError(
            f"{host}, port {port}: the live page cannot be served there ({error}). Name another "
            "address with --host and --port; port 0 is any that is free."
        ) from error


def _names_of(host: str) -> list[str]:
    loopback = host == "localhost"
    with contextlib.suppress(ValueError):  # a name
        loopback = ipaddress.ip_address(host).is_loopback
    return ["localhost", "127.0.0.1", "[::1]", host] if loopback else ["*"]
