"""What runs DINOv2: PyTorch, which is the reference, or OpenVINO, which is fast on a CPU.

OpenVINO reads a converted model. It is made once from the checked weights and kept beside them,
one folder for each set of weights, picture size and kind of numbers, with a list of hashes that
is checked at every use. Vectors in float32 are those of PyTorch as long as OpenVINO is told so:
its own default on a processor with bf16 is to compute in bf16 whatever the model holds, which
looks like a conversion that is not faithful (centred cosine 0.997), and files are written in half
precision unless told otherwise. Position embeddings are interpolated by PyTorch, once, and
converted as a constant.

int8 is post-training quantisation (NNCF, SmoothQuant with the even split 0.5 of
arXiv:2211.10438) on the fixed pictures of `gwmorph.encoders.calibration`. Rounding shifts all
vectors alike; the mean shift on those pictures, of the CLS token and of the patch tokens, is
added back (bias correction, arXiv:1906.04721). What is not quantised is computed in float32, so
that int8 asks for nothing of a processor but VNNI: without it sums of two products are kept in 16
bits and overflow.
"""

import logging
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gwmorph.codehash import stage_hash
from gwmorph.encoders.base import Size
from gwmorph.encoders.calibration import calibration_set
from gwmorph.encoders.dinov2 import (
    PATCH,
    REGISTERS,
    Network,
    load_model,
    pixel_values,
)
from gwmorph.encoders.precision import lacks_int8
from gwmorph.encoders.signal_stack import signal_stack_kept
from gwmorph.encoders.sizes import check_size
from gwmorph.encoders.weights import CONFIG_FILE, Weights
from gwmorph.errors import ConfigError, StorageError
from gwmorph.storage import content_hash, sha256_of_file, write_bytes, write_json

if TYPE_CHECKING:
    import openvino as ov

# OpenVINO and NNCF report their use to a statistics service, unasked, wherever this package can be
# imported; without it they are silent.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]

_MODEL = "model.xml"
_NUMBERS = "model.bin"
_ABOUT = "about.json"
_RECORD = "SHA256SUMS"  # of the two files above, as `sha256sum --check` reads it
_SMOOTHING = 0.5
_BATCH = 8
_HINTS = {"float32": "f32", "bf16": "bf16", "int8": "f32"}
_log = logging.getLogger(__name__)


def make_network(
    weights: Weights, size: Size, runtime: str, precision: str, cache: Path, threads: int | None
) -> Network:
    """Make the network for pictures of ``size`` (height, width).

    ``cache`` is where converted models are kept; ``threads`` are used at most (by default
    ``OMP_NUM_THREADS``, or all).

    Raises
    ------
    ConfigError
        The size does not suit the patches, ``runtime`` or ``precision`` is not resolved, or this
        machine cannot do it.
    WeightsError
        The weights are damaged or of another architecture.
    StorageError
        The converted model cannot be kept.
    """
    check_size("dinov2", size)
    if runtime == "pytorch" and precision == "float32":
        return PytorchNetwork(weights, threads)
    if runtime == "openvino" and precision in _HINTS:
        _require_int8(precision)  # before a model is quantised by what this processor makes of it
        folder = converted_model(weights, size, precision, cache, threads)
        return OpenvinoNetwork(folder, weights, precision, threads)
    raise ConfigError(
        f"encoder.runtime = {runtime!r} cannot do encoder.precision = {precision!r}: pytorch does "
        "float32; openvino does float32, bf16 and int8."
    )


