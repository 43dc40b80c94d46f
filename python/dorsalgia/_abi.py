"""libdorsalgia.so through ctypes: include/dorsalgia.h, struct by struct. ctypes lets other Python threads run meanwhile."""

from __future__ import annotations

import ctypes
import threading
from ctypes import POINTER, byref, c_char_p, c_int, c_int32, c_int64, c_size_t, c_uint64, c_void_p
from pathlib import Path
from typing import Any


class DorsalgiaError(Exception):
    """A fault of the library or of the machine."""


class BadInput(DorsalgiaError, ValueError):
    """The person, the table or an option is at fault; the message says where and how to mend it."""


class _Error(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("code", c_int32), ("message", ctypes.c_char * 4096)]


class ReportOptions(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("format", c_char_p),
        ("profile", c_char_p),
        ("voice", c_char_p),
        ("width", c_int32),
        ("quick", c_int32),
    ]


class TableOptions(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("outputs", c_char_p),
        ("profile", c_char_p),
        ("strict", c_int32),
        ("threads", c_int32),
    ]


class SimulateOptions(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("people", c_uint64),
        ("seed", c_uint64),
        ("first", c_uint64),
        ("setting", c_char_p),
        ("causes", c_char_p),
        ("only", c_char_p),
        ("recorded", c_int32),
        ("threads", c_int32),
    ]


class ArrowSchema(ctypes.Structure):
    pass


class ArrowArrayStream(ctypes.Structure):
    pass


ArrowSchema._fields_ = [
    ("format", c_char_p),
    ("name", c_char_p),
    ("metadata", c_void_p),
    ("flags", c_int64),
    ("n_children", c_int64),
    ("children", POINTER(POINTER(ArrowSchema))),
    ("dictionary", POINTER(ArrowSchema)),
    ("release", ctypes.CFUNCTYPE(None, POINTER(ArrowSchema))),
    ("private_data", c_void_p),
]
ArrowArrayStream._fields_ = [
    ("get_schema", ctypes.CFUNCTYPE(c_int, POINTER(ArrowArrayStream), POINTER(ArrowSchema))),
    ("get_next", c_void_p),
    ("get_last_error", c_void_p),
    ("release", ctypes.CFUNCTYPE(None, POINTER(ArrowArrayStream))),
    ("private_data", c_void_p),
]


def _load_library() -> ctypes.CDLL:
    library = ctypes.CDLL(str(Path(__file__).with_name("libdorsalgia.so")))
    error, schema, stream = POINTER(_Error), POINTER(ArrowSchema), POINTER(ArrowArrayStream)
    for name, arguments in {
        "load": [POINTER(c_void_p), error],
        "assess": [c_void_p, c_char_p, c_size_t, POINTER(ReportOptions), POINTER(c_void_p), error],
        "schema": [c_void_p, schema, error],
        "result_schema": [c_void_p, schema, POINTER(TableOptions), schema, error],
        "assess_stream": [c_void_p, stream, POINTER(TableOptions), stream, error],
        "gather": [stream, stream, error],
        "simulate": [c_void_p, POINTER(SimulateOptions), stream, error],
    }.items():
        function = getattr(library, "dorsalgia_" + name)
        function.argtypes = arguments
        function.restype = c_int
    library.dorsalgia_free_text.argtypes = [c_void_p]
    library.dorsalgia_free_text.restype = None
    library.dorsalgia_version.restype = c_char_p
    library.dorsalgia_model_hash.argtypes = [c_void_p]
    library.dorsalgia_model_hash.restype = c_char_p
    return library


library = _load_library()
_model: c_void_p | None = None
_loading = threading.Lock()


def call(name: str, *arguments: Any) -> None:
    """One function of the library; its error, if there is one, as an exception."""
    error = _Error(size=ctypes.sizeof(_Error))
    code = getattr(library, "dorsalgia_" + name)(*arguments, byref(error))
    if code == 0:
        return
    message = error.message.decode("utf-8", "replace")
    if code == 3:
        raise MemoryError(message)
    raise (BadInput if code == 1 else DorsalgiaError)(message)


def model() -> c_void_p:
    """The built-in model, loaded once a process."""
    global _model
    if _model is None:
        with _loading:
            if _model is None:
                made = c_void_p()
                call("load", byref(made))
                _model = made
    return _model


def text_of(word: str | None) -> bytes | None:
    return None if word is None else word.encode()


def version() -> str:
    """Of this package and of the library in it."""
    return str(library.dorsalgia_version().decode())


def model_hash() -> str:
    """Names the model, as reports print it: the same hash, the same numbers."""
    return str(library.dorsalgia_model_hash(model()).decode())
