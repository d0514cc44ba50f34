import hashlib
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hub_replica import COMMIT, HUB_ID, HubReplica
from safetensors.numpy import save

from gwmorph.config import WeightsConfig
from gwmorph.encoders.weights import obtain_weights
from gwmorph.errors import WeightsError

CONTENT = save({"layernorm.weight": np.arange(384, dtype=np.float32)})
SHA256 = hashlib.sha256(CONTENT).hexdigest()
FILES = {"config.json": b'{"model_type": "dinov2_with_registers"}', "model.safetensors": CONTENT}


@pytest.fixture
def hub() -> Iterator[HubReplica]:
    with HubReplica(dict(FILES)) as replica:
        yield replica


def _folder(path: Path, **files: bytes) -> Path:
    path.mkdir()
    for name, content in {**FILES, **files}.items():
        (path / name).write_bytes(content)
    return path


def _remote(hub: HubReplica, cache: Path, **keys: object) -> WeightsConfig:
    values = {
        "revision": COMMIT,
        "endpoint": hub.endpoint,
        "hosts": ["localhost"],
        "cache": str(cache),
        **keys,
    }
    return WeightsConfig(**values)  # type: ignore[arg-type]


def test_a_folder_is_used_as_it_is(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "mine")
    weights = obtain_weights(WeightsConfig(path=str(folder), sha256=SHA256))
    assert weights.folder == folder
    assert (weights.name, weights.revision) == ("dinov2-with-registers-small", "local")
    assert weights.sha256 == SHA256


def test_another_sha256_is_refused(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "mine")
    with pytest.raises(WeightsError, match=f"encoder.weights.sha256 = {'0' * 64}, got {SHA256}"):
        obtain_weights(WeightsConfig(path=str(folder), sha256="0" * 64))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        WeightsError, match=r"nowhere: config\.json is not there.*Put config\.json"
    ):
        obtain_weights(WeightsConfig(path=str(tmp_path / "nowhere")))


def test_pickled_weights_are_refused_by_name(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "mine", **{"pytorch_model.bin": pickle.dumps({})})
    (folder / "model.safetensors").unlink()
    with pytest.raises(
        WeightsError, match=r"pytorch_model\.bin is there, but pickles are refused"
    ):
        obtain_weights(WeightsConfig(path=str(folder)))


@pytest.mark.parametrize("content", [CONTENT[:-100], b"", pickle.dumps({"weights": [1.0] * 100})])
def test_truncated_and_disguised_files_are_refused(tmp_path: Path, content: bytes) -> None:
    folder = _folder(tmp_path / "mine", **{"model.safetensors": content})
    with pytest.raises(WeightsError, match=r"model\.safetensors: not a whole safetensors file"):
        obtain_weights(WeightsConfig(path=str(folder)))


def test_files_that_may_not_be_read_are_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("gwmorph.encoders.weights.safe_open", refused)
    with pytest.raises(WeightsError, match=r"cannot be read .*Permission denied"):
        obtain_weights(WeightsConfig(path=str(_folder(tmp_path / "mine"))))


def test_weights_come_from_a_mirror_once(hub: HubReplica, tmp_path: Path) -> None:
    weights = obtain_weights(_remote(hub, tmp_path, sha256=SHA256))
    assert weights.folder == tmp_path / "facebook--dinov2-with-registers-small" / COMMIT
    assert weights.revision == COMMIT
    assert {name: (weights.folder / name).read_bytes() for name in FILES} == FILES
    assert sorted(path.name for path in weights.folder.iterdir()) == ["SHA256SUMS", *sorted(FILES)]
    asked = len(hub.requests)
    hub.stop()
    assert obtain_weights(_remote(hub, tmp_path)) == weights
    assert len(hub.requests) == asked


def test_a_damaged_cache_is_fetched_again(hub: HubReplica, tmp_path: Path) -> None:
    weights = obtain_weights(_remote(hub, tmp_path))
    (weights.folder / "model.safetensors").write_bytes(save({"other": np.zeros(3)}))
    assert obtain_weights(_remote(hub, tmp_path)).sha256 == SHA256
    (weights.folder / "config.json").unlink()
    assert obtain_weights(_remote(hub, tmp_path)).sha256 == SHA256
    assert (weights.folder / "config.json").read_bytes() == FILES["config.json"]