class PytorchNetwork:
    """The reference, in float32."""

    precision = "float32"

    def __init__(self, weights: Weights, threads: int | None = None) -> None:
        import torch

        if threads is not None:
            torch.set_num_threads(threads)
        self.sha256 = weights.sha256
        self._model = load_model(weights)

    def tokens(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Network`."""
        import torch

        with torch.inference_mode():
            out = self._model(pixel_values=torch.from_numpy(values))
        return out.last_hidden_state.numpy()


class OpenvinoNetwork:
    """A converted model of `converted_model`, in float32, bf16 or int8.

    The ``sha256`` of a quantised model is that of the list of its files' hashes.
    """

    def __init__(
        self, folder: Path, weights: Weights, precision: str, threads: int | None = None
    ) -> None:
        self.precision = precision
        self.sha256 = weights.sha256 if precision != "int8" else sha256_of_file(folder / _RECORD)
        core = _core()
        _require_bf16(core, precision)
        compiled = _compile(core, core.read_model(folder / _MODEL), precision, threads)
        self._request = compiled.create_infer_request()

    def tokens(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Network`."""
        return _infer(self._request, values)


def converted_model(
    weights: Weights, size: Size, precision: str, cache: Path, threads: int | None = None
) -> Path:
    """Return the folder of the model converted for OpenVINO; it is made where there is none.

    float32 and bf16 share a model, which is converted before int8 is quantised from it.

    Raises
    ------
    WeightsError, StorageError
        As `make_network`.
    """
    kind = "int8" if precision == "int8" else "float32"
    folder = cache / "converted" / _folder_name(weights, size, kind)
    if _is_whole(folder):
        return folder
    if kind == "float32":
        _log.info("Converting %s for OpenVINO.", weights.name)
        return _publish(folder, lambda: (convert(weights, size), {}))
    source = converted_model(weights, size, "float32", cache, threads)
    _log.info("Quantising %s to int8.", weights.name)
    return _publish(folder, lambda: quantise(source / _MODEL, size, threads))


def convert(weights: Weights, size: Size) -> "ov.Model":
    """Convert the checked weights for batches of any length of pictures of ``size``, in float32.

    Raises
    ------
    WeightsError
        As `load_model`.
    """
    import openvino as ov
    import torch

    model = load_model(weights)
    embeddings = model.embeddings
    patches = (size[0] // PATCH) * (size[1] // PATCH)
    with torch.inference_mode():
        blank = torch.zeros(1, patches + 1, model.config.hidden_size)
        positions = embeddings.interpolate_pos_encoding(blank, *size)
    # Not a method of the class: the converter sees a constant instead of an interpolation.
    vars(embeddings)["interpolate_pos_encoding"] = lambda *_: positions.clone()

    class Tokens(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, values: torch.Tensor) -> torch.Tensor:
            return self.model(pixel_values=values).last_hidden_state

    example = torch.zeros(2, 3, *size)
    with warnings.catch_warnings():
        # The tracer warns of branches that depend on shapes, which are fixed here, and of itself.
        for kind in (torch.jit.TracerWarning, DeprecationWarning, FutureWarning):
            warnings.simplefilter("ignore", kind)
        return ov.convert_model(
            Tokens(), example_input=example, input=[ov.PartialShape([-1, 3, *size])]
        )


def quantise(
    model: Path, size: Size, threads: int | None = None
) -> tuple["ov.Model", dict[str, Any]]:
    """Quantise a converted model to int8; return it and a record of what it was calibrated on."""
    import nncf

    # Its own function would change the handlers of the logger, too, which are others'.
    logging.getLogger("nncf").setLevel(logging.ERROR)
    calibration = calibration_set(size)
    values = [
        pixel_values(calibration.pictures[i : i + 1], calibration.scale)
        for i in range(len(calibration.pictures))
    ]
    core = _core()
    with signal_stack_kept():
        quantised = nncf.quantize(
            core.read_model(model),
            nncf.Dataset(values),
            model_type=nncf.ModelType.TRANSFORMER,
            subset_size=len(values),
            advanced_parameters=nncf.AdvancedQuantizationParameters(
                smooth_quant_alphas=nncf.AdvancedSmoothQuantParameters(matmul=_SMOOTHING)
            ),
        )
    exact = _mean_tokens(_compile(core, core.read_model(model), "float32", threads), values)
    shifted = _mean_tokens(_compile(core, quantised, "int8", threads), values)
    about = {"calibration": calibration.about, "nncf": version("nncf"), "smoothing": _SMOOTHING}
    return _named_in_order(_with_bias(quantised, exact - shifted)), about


def _mean_tokens(compiled: "ov.CompiledModel", values: list[NDArray[np.float32]]) -> NDArray:
    """Return the mean of each token over all pictures: float64 [tokens, 384]."""
    request = compiled.create_infer_request()
    batches = [np.concatenate(values[i : i + _BATCH]) for i in range(0, len(values), _BATCH)]
    total = sum(_infer(request, batch).sum(axis=0, dtype=np.float64) for batch in batches)
    return np.asarray(total) / len(values)


def _with_bias(model: "ov.Model", shift: NDArray[np.float64]) -> "ov.Model":
    """Add to the CLS token its mean shift, and to every patch the mean over all patches."""
    import openvino as ov
    from openvino import opset13

    bias = np.zeros((1, *shift.shape), np.float32)
    bias[0, 0] = shift[0]
    bias[0, 1 + REGISTERS :] = shift[1 + REGISTERS :].mean(axis=0)
    last = model.output(0).get_node().input_value(0)
    return ov.Model([opset13.add(last, opset13.constant(bias))], model.get_parameters())


def _named_in_order(model: "ov.Model") -> "ov.Model":
    """Name everything by its place, so that equal models are equal bytes in any process."""
    model.set_friendly_name("dinov2")
    model.output(0).get_tensor().set_names({"tokens"})
    for number, node in enumerate(model.get_ordered_ops()):
        node.set_friendly_name(f"{node.get_type_name()}_{number}")
    return model


def _core() -> "ov.Core":
    import openvino as ov

    core = ov.Core()
    with signal_stack_kept():
        core.get_versions("CPU")  # loads the plugin
    return core


def _require_bf16(core: "ov.Core", precision: str) -> None:
    able = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if precision == "bf16" and "BF16" not in able:
        raise ConfigError(
            f"encoder.precision = 'bf16': this processor does not multiply bf16 (it offers "
            f"{', '.join(able)}). Run on machines like the one that the plan was made on, or set "
            "encoder.precision to 'float32'."
        )


def _require_int8(precision: str) -> None:
    if precision == "int8" and lacks_int8():
        raise ConfigError(
            "encoder.precision = 'int8': this processor has no VNNI (avx512_vnni, avx_vnni or "
            "amx_int8 among its flags); sums of products of bytes would overflow, and vectors be "
            "far from those of other machines. Run on machines like the one that the plan was "
            "made on, or set encoder.precision to 'float32'."
        )


def _compile(
    core: "ov.Core", model: "ov.Model", precision: str, threads: int | None
) -> "ov.CompiledModel":
    settings = {
        "INFERENCE_PRECISION_HINT": _HINTS[precision],
        "INFERENCE_NUM_THREADS": threads or int(os.environ.get("OMP_NUM_THREADS", "0")),
        "NUM_STREAMS": 1,
        # Processes that pin their threads all pin them to the same cores.
        "ENABLE_CPU_PINNING": False,
    }
    return core.compile_model(model, "CPU", settings)


def _infer(request: "ov.InferRequest", values: NDArray[np.float32]) -> NDArray[np.float32]:
    # The request's own output is overwritten by the next call.
    return request.infer([values])[0].copy()


def _folder_name(weights: Weights, size: Size, kind: str) -> str:
    makers = ["openvino"] + (["nncf"] if kind == "int8" else [])
    made_from = {
        "weights": weights.sha256,
        "config": sha256_of_file(weights.folder / CONFIG_FILE),
        # Of all that converts, quantises, and draws the pictures to calibrate on.
        "code": stage_hash(__file__),
        "versions": [version(name) for name in makers],
    }
    return f"{weights.name}-{size[0]}x{size[1]}-{kind}-{content_hash(made_from)}"


def _is_whole(folder: Path) -> bool:
    record = folder / _RECORD
    return record.is_file() and record.read_bytes() == _hashes(folder)


def _hashes(folder: Path) -> bytes | None:
    files = [folder / name for name in (_MODEL, _NUMBERS)]
    if not all(file.is_file() for file in files):
        return None
    return "".join(f"{sha256_of_file(file)}  {file.name}\n" for file in files).encode()


def _publish(folder: Path, make: Callable[[], tuple["ov.Model", Mapping[str, Any]]]) -> Path:
    """Make a model in a folder beside and give it its name; the first process to do so wins."""
    import openvino as ov

    model, about = make()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".convert.") as scratch:
            fresh = Path(scratch) / "model"
            fresh.mkdir()
            ov.save_model(model, fresh / _MODEL, compress_to_fp16=False)
            write_json(fresh / _ABOUT, {**about, "openvino": version("openvino")})
            write_bytes(fresh / _RECORD, _hashes(fresh) or b"")
            if not _is_whole(folder):
                shutil.rmtree(folder, ignore_errors=True)
                fresh.rename(folder)
    except OSError as error:
        if not _is_whole(folder):
            raise StorageError(f"{folder}: cannot be written ({error}).") from error
    return folder
