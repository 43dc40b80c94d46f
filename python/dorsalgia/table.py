"""Tables, one row a person: whatever speaks the Arrow PyCapsule protocol goes in, and the same kind comes out."""

from __future__ import annotations

import ctypes
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dorsalgia import _abi, _capsule

Output = Literal["probability", "urgency", "causes", "mechanisms", "levels", "stages", "forecast", "all", "intervals", "next"]
Profile = Literal["uk", "us"]


class UnknownColumns(UserWarning):
    """Columns that were not read because nothing has such a name."""


@dataclass(frozen=True)
class Field:
    name: str
    type: str  # "float64", "float32", "boolean", "text", "int64"
    description: str
    metadata: dict[str, str]  # unit, values, possible, ask, group, where there are any


_TYPES = {"g": "float64", "f": "float32", "b": "boolean", "u": "text", "l": "int64"}


class Schema:
    """Columns with their descriptions. `pyarrow.schema(...)` takes it."""

    def __init__(self, make: Callable[[], _abi.ArrowSchema]) -> None:
        self._make = make  # once more for each that asks
        held = make()
        self.metadata = _capsule.metadata_of(held)
        self.fields: list[Field] = []
        for i in range(held.n_children):
            child = held.children[i].contents
            metadata = _capsule.metadata_of(child)
            type_ = child.format.decode()
            self.fields.append(
                Field(child.name.decode(), _TYPES.get(type_, type_), metadata.pop("description", ""), metadata)
            )
        held.release(ctypes.byref(held))

    def __arrow_c_schema__(self) -> Any:
        return _capsule.give_schema(self._make())

    @property
    def names(self) -> list[str]:
        return [field.name for field in self.fields]

    def __getitem__(self, name: str) -> Field:
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def __repr__(self) -> str:
        width = max((len(name) for name in self.names), default=0)
        lines = [f"{f.name:<{width}}  {f.type:<8} {f.description}" for f in self.fields[:12]]
        if len(self.fields) > 12:
            lines.append(f"... {len(self.fields) - 12} more columns")
        return "\n".join(lines)


class Stream:
    """Batches that are worked out when they are pulled. To be read once: `pyarrow.table(stream)`, `polars.DataFrame(stream)`,
    `pyarrow.RecordBatchReader.from_stream(stream)`, or anything else that takes an Arrow stream."""

    def __init__(self, held: _abi.ArrowArrayStream) -> None:
        self._held = held

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        # The protocol lets a producer keep its own types; ours are plain ones.
        if not self._held.release:
            raise _abi.BadInput("this stream has been read already: make it again")
        return _capsule.give_stream(self._held)

    def __del__(self) -> None:
        held = getattr(self, "_held", None)
        if held is not None and held.release:
            held.release(ctypes.byref(held))

    def __repr__(self) -> str:
        return f"<dorsalgia.Stream, {'not yet read' if self._held.release else 'read'}>"


def _options(
    outputs: str | Iterable[str] | None, profile: str, strict: bool, threads: int | None
) -> _abi.TableOptions:
    groups = outputs if outputs is None or isinstance(outputs, str) else ",".join(outputs)
    return _abi.TableOptions(
        size=ctypes.sizeof(_abi.TableOptions),
        outputs=_abi.text_of(groups),
        profile=profile.encode(),
        strict=int(strict),
        threads=threads or 0,
    )


def _assess_stream(capsule: Any, options: _abi.TableOptions) -> _abi.ArrowArrayStream:
    out = _abi.ArrowArrayStream()
    _abi.call("assess_stream", _abi.model(), _capsule.stream_in(capsule), ctypes.byref(options), ctypes.byref(out))
    return out


def _gathered(stream: _abi.ArrowArrayStream) -> Stream:
    out = _abi.ArrowArrayStream()
    _abi.call("gather", ctypes.byref(stream), ctypes.byref(out))
    return Stream(out)


def _warn(metadata: dict[str, str], stacklevel: int) -> None:
    if "dorsalgia.unknown_columns" in metadata:
        names = ", ".join(metadata["dorsalgia.unknown_columns"].split("\n"))
        warnings.warn(f"columns that were not read: {names}", UnknownColumns, stacklevel=stacklevel + 1)


def _warn_of_stream(stream: _abi.ArrowArrayStream) -> None:
    schema = _abi.ArrowSchema()
    if stream.get_schema(ctypes.byref(stream), ctypes.byref(schema)) == 0:
        metadata = _capsule.metadata_of(schema)
        schema.release(ctypes.byref(schema))
        _warn(metadata, stacklevel=3)


def _kind(obj: Any) -> str:
    """Which library `obj` is of: "pyarrow.Table", "polars.DataFrame", ... "": some other."""
    for cls in type(obj).__mro__:
        top = cls.__module__.split(".")[0].lstrip("_")
        if top in ("pyarrow", "polars", "pandas", "duckdb"):
            return f"{top}.{cls.__name__}"
    return ""


