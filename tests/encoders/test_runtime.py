import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gwmorph.codehash import import_closure
from gwmorph.config import EncoderConfig, WeightsConfig
from gwmorph.encoders import runtime
from gwmorph.encoders.calibration import calibration_set
from gwmorph.encoders.dinov2 import cls_token, mean_patch, pixel_values
from gwmorph.encoders.precision import lacks_int8
from gwmorph.encoders.registry import make_encoder
from gwmorph.encoders.runtime import (
    OpenvinoNetwork,
    PytorchNetwork,
    converted_model,
    make_network,
)
from gwmorph.encoders.signal_stack import signal_stack
from gwmorph.encoders.weights import Weights, obtain_weights
from gwmorph.errors import ConfigError, StorageError, WeightsError
from gwmorph.spectra.pictures import PictureScale

SCALE = PictureScale("linear", 25.5, "cividis")
SIZE = (56, 84)
RNG = np.random.default_rng(3)
PICTURES = SCALE.index(RNG.exponential(1.4, (5, *SIZE)).astype(np.float32))
for number, picture in enumerate(PICTURES):
    picture[10 + 5 * number : 20 + 5 * number, 30 : 40 + 3 * number] = 255


@pytest.fixture(scope="module")
def weights(random_model: Path) -> Weights:
    return obtain_weights(WeightsConfig(path=str(random_model)))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def exact(weights: Weights) -> np.ndarray:
    return PytorchNetwork(weights).tokens(pixel_values(PICTURES, SCALE))


def _cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(axis=-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)


@pytest.mark.parametrize(
    ("precision", "loss"), [("float32", 1e-6), ("bf16", 5e-4), ("int8", 2e-3)]
)
def test_every_precision_gives_the_references_tokens(
    weights: Weights, cache: Path, exact: np.ndarray, precision: str, loss: float
) -> None:
    able = runtime._core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if precision == "bf16" and "BF16" not in able:
        pytest.skip("this processor does not multiply bf16")
    if precision == "int8" and lacks_int8():
        pytest.skip("this processor has no VNNI")
    stack = bytes(signal_stack())
    network = make_network(weights, SIZE, "openvino", precision, cache, 1)
    tokens = network.tokens(pixel_values(PICTURES, SCALE))
    assert bytes(signal_stack()) == stack
    assert tokens.shape == exact.shape == (5, 1 + 4 + 24, 384)
    assert tokens.dtype == np.float32
    for output in (cls_token, mean_patch):
        assert _cosines(output(tokens), output(exact)).min() > 1 - loss
    assert (network.sha256 == weights.sha256) == (precision != "int8")


