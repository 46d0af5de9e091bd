"""Sound files of other programs are named for what they are; none is called damaged."""

from __future__ import annotations

import io
import pickle
import re
import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.checkpoints.corpus import write
from weightscope.checkpoints import open_checkpoint
from weightscope.errors import CheckpointError

BLAME = re.compile(r"damaged|forged|download|incomplete|truncated|torch\.save wrote the file")


def zipped(*names: str, method: int = zipfile.ZIP_STORED) -> bytes:
    """A zip archive of these records."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name in names:
            archive.writestr(name, b"x" * 300)
    return buffer.getvalue()


def field(number: int, content: bytes) -> bytes:
    """A protobuf field of bytes."""
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([size & 127 | 128, size >> 7])
    return bytes([number << 3 | 2]) + length + content


NODE = field(1, field(1, b"x") + field(4, b"Gemm"))
GRAPH = field(7, NODE * 20)
ONNX = b"\x08\x07" + field(2, b"pytorch") + field(3, b"2.1.0") + GRAPH
INPUT = field(1, field(1, b"image") + field(3, field(5, b"")))
CORE_ML = (
    b"\x08\x04" + field(2, INPUT + field(10, field(1, b"score")) * 20) + b"\xa2\x1f\x02\x08\x01"
)
META = field(1, field(2, field(1, b"AddV2") * 5) + field(4, b"serve"))
SAVED_MODEL = b"\x08\x01" + field(2, META + field(2, b"node" * 40))
OPENVINO = b'<?xml version="1.0"?>\n<net name="resnet" version="11">\n<layers>'
NDARRAY = pickle.dumps({"w": np.ones(3)}, 4)

FILES: dict[str, tuple[str, bytes, str, str]] = {
    "onnx": ("m.onnx", ONNX, "an ONNX model", "onnx.numpy_helper.to_array"),
    "onnx as bin": ("m.bin", ONNX, "an ONNX model", "onnx.numpy_helper"),
    "onnx without producer": ("m.pb", b"\x08\x03" + GRAPH, "an ONNX model", "onnx.load"),
    "onnx opset first": ("m", b"\x08\x08\x42\x04\x0a\x00\x10\x0d", "an ONNX model", "onnx.load"),
    "onnx data": ("m.onnx_data", b"\x01\x02\x03", "the external data of an ONNX", "onnx.load"),
    "tflite": ("m.tflite", b"\x1c\0\0\0TFL3" + bytes(40), "a TensorFlow Lite", "tf.lite.Interp"),
    "tflite as bin": ("m.bin", b"\x1c\0\0\0TFL3" + bytes(40), "a TensorFlow Lite", "tf.lite"),
    "core ml": ("m.mlmodel", CORE_ML, "a Core ML model", "coremltools"),
    "core ml as bin": ("m.bin", CORE_ML, "a Core ML model", "coremltools"),
    "saved model": ("saved_model.pb", SAVED_MODEL, "a TensorFlow SavedModel", "tf.saved_model"),
    "saved model as pt": ("m.pt", SAVED_MODEL, "a TensorFlow SavedModel", "tf.saved_model"),
    "frozen graph": ("frozen.pb", NODE * 9, "a TensorFlow graph", "tf.saved_model"),
    "tf values": ("v.data-00000-of-00001", bytes(80), "the values of a TensorFlow", "tf.train"),
    "tf index": ("m.ckpt.index", b"\0\0\x02", "a part of a TensorFlow", "tf.train.load"),
    "tf meta": ("m.ckpt-10.meta", NODE, "a part of a TensorFlow", "tf.train.load"),
    "tf list": (
        "checkpoint",
        b'model_checkpoint_path: "m-10"',
        "a list of TensorFlow checkpoints",
        "tf.train",
    ),
    "joblib": ("m.joblib", b"\x78\x9c" + bytes(20), "a zlib stream", "program that wrote it"),
    "tokenizer": (
        "tokenizer.model",
        b"\n\x0e\n\x05<unk>\x15\0\0",
        "a SentencePiece tokenizer",
        "weights",
    ),
    "fasttext": ("m.bin", b"\xba\x16\x4f\x2f\x0c" + bytes(60), "a fastText", "get_input_matrix"),
    "word2vec": ("v.bin", b"3000000 300\n</s> " + bytes(60), "word vectors", "gensim"),
    "hdf5": ("m.h5", b"\x89HDF\r\n\x1a\n" + bytes(60), "an HDF5 file", "h5py.File"),
    "hdf5 as bin": ("m.bin", b"\x89HDF\r\n\x1a\n" + bytes(60), "an HDF5 file", "h5py.File"),
    "flax": ("flax_model.msgpack", b"\x82\xa5model\x81", "a Flax checkpoint", "flax.serial"),
    "flax as bin": ("m.bin", b"\x81\xa6params\x82", "a Flax checkpoint", "flax.serial"),
    "mxnet": ("m.params", b"\x12\1" + bytes(30), "an MXNet parameter file", "program that wrote"),
    "mat": ("m.mat", b"MATLAB 5.0 MAT-file, Platform", "a MATLAB file", "scipy.io.loadmat"),
    "ncnn": ("m.param", b"7767517\n75 83\n", "an ncnn model", "before its export"),
    "executorch": ("m.pte", b"\x24\0\0\0ET12" + bytes(9), "an ExecuTorch", "before its export"),
    "tensorrt": ("m.engine", b"ptrt" + bytes(30), "a TensorRT engine", "before its export"),
    "compiled": ("m.plan", b"\x01\x02" + bytes(9), "a compiled model", "before its export"),
    "caffe": ("m.caffemodel", field(1, b"net") + bytes(9), "a Caffe model", "that wrote it"),
    "paddle": ("m.pdiparams", bytes(40), "a PaddlePaddle file", "that wrote it"),
    "darknet": ("y.weights", struct.pack("<3iQ", 0, 2, 5, 9), "a Darknet weight", "that wrote it"),
    "torch7": ("m.t7", struct.pack("<3i", 4, 1, 3) + bytes(9), "a Torch7 file", "torchfile.load"),
    "catboost": ("m.cbm", b"CBM1" + bytes(9), "a CatBoost model", "trees"),
    "lightgbm": ("m.txt", b"tree\nversion=v4\n", "a LightGBM model", "trees"),
    "openvino": ("m.xml", OPENVINO, "an OpenVINO model", "openvino.Core"),
    "pmml": ("m.pmml", b'<?xml version="1.0"?>\n<PMML>', "a PMML model", "file of the weights"),
    "xml": ("m.xml", b'<?xml version="1.0"?>\n<a>', "an XML text", "file of the weights"),
    "config": ("config.json", b'{"hidden_size": 8}', "a JSON text", "file of the weights"),
    "tfjs": ("model.json", b'{"modelTopology": {}}', "a TF.js model", "file of the weights"),
    "keras": (
        "m.keras",
        zipped("metadata.json", "config.json", "model.weights.h5"),
        "a Keras model",
        "keras.saving.load_model",
    ),
    "keras as bin": ("m.bin", zipped("config.json", "model.weights.h5"), "a Keras model", "keras"),
    "old pt2": (
        "m.pt2",
        zipped("serialized_exported_program.json", "serialized_state_dict.pt", "version"),
        "an exported torch program",
        "torch.export.load",
    ),
    "pt2": (
        "m.pt2",
        zipped("m/data/weights/weight_0", "m/models/model.json", "m/archive_format", "m/byteorder"),
        "an exported torch program",
        "torch.export.load",
    ),
    "stable baselines": (
        "ppo.zip",
        zipped("data", "pytorch_variables.pth", "policy.pth", "_stable_baselines3_version"),
        "a model of Stable-Baselines3",
        "policy.pth",
    ),
    "torchserve": ("m.mar", zipped("model.pt", "MAR-INF/MANIFEST.json"), "a TorchServe", "unpack"),
    "mlpackage": (
        "m.mlpackage.zip",
        zipped("Manifest.json", "Data/com.apple.CoreML/model.mlmodel"),
        "a Core ML package",
        "before its export",
    ),
    "zipped saved model": (
        "m.zip",
        zipped("m/saved_model.pb", "m/variables/variables.index"),
        "a TensorFlow SavedModel in a zip archive",
        "unpack it",
    ),
    "dl4j": ("m.zip", zipped("configuration.json", "coefficients.bin"), "Deeplearning4j", "save"),
    "zip": (
        "m.zip",
        zipped("model/config.json", "model/model.safetensors", method=zipfile.ZIP_DEFLATED),
        "a zip archive of other files: model/config.json, model/model.safetensors",
        "unpack it and name the checkpoint inside",
    ),
    "zip as pt": ("m.pt", zipped("a.txt", "b/c.pt"), "a zip archive of other files", "unpack it"),
    "pickle of arrays": ("m.pkl", NDARRAY, "a pickle that torch.save did not write", "save_file"),
    "pickle of arrays as bin": ("m.bin", NDARRAY, "a pickle that torch.save did not", "save_file"),
}


@pytest.mark.parametrize("case", FILES)
def test_sound_files_of_other_programs(tmp_path: Path, case: str) -> None:
    """The format and what converts it are named; the file is called neither damaged nor partial."""
    name, content, found, advice = FILES[case]
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(write(tmp_path / name, content))
    assert found in caught.value.found
    assert advice in caught.value.advice
    assert not BLAME.search(f"{caught.value.expected} {caught.value.found} {caught.value.advice}")


def test_weights_of_openvino(tmp_path: Path) -> None:
    """A .bin without a magic is OpenVINO's where its XML is beside it, and unknown elsewhere."""
    path = write(tmp_path / "m.bin", np.ones(9, np.float32).tobytes())
    with pytest.raises(CheckpointError, match="its format may be none that is read"):
        open_checkpoint(path)
    write(tmp_path / "m.xml", OPENVINO)
    with pytest.raises(CheckpointError, match=r"the weights of an OpenVINO model; .*read_model"):
        open_checkpoint(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.safetensors", b"Entry not found"),
        ("model.bin", b"404: Not Found"),
        ("model.pt", b"Access to model meta-llama/x is restricted"),
        ("model.pt", b"Invalid username or password."),
        ("model.pt", b"Repository Not Found for url"),
        ("model.bin", b'{"error":"Entry not found"}'),
        ("response.json", b'{"error":"Entry not found"}'),
        ("model.bin", b'{"architectures": ["LlamaForCausalLM"]}'),
        ("model.pt", b"<!DOCTYPE html><html>"),
        ("model.pt", b'<?xml version="1.0"?><Error><Code>AccessDenied'),
    ],
)
def test_answers_of_servers(tmp_path: Path, name: str, content: bytes) -> None:
    """The answer of a server under the name of a model is a download that failed."""
    with pytest.raises(CheckpointError, match="the download failed and saved this instead"):
        open_checkpoint(write(tmp_path / name, content))


