"""Where DINOv2's weights come from: a folder, the model hub, or a mirror of it.

Only safetensors files are read; a pickle can run code. Fetched files lie in the cache folder
by hub name and revision, beside a list of their SHA-256 that is checked at every use.
"""

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from huggingface_hub import (
    constants,
    get_hf_file_metadata,
    get_session,
    hf_hub_download,
    hf_hub_url,
)
from huggingface_hub.errors import HTTPError
from safetensors import SafetensorError, safe_open

from gwmorph.config import WeightsConfig
from gwmorph.encoders.model_config import read_model_config
from gwmorph.errors import WeightsError
from gwmorph.storage import sha256_of_file, write_bytes

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
_FILES = (CONFIG_FILE, WEIGHTS_FILE)
_RECORD_FILE = "SHA256SUMS"  # as `sha256sum --check` reads it
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_HEAD_TIMEOUT_S = 10


@dataclass(frozen=True)
class Weights:
    """Checked weights: ``folder`` holds config.json and model.safetensors.

    ``name`` and ``revision`` say which model (revision ``local`` for a folder without a pinned
    one); ``sha256`` is that of model.safetensors.
    """

    folder: Path
    name: str
    revision: str
    sha256: str


def obtain_weights(config: WeightsConfig) -> Weights:
    """Return the configured weights, fetched once if they come from a hub.

    Raises
    ------
    WeightsError
        A file is missing, truncated, pickled, or has another SHA-256 than
        ``encoder.weights.sha256``; no revision is pinned; the hub does not give the files, or
        sends to another host than it may; or config.json names code.
    """
    if config.path is not None:
        folder, revision = Path(config.path), config.revision or "local"
        _check_present(folder)
    else:
        revision = _pinned_revision(config)
        folder = Path(config.cache) / config.hub_id.replace("/", "--") / revision
        if not _is_cached(folder):
            _fetch(config, revision, folder)
    read_model_config(folder / CONFIG_FILE)
    _check_safetensors(folder / WEIGHTS_FILE, f"{folder / WEIGHTS_FILE}")
    sha256 = sha256_of_file(folder / WEIGHTS_FILE)
    _check_sha256(folder / WEIGHTS_FILE, sha256, config.sha256)
    return Weights(folder, config.hub_id.rpartition("/")[2], revision, sha256)


def _check_present(folder: Path) -> None:
    for name in _FILES:
        if not (folder / name).is_file():
            pickles = sorted(path.name for path in folder.glob("*.bin")) + sorted(
                path.name for path in folder.glob("*.pth")
            )
            refused = (
                f" {', '.join(pickles)} is there, but pickles are refused." if pickles else ""
            )
            raise WeightsError(
                f"encoder.weights.path = {folder}: {name} is not there.{refused} Put config.json "
                "and model.safetensors of facebook/dinov2-with-registers-small (files of the same "
                "names on the model hub) into that folder."
            )


def _pinned_revision(config: WeightsConfig) -> str:
    if config.revision is None or not _COMMIT.fullmatch(config.revision):
        raise WeightsError(
            f"encoder.weights.revision: expected a commit of {config.hub_id} (40 lower-case "
            f"hexadecimal digits), got {config.revision!r}. A branch or tag can change under a "
            f"run. The commits are listed at {_endpoint(config)}/{config.hub_id}/commits/main; "
            "or set encoder.weights.path to a folder with config.json and model.safetensors."
        )
    return config.revision


def _endpoint(config: WeightsConfig) -> str:
    """The configured mirror, else ``HF_ENDPOINT`` or the public hub."""
    return (config.endpoint or constants.ENDPOINT).rstrip("/")


def _url(config: WeightsConfig, revision: str, name: str) -> str:
    return hf_hub_url(config.hub_id, name, revision=revision, endpoint=_endpoint(config))


def _is_cached(folder: Path) -> bool:
    """Tell whether the folder holds exactly what was once fetched into it."""
    if not all((folder / name).is_file() for name in (*_FILES, _RECORD_FILE)):
        return False
    return (folder / _RECORD_FILE).read_bytes() == _record(folder)


def _record(folder: Path) -> bytes:
    return "".join(f"{sha256_of_file(folder / name)}  {name}\n" for name in _FILES).encode()


