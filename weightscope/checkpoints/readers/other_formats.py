"""Formats that are not read: how a file of one is recognised, and what converts it.

A sound file of another program is neither damaged nor half downloaded: its owner needs the name of
the format and the call that gives its arrays. A format is recognised by bytes that no other has, by
the shape of its first message (protobuf has no magic), or, where neither exists, by its file name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

UNPACK = "unpack it and name the checkpoint inside"
_CONVERT = "this version does not read it: convert it to safetensors"
_LOAD = "load it and pass a dict of tensors, or save it as safetensors"
_SAVED = "saved with safetensors.numpy.save_file"
_BY_PROGRAM = f"convert it: load it in the program that wrote it; its arrays, {_SAVED}"
_ONNX = (
    f"convert it: onnx.numpy_helper.to_array of each of onnx.load(FILE).graph.initializer, {_SAVED}"
)
_TFLITE = (
    "convert it: tf.lite.Interpreter(FILE).get_tensor of each of its get_tensor_details(), "
    f"{_SAVED}"
)
_COREML = (
    "convert it: the weights in coremltools.models.MLModel(FILE).get_spec(), "
    f"{_SAVED}; or take the model before its export"
)
_SAVED_MODEL = f"convert it: tf.saved_model.load(FOLDER).variables as numpy, {_SAVED}"
_TENSORFLOW = f"convert it: tf.train.load_checkpoint(PREFIX).get_tensor of each name, {_SAVED}"
_FASTTEXT = (
    f"convert it: fasttext.load_model(FILE).get_input_matrix() and get_output_matrix(), {_SAVED}"
)
_WORD2VEC = (
    "convert it: gensim.models.KeyedVectors.load_word2vec_format(FILE, binary=True).vectors, "
    f"{_SAVED}"
)
_OPENVINO = (
    f"convert it: the data of each Constant in openvino.Core().read_model(XML).get_ops(), {_SAVED}"
)
_H5 = f"convert it: the datasets of h5py.File(FILE), {_SAVED}"
_FLAX = f"convert it: flax.serialization.msgpack_restore of its bytes, flattened, {_SAVED}"
_NOT_WEIGHTS = "name the file of the weights"
_BEFORE_EXPORT = "take the model before its export: this is a program for one runtime"


class Other(NamedTuple):
    """What a file is instead of a checkpoint that is read, and what to do."""

    name: str
    advice: str


MAGICS: tuple[tuple[int, bytes, str, str], ...] = (  # byte, what is there, name, advice
    (0, b"GGUF", "a GGUF file", _CONVERT),
    (0, b"lmgg", "a legacy ggml file", _CONVERT),
    (0, b"fmgg", "a legacy ggml file (ggmf)", _CONVERT),
    (0, b"tjgg", "a legacy ggml file (ggjt)", _CONVERT),
    (0, b"algg", "a legacy ggml adapter (ggla)", _CONVERT),
    (0, b"24ka", "a llama2.c checkpoint", _CONVERT),
    (0, b"\x93NUMPY", "a numpy array (.npy)", _LOAD),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file (Keras)", _H5),
    (4, b"TFL3", "a TensorFlow Lite model", _TFLITE),
    (4, b"ET12", "an ExecuTorch program", _BEFORE_EXPORT),
    (0, b"ptrt", "a TensorRT engine", _BEFORE_EXPORT),
    (0, b"\xba\x16\x4f\x2f", "a fastText model", _FASTTEXT),
    (0, b"\x12\x01\0\0\0\0\0\0", "an MXNet parameter file", _BY_PROGRAM),
    (0, b"MATLAB 5.0 MAT-file", "a MATLAB file", f"convert it: scipy.io.loadmat(FILE), {_SAVED}"),
    (0, b"7767517\n", "an ncnn model", _BEFORE_EXPORT),
    (0, b"CBM1", "a CatBoost model", "it has trees and no tensors: name another file"),
    (0, b"tree\n", "a LightGBM model", "it has trees and no tensors: name another file"),
    (0, b"\x78\x9c", "a zlib stream (joblib)", _BY_PROGRAM),
    (0, b"ARROW1", "an Arrow file", "it holds a table: name the checkpoint"),
    (0, b"SQLite format 3\0", "an SQLite database", "name the checkpoint"),
    (0, b"\x1f\x8b", "a gzip archive (.tar.gz)", UNPACK),
    (0, b"\xfd7zXZ\x00", "an xz archive", UNPACK),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    (0, b"Rar!\x1a\x07", "a rar archive", UNPACK),
    (0, b"BZh", "a bzip2 archive", UNPACK),
    (0, b"\x28\xb5\x2f\xfd", "a zstd archive", UNPACK),
    (257, b"ustar", "a tar archive", UNPACK),
    (0, b"PK\x05\x06", "an empty zip archive", "get the file again"),
    (0, b"PAR1", "a Parquet file", "name the checkpoint that it reports on"),
)

NAMES: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(  # of files without a magic
    (re.compile(pattern, re.I), name, advice)
    for pattern, name, advice in (
        (r".*\.onnx", "an ONNX model", _ONNX),
        (r".*\.onnx[._]data", "the external data of an ONNX model", _ONNX),
        (r".*\.mlmodel", "a Core ML model", _COREML),
        (r"saved_model\.pb", "a TensorFlow SavedModel", _SAVED_MODEL),
        (r".*\.data-\d{5}-of-\d{5}", "the values of a TensorFlow checkpoint", _TENSORFLOW),
        (r".*\.ckpt(-\d+)?\.(index|meta)", "a part of a TensorFlow checkpoint", _TENSORFLOW),
        (r".*\.(pb|pbtxt)", "a TensorFlow graph", _SAVED_MODEL),
        (r".*\.(caffemodel|prototxt)", "a Caffe model", _BY_PROGRAM),
        (r".*\.(pdparams|pdopt|pdiparams|pdmodel)", "a PaddlePaddle file", _BY_PROGRAM),
        (r".*\.msgpack", "a Flax checkpoint", _FLAX),
        (r".*\.weights", "a Darknet weight file", _BY_PROGRAM),
        (r".*\.(mnn|rknn|hef|engine|trt|plan|tnnmodel)", "a compiled model", _BEFORE_EXPORT),
        (r".*\.t7", "a Torch7 file (Lua)", f"convert it: torchfile.load(FILE), {_SAVED}"),
        (r".*\.ubj", "an XGBoost model", "it has trees and no tensors: name another file"),
    )
)


def _after_version(head: bytes) -> bytes | None:
    """What follows field 1 of a protobuf message, a version below 32; None without one."""
    if len(head) < 4 or head[0] != 0x08 or not 0 < head[1] < 32:
        return None
    return head[2:]


def _length(data: bytes) -> tuple[int, bytes]:
    """(value of a varint of at most five bytes, what follows it); (-1, b"") without one."""
    value = 0
    for place, byte in enumerate(data[:5]):
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, data[place + 1 :]
    return -1, b""


def _is_onnx(head: bytes) -> bool:
    """ModelProto: ir_version, then producer_name as text and a further field, or the graph."""
    rest = _after_version(head)
    if rest is None:
        return False
    if rest[0] != 0x12:
        return rest[0] in (0x3A, 0x42)  # graph, opset_import
    length, text = _length(rest[1:])
    if not 0 < length < 64 or len(text) <= length:
        return False
    # producer_version, domain, model_version, doc_string, graph, opset_import
    return (
        text[:length].isascii()
        and text[:length].decode().isprintable()
        and (text[length] in (0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42))
    )


def _is_core_ml(head: bytes) -> bool:
    """Model: specificationVersion, then a description that begins with its inputs."""
    rest = _after_version(head)
    if rest is None or rest[0] != 0x12:
        return False
    length, inner = _length(rest[1:])
    inputs, feature = _length(inner[1:])
    return inner[:1] == b"\x0a" and feature[:1] == b"\x0a" and 0 < inputs < length


def _is_saved_model(head: bytes) -> bool:
    """SavedModel: schema version 1, then a MetaGraphDef that begins with its MetaInfoDef."""
    rest = _after_version(head)
    if rest is None or head[1] != 1 or rest[0] != 0x12:
        return False
    length, inner = _length(rest[1:])
    info, operations = _length(inner[1:])
    # MetaInfoDef: stripped_op_list
    return inner[:1] == b"\x0a" and operations[:1] == b"\x12" and 0 < info < length


def _is_word2vec(head: bytes) -> bool:
    """The number of words and their width as text, then the first word."""
    return re.match(rb"\d{1,9} \d{1,5}\n", head) is not None


def _is_tokenizer(head: bytes) -> bool:
    """A SentencePiece model: pieces that begin with a special one."""
    return re.match(rb"\n.\n.<(unk|pad|s)>", head, re.DOTALL) is not None


def _is_flax(head: bytes) -> bool:
    """A msgpack map whose first key is a usual name of parameters."""
    return re.match(rb"[\x81-\x8f](\xa6params|\xa5model|\xa9optimizer|\xa4step)", head) is not None


SHAPES: tuple[tuple[Callable[[bytes], bool], str, str], ...] = (
    (_is_saved_model, "a TensorFlow SavedModel", _SAVED_MODEL),
    (_is_core_ml, "a Core ML model", _COREML),
    (_is_onnx, "an ONNX model", _ONNX),
    (_is_word2vec, "word vectors (word2vec)", _WORD2VEC),
    (_is_flax, "a Flax checkpoint", _FLAX),
    (_is_tokenizer, "a SentencePiece tokenizer", _NOT_WEIGHTS),
)
OPENVINO = Other("the weights of an OpenVINO model", _OPENVINO)

_FAILED = "the download failed and saved this instead: download the file again"
_TEXTS = (  # the first match names a text
    (re.compile(rb"model_checkpoint_path:"), "a list of TensorFlow checkpoints", _TENSORFLOW),
    (re.compile(rb"\s*(<\?xml[^>]*>)?\s*<net\b", re.I), "an OpenVINO model (XML)", _OPENVINO),
    (re.compile(rb"\s*(<\?xml[^>]*>)?\s*<PMML\b", re.I), "a PMML model", _NOT_WEIGHTS),
    (re.compile(rb"\s*<(!doctype html|html|head|body)", re.I), "an HTML page", ""),
    (re.compile(rb"\s*<(\?xml|[a-z])", re.I), "an XML text", ""),
    (re.compile(rb"\s*\{\s*\"(modelTopology|weightsManifest)\"\s*:"), "a TF.js model", ""),
    (re.compile(rb"\s*[{\[]\s*([\"{\[\]}]|-?\d)"), "a JSON text", ""),
    (
        re.compile(
            rb"(Entry|Repository|Revision|404:?|403:?) (not found|forbidden)|not found\b|"
            rb"(401:? )?unauthorized|(403:? )?forbidden|access (denied|to )|"
            rb"invalid (username|credentials)|too many requests|rate limit",
            re.I,
        ),
        "an error message",
        "",
    ),
)
_OWN_SUFFIXES = re.compile(r".*\.(json|xml|html?|txt|md|yaml)", re.I)
_ERROR = re.compile(rb"error|denied|not found|unauthori|forbidden|message|detail", re.I)


def by_bytes(head: bytes) -> Other | None:
    """The format whose magic a file has."""
    for at, magic, name, advice in MAGICS:
        if head.startswith(magic, at):
            return Other(name, advice)
    return None


def by_text(head: bytes, file_name: str) -> Other | None:
    """What a text is: a format, a page, or the answer of a server under the name of a model."""
    for pattern, name, advice in _TEXTS:
        if pattern.match(head):
            return Other(f"{name}: {_start(head)!r}", advice or _advice(head, file_name))
    return None


def by_shape(head: bytes, file_name: str) -> Other | None:
    """The format of a file without a magic: by its first message, else by its name."""
    for is_such, name, advice in SHAPES:
        if is_such(head):
            return Other(name, advice)
    for pattern, name, advice in NAMES:
        if head and pattern.fullmatch(file_name):
            return Other(name, advice)
    return None


def _advice(head: bytes, file_name: str) -> str:
    """A config under its own name is a slip; a text under the name of a model is not the model."""
    if _OWN_SUFFIXES.fullmatch(file_name) and not _ERROR.search(head):
        return _NOT_WEIGHTS
    return _FAILED


def _start(head: bytes) -> str:
    return head[:60].decode("utf-8", "replace").strip()