def test_int8_is_refused_before_anything_is_quantised(
    weights: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a processor without VNNI quantises would be taken by others from a shared cache."""
    monkeypatch.setattr(runtime, "lacks_int8", lambda: True)
    with pytest.raises(ConfigError, match=r"no VNNI .*encoder\.precision to 'float32'"):
        make_network(weights, SIZE, "openvino", "int8", tmp_path / "cache", 1)
    assert not (tmp_path / "cache").exists()


def test_results_repeat_and_outlive_the_next_call(weights: Weights, cache: Path) -> None:
    network = make_network(weights, SIZE, "openvino", "float32", cache, 1)
    values = pixel_values(PICTURES, SCALE)
    first = network.tokens(values)
    kept = first.copy()
    single = network.tokens(values[2:3])
    np.testing.assert_array_equal(first, kept)
    np.testing.assert_array_equal(network.tokens(values), first)
    np.testing.assert_allclose(single[0], first[2], atol=2e-4)


def test_a_model_is_converted_once_without_pytorch(
    weights: Weights, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = converted_model(weights, SIZE, "float32", cache)
    assert converted_model(weights, SIZE, "bf16", cache) == folder
    monkeypatch.setattr(runtime, "convert", lambda *_: pytest.fail("converted again"))
    assert converted_model(weights, SIZE, "float32", cache) == folder
    assert not list(folder.parent.glob(".*"))
    assert json.loads((folder / "about.json").read_text())["openvino"]


@pytest.mark.parametrize("kind", ["float32", "int8"])
def test_a_model_is_kept_under_the_hash_of_the_code_that_makes_it(
    weights: Weights, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    closure = {path.name for path in import_closure(Path(runtime.__file__))}
    assert {"calibration.py", "qtransform.py", "pictures.py", "dinov2.py"} <= closure
    before = runtime._folder_name(weights, SIZE, kind)
    assert runtime._folder_name(weights, SIZE, kind) == before
    monkeypatch.setattr(runtime, "stage_hash", lambda _: "other code")
    assert runtime._folder_name(weights, SIZE, kind) != before


def test_a_damaged_model_is_converted_again(weights: Weights, tmp_path: Path) -> None:
    folder = converted_model(weights, (28, 28), "float32", tmp_path)
    whole = (folder / "model.bin").read_bytes()
    (folder / "model.bin").write_bytes(whole[:-8])
    assert converted_model(weights, (28, 28), "float32", tmp_path) == folder
    assert (folder / "model.bin").read_bytes() == whole


def test_quantisation_repeats_and_names_its_pictures(
    weights: Weights, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = converted_model(weights, SIZE, "int8", cache)
    about = json.loads((folder / "about.json").read_text())
    assert about["calibration"] == calibration_set(SIZE).about
    source = converted_model(weights, SIZE, "float32", cache)
    again = runtime._publish(
        cache / "again", lambda: runtime.quantise(source / "model.xml", SIZE, 1)
    )
    first = OpenvinoNetwork(folder, weights, "int8").sha256
    assert OpenvinoNetwork(again, weights, "int8").sha256 == first != weights.sha256


def test_the_encoder_id_names_precision(
    random_model: Path, cache: Path, weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "lacks_int8", lambda: False)
    where = {"path": str(random_model), "cache": str(cache)}

    def made(precision: str) -> str:
        config = EncoderConfig(name="dinov2", precision=precision, weights=where)
        return make_encoder(config, SIZE, 1).encoder_id

    assert made("float32").endswith(f":{weights.sha256}:56x84:float32")
    quantised = OpenvinoNetwork(converted_model(weights, SIZE, "int8", cache), weights, "int8")
    assert made("int8").endswith(f":{quantised.sha256}:56x84:int8")


@pytest.mark.parametrize(
    ("kind", "precision"), [("pytorch", "bf16"), ("pytorch", "int8"), ("openvino", "auto")]
)
def test_what_a_runtime_cannot_do_is_refused(
    weights: Weights, cache: Path, kind: str, precision: str
) -> None:
    with pytest.raises(
        ConfigError, match=rf"'{kind}' cannot do encoder\.precision = '{precision}'"
    ):
        make_network(weights, SIZE, kind, precision, cache, 1)


def test_a_processor_without_bf16_is_named(
    weights: Weights, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Old:
        def get_property(self, *_: str) -> list[str]:
            return ["FP32", "INT8"]

    folder = converted_model(weights, SIZE, "bf16", cache)
    monkeypatch.setattr(runtime, "_core", Old)
    with pytest.raises(ConfigError, match=r"does not multiply bf16 \(it offers FP32, INT8\)"):
        OpenvinoNetwork(folder, weights, "bf16")


@pytest.mark.parametrize("missing", ["openvino", "nncf"])
def test_a_missing_package_is_named(
    random_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setattr(runtime, "lacks_int8", lambda: False)
    monkeypatch.setitem(sys.modules, missing, None)
    weights = {"path": str(random_model), "cache": str(tmp_path)}
    config = EncoderConfig(name="dinov2", precision="int8", weights=weights)
    with pytest.raises(ConfigError, match=rf"needs the Python package '{missing}'.*pip install"):
        make_encoder(config, (28, 28), 1)


def test_bad_weights_are_refused_before_conversion(random_model: Path, tmp_path: Path) -> None:
    settings = json.loads((random_model / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**settings, "hidden_size": 768}))
    (tmp_path / "model.safetensors").symlink_to(random_model / "model.safetensors")
    weights = obtain_weights(WeightsConfig(path=str(tmp_path)))
    with pytest.raises(WeightsError, match="another architecture"):
        make_network(weights, SIZE, "openvino", "float32", tmp_path / "cache", 1)
    assert not list((tmp_path / "cache").rglob("*.*"))


def test_a_cache_that_cannot_be_written_is_named(weights: Weights, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        converted_model(weights, (28, 28), "float32", tmp_path / "file")


def test_calibration_pictures_are_fixed_by_their_seed() -> None:
    first, second = calibration_set((56, 56)), calibration_set((56, 56))
    assert first.pictures.shape == (96, 56, 56)
    assert first.about == second.about
    # Windows and events alike: some loud pixels, no blank picture.
    spread = first.pictures.reshape(96, -1)
    assert (spread.max(axis=1) > 60).all()
    assert len(np.unique(spread, axis=0)) == 96


def test_nncf_does_not_talk(weights: Weights, cache: Path) -> None:
    converted_model(weights, SIZE, "int8", cache)
    assert not logging.getLogger("nncf").isEnabledFor(logging.INFO)


def test_no_use_is_reported(random_model: Path, tmp_path: Path) -> None:
    """Both libraries would count their uses in the user's home, and send them from there."""
    code = (
        "import sys; from pathlib import Path; from gwmorph.config import WeightsConfig;"
        "from gwmorph.encoders.runtime import converted_model;"
        "from gwmorph.encoders.weights import obtain_weights;"
        "weights = obtain_weights(WeightsConfig(path=sys.argv[1]));"
        "converted_model(weights, (56, 84), 'int8', Path(sys.argv[2]))"
    )
    home = tmp_path / "home"
    home.mkdir()
    silent = {"CI", "TF_BUILD", "JENKINS_URL", "NNCF_CI", "NNCF_DEV"}  # as they are in a test farm
    environment = {key: value for key, value in os.environ.items() if key not in silent}
    subprocess.run(
        [sys.executable, "-c", code, str(random_model), str(tmp_path / "cache")],
        env=environment | {"HOME": str(home)},
        check=True,
    )
    assert not (home / "intel").exists()