def _capsule_of(obj: Any) -> Any:
    if hasattr(obj, "__arrow_c_stream__"):
        return obj.__arrow_c_stream__()
    if hasattr(obj, "__arrow_c_array__") and "pyarrow" in sys.modules:
        import pyarrow

        return pyarrow.table(pyarrow.record_batch(obj)).__arrow_c_stream__()
    remedy = ": call .collect() first" if _kind(obj) == "polars.LazyFrame" else ""
    raise _abi.BadInput(
        f"{type(obj).__module__}.{type(obj).__name__} is no table (nothing with __arrow_c_stream__){remedy}; "
        "assess() takes one person as a dict"
    )


def assess_table(
    obj: Any,
    *,
    outputs: str | Sequence[Output] | None = None,
    strict: bool = False,
    threads: int | None = None,
    profile: Profile = "uk",
) -> Any:
    """Results for a table of people, in the same order: one row a person.

    obj: anything with the Arrow PyCapsule protocol. What comes back is of the same kind: a pyarrow Table, RecordBatch or
    RecordBatchReader (pulled batch by batch, so that a file of any length goes through in little memory), a polars or
    pandas DataFrame, a duckdb relation; for any other kind a Stream.

    outputs: groups of columns: probability, urgency, causes (these three if nothing is said), mechanisms, levels, stages,
    forecast: all of these, "all", take some microseconds a row. Two more take longer and must be named: "intervals", 95% of
    tumour, malignant, emergency, and of causes and forecast if these are asked for too (some milliseconds a row); "next", the
    finding to ask about next and what its answer is expected to tell (a tenth of a millisecond a row). strict: the first row at fault raises BadInput with its number, and so does an unknown column;
    otherwise such rows say why in the column `error`, and unknown columns are named in one UnknownColumns warning.
    threads: one a core if nothing is said; results are the same to the bit whatever their number.
    """
    kind = _kind(obj)
    options = _options(outputs, profile, strict, threads)
    source = obj.reset_index(drop=True) if kind == "pandas.DataFrame" else obj  # an index is no column
    lazy = _assess_stream(_capsule_of(source), options)
    _warn_of_stream(lazy)
    if kind == "pyarrow.RecordBatchReader":
        import pyarrow

        return pyarrow.RecordBatchReader.from_stream(Stream(lazy))
    if kind not in ("pyarrow.Table", "pyarrow.RecordBatch", "polars.DataFrame", "pandas.DataFrame", "duckdb.DuckDBPyRelation"):
        return Stream(lazy)
    results = _gathered(lazy)
    if kind == "polars.DataFrame":
        import polars

        return polars.DataFrame(results)
    import pyarrow  # pandas and duckdb speak Arrow through it

    table = pyarrow.table(results)
    if kind == "pyarrow.RecordBatch":
        batches = table.combine_chunks().to_batches()
        return batches[0] if batches else pyarrow.RecordBatch.from_pylist([], schema=table.schema)
    if kind == "pandas.DataFrame":
        frame = table.to_pandas()
        frame.index = obj.index
        return frame
    if kind == "duckdb.DuckDBPyRelation":
        import duckdb

        return duckdb.from_arrow(table)
    return table


def schema() -> Schema:
    """The columns that a table of people may have, each with its description; any may be left out."""

    def make() -> _abi.ArrowSchema:
        held = _abi.ArrowSchema()
        _abi.call("schema", _abi.model(), ctypes.byref(held))
        return held

    return Schema(make)


def result_schema(
    table: Any, *, outputs: str | Sequence[Output] | None = None, strict: bool = False, profile: Profile = "uk"
) -> Schema:
    """The columns that assess_table gives for such a table: anything with `__arrow_c_schema__`."""

    def make() -> _abi.ArrowSchema:
        held = _abi.ArrowSchema()
        capsule = table.__arrow_c_schema__()
        options = _options(outputs, profile, strict, 1)
        _abi.call("result_schema", _abi.model(), _capsule.schema_in(capsule), ctypes.byref(options), ctypes.byref(held))
        return held

    out = Schema(make)
    _warn(out.metadata, stacklevel=2)
    return out


def simulate(
    people: int = 1000,
    *,
    seed: int = 1,
    first: int = 0,
    setting: str | None = None,
    causes: Sequence[str] | None = None,
    only: Literal["tumours", "malignant"] | None = None,
    recorded: Literal["all", "record"] = "all",
    threads: int | None = None,
) -> Stream:
    """Virtual people drawn from the model, with the truth in columns truth_...: a stream that assess_table takes.

    recorded: "all", every answer; "record", what a record would hold, the rest unknown. Person i of a seed is the same
    whatever the number of people; `first` goes on where another call ended.
    """
    if people < 0 or first < 0 or seed < 0:
        raise _abi.BadInput("people, first and seed: 0 or more")
    if recorded not in ("all", "record"):
        raise _abi.BadInput("recorded: all or record")
    options = _abi.SimulateOptions(
        size=ctypes.sizeof(_abi.SimulateOptions),
        people=people,
        seed=seed,
        first=first,
        setting=_abi.text_of(setting),
        causes=None if causes is None else ",".join([causes] if isinstance(causes, str) else causes).encode(),
        only=_abi.text_of(only),
        recorded=int(recorded == "record"),
        threads=threads or 0,
    )
    out = _abi.ArrowArrayStream()
    _abi.call("simulate", _abi.model(), ctypes.byref(options), ctypes.byref(out))
    return Stream(out)