def _fetch(config: WeightsConfig, revision: str, folder: Path) -> None:
    """Fetch both files and move them into ``folder``; the list of hashes comes last, as a seal."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _RECORD_FILE).unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch.") as name:
        scratch = Path(name)
        for file in _FILES:
            _fetch_file(config, revision, file, scratch)
        _check_safetensors(scratch / WEIGHTS_FILE, _url(config, revision, WEIGHTS_FILE))
        record = _record(scratch)
        for file in _FILES:
            (scratch / file).replace(folder / file)
    write_bytes(folder / _RECORD_FILE, record)


def _fetch_file(config: WeightsConfig, revision: str, name: str, scratch: Path) -> None:
    url = _url(config, revision, name)
    try:
        # hf_hub_download hides why a host is out of reach and tries again for half a minute;
        # asking for the file's head first fails at once, with the reason.
        with _asking_only(_endpoint(config), config.hosts):
            head = get_hf_file_metadata(url, timeout=_HEAD_TIMEOUT_S)
            hf_hub_download(
                config.hub_id,
                name,
                revision=revision,
                local_dir=scratch,
                endpoint=_endpoint(config),
            )
    except (HTTPError, OSError) as error:
        raise _cannot_fetch(config, revision, url, str(error)) from error
    promised = head.etag or ""
    if _SHA256.fullmatch(promised) and sha256_of_file(scratch / name) != promised:
        raise _cannot_fetch(
            config, revision, url, f"the content does not have the SHA-256 {promised} it promises"
        )


@contextmanager
def _asking_only(endpoint: str, hosts: Sequence[str]) -> Iterator[None]:
    """Refuse every request that is neither at ``endpoint`` nor at ``hosts`` or below them.

    Xet, the hub's other way to bring files, asks through a client of its own, and is left out.
    """
    client = get_session()
    hooks, xet = client.event_hooks, constants.HF_HUB_DISABLE_XET

    def require(request: Any) -> None:
        asked = urlsplit(str(request.url))
        own = urlsplit(endpoint)
        if (asked.scheme, asked.netloc) == (own.scheme, own.netloc):
            return
        allowed = any(f".{asked.hostname}".endswith(f".{host}") for host in hosts)
        if not allowed or (own.scheme, asked.scheme) == ("https", "http"):
            raise WeightsError(
                f"{asked.scheme}://{asked.netloc}: expected an address at {endpoint} or at "
                f"{', '.join(hosts) or 'no other'}; another is not asked. If weights are to come "
                "from there, add its host to encoder.weights.hosts."
            )

    client.event_hooks = {**hooks, "request": [*hooks["request"], require]}
    constants.HF_HUB_DISABLE_XET = True
    try:
        yield
    finally:
        client.event_hooks, constants.HF_HUB_DISABLE_XET = hooks, xet


def _cannot_fetch(config: WeightsConfig, revision: str, url: str, reason: str) -> WeightsError:
    return WeightsError(
        f"The weights of {config.hub_id} cannot be fetched: {url}: {reason.strip()}\n"
        "Any of these helps:\n"
        f"  - on a machine that reaches the hub, download "
        f"{_url(config, revision, CONFIG_FILE)} and {_url(config, revision, WEIGHTS_FILE)} into "
        "one folder, copy it here, and set encoder.weights.path to it;\n"
        "  - set encoder.weights.endpoint (or the environment variable HF_ENDPOINT) to a mirror "
        "of the hub;\n"
        "  - check encoder.weights.hub_id and encoder.weights.revision;\n"
        "  - set encoder.name to 'dct', which needs no weights."
    )


def _check_safetensors(path: Path, origin: str) -> None:
    try:
        with safe_open(path, framework="np"):
            pass
    except OSError as error:
        raise WeightsError(
            f"{path}: cannot be read ({error}). Let it be read, or correct encoder.weights.path."
        ) from error
    except SafetensorError as error:
        raise WeightsError(
            f"{origin}: not a whole safetensors file ({error}). It is truncated, or a pickle "
            f"under another name, which is refused. Fetch {WEIGHTS_FILE} again."
        ) from error


def _check_sha256(path: Path, found: str, expected: str | None) -> None:
    if expected is not None and found != expected:
        raise WeightsError(
            f"{path}: expected encoder.weights.sha256 = {expected}, got {found}. These are other "
            "weights: correct the key, or the path, hub_id or revision beside it."
        )
