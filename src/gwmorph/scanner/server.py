"""Serves the live page, and of the scan's folder the pictures and summaries alone."""

import ipaddress
import re
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    Response,
)
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gwmorph.errors import GwmorphError, StorageError
from gwmorph.scanner.page import State, read_state, render, render_fault
from gwmorph.scanner.record import PICTURES, SUMMARY

# Other sites' pages may not hold any of it; this one has no script, nothing from elsewhere, and is
# in nobody's frame.
_OF_ALL = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}
_HEADERS = {
    **_OF_ALL,
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'; "
        "base-uri 'none'; form-action 'none'"
    ),
    "Cache-Control": "no-store",
}
_BLOCK = re.compile(r"[A-Z]1-GWMORPH_SCAN-\d+-\d+")
_PICTURE = re.compile(r"[A-Z]1-GWMORPH_(?:EVENT|WINDOW)-[\d.]+-\d+\.png")
_CALLED = re.compile(r"(?:\[([^\]]+)\]|([^:@/\[\]]+))(?::\d+)?")
_STARTING_S = 10.0


@dataclass(frozen=True)
class Names:
    """By which names a server may be called.

    A page from elsewhere must not read this one by giving its own name to this address (DNS
    rebinding): the browser then calls the server by that page's name. ``numbers`` lets any address
    in numbers pass, which no page can take for its name.
    """

    known: frozenset[str]
    numbers: bool

    def hold(self, header: str) -> bool:
        """Tell whether a request's Host header is one of them, whatever its port."""
        called = _CALLED.fullmatch(header)
        if called is None:
            return False
        name = (called[1] or called[2]).lower()
        return name in self.known or (self.numbers and _number(name) is not None)


class _OwnName:
    """Refuses requests that call the server by another name than its own."""

    def __init__(self, app: ASGIApp, names: Names) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._names.hold(Headers(scope=scope).get("host", "")):
            answer = PlainTextResponse("not the name of this server (gwmorph watch --name)", 400)
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)


def application(folder: Path, outbox: Path, now: Callable[[], float], names: Names) -> Starlette:
    """Return the page's application.

    Parameters
    ----------
    folder, outbox
        As `page.read_state` takes them.
    now
        Tells the GPS time, s.
    names
        By which the server may be called.
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
        return FileResponse(path, headers=_OF_ALL)

    return Starlette(
        routes=[
            Route("/", page),
            Route("/state.json", as_json),
            Route(f"/{{block}}/{PICTURES}/{{picture}}", file),
            Route(f"/{{block}}/{SUMMARY}", file),
        ],
        middleware=[Middleware(_OwnName, names=names)],
    )


class PageServer:
    """Serves the page while its ``with`` block lasts.

    Parameters
    ----------
    folder, outbox, now
        As in `application`.
    host, port
        The address to listen at; who is bound to loopback answers to loopback's names alone, who
        is not to the machine's and to numbers. Port 0 is any that is free.
    names
        Further names to answer to, as that of a server that this one is behind.

    Raises
    ------
    StorageError
        The address cannot be used, on entering the block.
    """

    def __init__(
        self,
        folder: Path,
        outbox: Path,
        now: Callable[[], float],
        host: str,
        port: int,
        names: Sequence[str] = (),
    ) -> None:
        """Keep what is needed; nothing listens yet."""
        self._app = application(folder, outbox, now, names_of(host, names))
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


def names_of(host: str, further: Sequence[str] = ()) -> Names:
    """Return the names of a server bound to ``host``, and ``further`` ones."""
    number = _number(host)
    loopback = host == "localhost" if number is None else number.is_loopback
    machine = () if loopback else (socket.gethostname(), socket.getfqdn())
    known = ("localhost", "127.0.0.1", "::1", host, *machine, *further)
    return Names(frozenset(map(str.lower, known)), numbers=not loopback)


def _number(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