class Classifier:
    """As scikit-learn pickles its models."""


@pytest.mark.parametrize(
    ("module", "advice"),
    [
        ("sklearn.svm._classes", "its arrays with safetensors"),
        ("paddle.base.core", "its arrays with safetensors"),
        ("mine.models", "model.state_dict"),
        ("deepspeed.runtime", "zero_to_fp32"),
    ],
)
def test_advice_for_pickles_of_packages(tmp_path: Path, module: str, advice: str) -> None:
    """Only a model of torch has a state dict."""
    raw = pickle.dumps(Classifier(), 2).replace(__name__.encode(), module.encode())
    with pytest.raises(CheckpointError, match=rf"refers to {re.escape(module)}\.Class") as caught:
        open_checkpoint(write(tmp_path / "m.pkl", raw))
    assert advice in caught.value.advice


SHORT: Sequence[bytes] = [
    b"\x08",
    b"\x08\x07",
    b"\x08\x07\x12",
    b"\x08\x07\x12\x80\x80\x80\x80\x80",
    b"\x08\x01\x12\x05\x0a",
]


@pytest.mark.parametrize("head", SHORT)
def test_short_messages(tmp_path: Path, head: bytes) -> None:
    """The beginning of a message proves nothing: the file has no known format."""
    with pytest.raises(CheckpointError, match="found a file that begins with 08"):
        open_checkpoint(write(tmp_path / "m", head))