@pytest.mark.parametrize("revision", [None, "main", COMMIT[:12], COMMIT.upper()])
def test_an_unpinned_revision_is_refused(
    hub: HubReplica, tmp_path: Path, revision: str | None
) -> None:
    config = WeightsConfig(revision=revision, endpoint=hub.endpoint, cache=str(tmp_path))
    with pytest.raises(WeightsError, match=rf"{HUB_ID}/commits/main") as caught:
        obtain_weights(config)
    assert repr(revision) in str(caught.value)
    assert hub.requests == []


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("missing", "404"),
        ("unavailable", "503"),
        ("short", "should be of size"),
        ("corrupt", f"does not have the SHA-256 {SHA256}"),
    ],
)
def test_a_faulty_hub_leaves_nothing_and_says_what_helps(
    hub: HubReplica, tmp_path: Path, fault: str, reason: str
) -> None:
    hub.fault = fault
    with pytest.raises(WeightsError, match=reason):
        obtain_weights(_remote(hub, tmp_path))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(hub.requests) < 12
    hub.fault = None
    assert obtain_weights(_remote(hub, tmp_path)).sha256 == SHA256


def test_no_hub_fails_fast_with_the_way_out(hub: HubReplica, tmp_path: Path) -> None:
    hub.stop()
    start = time.monotonic()
    with pytest.raises(WeightsError) as caught:
        obtain_weights(_remote(hub, tmp_path))
    assert time.monotonic() - start < 5
    text = str(caught.value)
    for name in FILES:
        assert f"{hub.endpoint}/{HUB_ID}/resolve/{COMMIT}/{name}" in text
    for key in ("path", "endpoint", "hub_id", "revision"):
        assert f"encoder.weights.{key}" in text


def test_other_weights_than_promised_stay_out_of_use(hub: HubReplica, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"encoder\.weights\.sha256"):
        obtain_weights(_remote(hub, tmp_path, sha256="f" * 64))


def test_the_environment_names_a_mirror(hub: HubReplica, tmp_path: Path) -> None:
    program = (
        "from gwmorph.config import WeightsConfig\n"
        "from gwmorph.encoders.weights import obtain_weights\n"
        f"keys = {{'revision': {COMMIT!r}, 'cache': {str(tmp_path)!r}, 'hosts': ['localhost']}}\n"
        "weights = WeightsConfig(**keys)\n"
        "print(obtain_weights(weights).sha256)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "HF_ENDPOINT": hub.endpoint},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == SHA256
    assert hub.requests


@pytest.mark.parametrize("hosts", [[], ["example.org"], ["ocalhost"]])
def test_the_hub_sends_to_no_other_host_than_it_may(
    hub: HubReplica, tmp_path: Path, hosts: list[str]
) -> None:
    with pytest.raises(WeightsError, match=r"http://localhost:\d+: expected .*weights\.hosts"):
        obtain_weights(_remote(hub, tmp_path, hosts=hosts))
    assert [path for _, path in hub.requests if path.startswith("/cdn/")] == []
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert obtain_weights(_remote(hub, tmp_path)).sha256 == SHA256  # the next one asks as it may


@pytest.mark.parametrize(
    "named",
    [
        b'"auto_map": {"AutoModel": "evil.Model"}',
        b'"auto_map": {"AutoModel": "someone/evil--evil.Model"}',
        b'"attn_implementation": "someone/kernel"',
        b'"_attn_implementation": "kernels-community/flash-attn"',
        b'"experts_implementation": "someone/kernel"',
    ],
)
def test_a_configuration_that_names_code_is_refused(
    hub: HubReplica, tmp_path: Path, named: bytes
) -> None:
    config = b'{"model_type": "dinov2_with_registers", ' + named + b"}"
    folder = _folder(tmp_path / "mine", **{"config.json": config})
    with pytest.raises(WeightsError, match="names code that would be run"):
        obtain_weights(WeightsConfig(path=str(folder)))
    hub.files["config.json"] = config
    with pytest.raises(WeightsError, match="names code that would be run"):
        obtain_weights(_remote(hub, tmp_path / "cache"))
