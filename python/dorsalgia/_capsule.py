"""The Arrow PyCapsule protocol, without an Arrow library."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_char_p, c_size_t, c_void_p
from typing import Any

from dorsalgia._abi import ArrowArrayStream, ArrowSchema

# A capsule that is going has no references left and must not be given a new one: it is passed by its address only.
_address_of = ctypes.PYFUNCTYPE(c_void_p, c_void_p, c_char_p)(("PyCapsule_GetPointer", ctypes.pythonapi))
_pointer_of = ctypes.PYFUNCTYPE(c_void_p, ctypes.py_object, c_char_p)(("PyCapsule_GetPointer", ctypes.pythonapi))
_Destructor = ctypes.PYFUNCTYPE(None, c_void_p)
_new = ctypes.PYFUNCTYPE(ctypes.py_object, c_void_p, c_char_p, _Destructor)(("PyCapsule_New", ctypes.pythonapi))
_malloc = ctypes.PYFUNCTYPE(c_void_p, c_size_t)(("PyMem_RawMalloc", ctypes.pythonapi))
_free = ctypes.PYFUNCTYPE(None, c_void_p)(("PyMem_RawFree", ctypes.pythonapi))

STREAM, SCHEMA = b"arrow_array_stream", b"arrow_schema"


def _destructor(name: bytes, struct: Any) -> Any:
    def destroy(
        capsule: int, address_of: Any = _address_of, free: Any = _free, pointer: Any = POINTER(struct), cast: Any = ctypes.cast
    ) -> None:
        address = address_of(capsule, name)
        held = cast(address, pointer)
        if held.contents.release:
            held.contents.release(held)
        free(address)

    return _Destructor(destroy)


_destroy_stream = _destructor(STREAM, ArrowArrayStream)  # kept for good: capsules call it whenever they go
_destroy_schema = _destructor(SCHEMA, ArrowSchema)


def _give(held: Any, name: bytes, destroy: Any) -> Any:
    """A capsule that owns what `held` held; `held` is released afterwards, as far as its own struct says."""
    size = ctypes.sizeof(held)
    address = _malloc(size)
    if not address:
        raise MemoryError
    ctypes.memmove(address, ctypes.addressof(held), size)
    ctypes.memset(ctypes.addressof(held), 0, size)
    return _new(address, name, destroy)


def give_stream(held: ArrowArrayStream) -> Any:
    return _give(held, STREAM, _destroy_stream)


def give_schema(held: ArrowSchema) -> Any:
    return _give(held, SCHEMA, _destroy_schema)


def stream_in(capsule: Any) -> Any:
    """A pointer to the capsule's stream, to be moved from."""
    return ctypes.cast(_pointer_of(capsule, STREAM), POINTER(ArrowArrayStream))


def schema_in(capsule: Any) -> Any:
    return ctypes.cast(_pointer_of(capsule, SCHEMA), POINTER(ArrowSchema))


def metadata_of(schema: Any) -> dict[str, str]:
    """An ArrowSchema's metadata: a count, then keys and values, each with its length before it."""
    address = schema.metadata
    if not address:
        return {}
    at = 0

    def number() -> int:
        nonlocal at
        value = ctypes.c_int32.from_address(address + at).value
        at += 4
        return value

    def word() -> str:
        nonlocal at
        size = number()
        value = ctypes.string_at(address + at, size)
        at += size
        return value.decode()

    out = {}
    for _ in range(number()):
        key = word()
        out[key] = word()
    return out
