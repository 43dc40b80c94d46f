"""From a Parquet file of people to a Parquet file of results, in memory that does not grow with the file.

The file is read, assessed and written at the same time: three threads, each some batches of 65,000 rows ahead of the next. Reading and
writing are pyarrow's; most of what there is to choose lies here, because its defaults take five times as long for such results.
"""

from __future__ import annotations

import errno
import os
import sys
import time
import warnings
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from dorsalgia import _abi
from dorsalgia.table import Output, Profile, UnknownColumns, assess_table, result_schema

_ROWS = 65_536  # read at once, and at least so many a row group of the results, but for the last one
_AHEAD = 2  # batches that reading is ahead of assessing, and this of writing: with one, each waits for the other now and then
_T = TypeVar("_T")


@dataclass(frozen=True)
class ParquetResults:
    """What was written."""

    path: Path
    rows: int
    at_fault: int  # rows that say why in the column "error"
    withheld: int  # sound rows without probabilities


def _ahead(items: Iterator[_T], failures: list[Exception]) -> Generator[_T, None, None]:
    """The same items, the next ones worked out by another thread while the last one is used. What `items` raises is noted as well: on
    its way through an Arrow stream an exception becomes a text."""
    other = ThreadPoolExecutor(1)
    try:
        waiting = deque(other.submit(next, items, None) for _ in range(_AHEAD))
        while (item := waiting.popleft().result()) is not None:
            waiting.append(other.submit(next, items, None))
            yield item
            del item  # not held while the next one is waited for
    except Exception as error:
        failures.append(error)
        raise
    finally:
        other.shutdown(cancel_futures=True)


class _Progress:
    """One line on a terminal, for what takes longer than two seconds."""

    def __init__(self, name: str, rows: int, shown: bool) -> None:
        self._name, self._rows, self._shown = name, rows, shown
        self._begin, self._told = time.monotonic(), 0.0

    def at(self, done: int) -> None:
        seconds = time.monotonic() - self._begin
        if not self._shown or seconds < 2 or seconds - self._told < 0.2:
            return
        self._told = seconds
        width = 30
        full = width * done // max(1, self._rows)
        left = seconds * (self._rows - done) / max(1, done)
        line = f"{self._name} [{'#' * full}{'.' * (width - full)}] {done:,} of {self._rows:,}, {done / seconds:,.0f} a second, {left:,.0f} s left"
        print(f"\r{line}  ", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._told:
            print(file=sys.stderr)


class _Groups:
    """Writes batches as they come, put together until they make a row group."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer
        self._held: list[Any] = []
        self.rows = self.at_fault = self.withheld = 0

    def add(self, batch: Any) -> None:
        self._held.append(batch)
        self.rows += batch.num_rows
        self.at_fault += batch.num_rows - batch["error"].null_count
        self.withheld += batch.num_rows - batch["withheld"].null_count
        if sum(b.num_rows for b in self._held) >= _ROWS // 2:
            self.end()

    def end(self) -> None:
        if self._held:
            import pyarrow

            table = pyarrow.Table.from_batches(self._held)
            self._writer.write_table(table, row_group_size=table.num_rows)  # not write_batch: it holds a million rows back
            self._held = []


def assess_parquet(
    people: str | os.PathLike[str],
    results: str | os.PathLike[str],
    *,
    outputs: str | Sequence[Output] | None = None,
    strict: bool = False,
    threads: int | None = None,
    profile: Profile = "uk",
    progress: bool | None = None,
) -> ParquetResults:
    """Reads a Parquet file of people and writes one of their results: what assess_table gives for them, row by row.

    Needs pyarrow. A file of any length goes through in some hundred MB. The results appear under their name when they are
    complete (until then they are `results` with ".part" behind it, which is removed if anything goes wrong), and replace what
    was there.

    outputs, strict, profile: as for assess_table. A row at fault says so in the column `error`, and the others go on; strict:
    BadInput names the file and the row. threads: of the engine, one a core if nothing is said; reading and writing have
    their own. progress: a line on stderr for what takes more than two seconds; if nothing is said, on a terminal.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError("assess_parquet needs pyarrow: pip install pyarrow (20 or later)") from error

    source, target = Path(people), Path(results)
    if target.exists() and source.exists() and target.samefile(source):
        raise _abi.BadInput(f"{source}: people and results are the same file")
    if target.is_dir():
        raise _abi.BadInput(f"{target}: this is a folder: give the results a file name")
    part = target.with_name(target.name + ".part")
    try:
        # Read page by page, not column by column; nothing is fetched before it is needed.
        file = pyarrow.parquet.ParquetFile(source, pre_buffer=False, buffer_size=1 << 16)
        with file, warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UnknownColumns)
            columns = file.schema_arrow
            described = result_schema(columns, outputs=outputs, strict=strict, profile=profile)
    except pyarrow.ArrowInvalid as error:
        raise _abi.BadInput(f"{source}: not a Parquet file: {error}") from error
    except _abi.BadInput as error:
        raise _abi.BadInput(f"{source}: {error}") from error
    for warning in caught:
        warnings.warn(f"{source}: {warning.message}", UnknownColumns, stacklevel=2)
    # What nothing is called by need not be read. Words stay as the file has them, in dictionaries: each is looked up once.
    told = tuple(described.metadata.get("dorsalgia.unknown_columns", "").split("\n"))
    names = [n for n in columns.names if not any(line == n or line.startswith(n + " (") for line in told)]
    text = (pyarrow.string(), pyarrow.large_string())
    words = [n for n in names if columns.field(n).type in text and n.lower() != "id"]
    file = pyarrow.parquet.ParquetFile(source, pre_buffer=False, buffer_size=1 << 16, read_dictionary=words)
    columns = pyarrow.schema([file.schema_arrow.field(n) for n in names])
    unreadable: list[Exception] = []
    not_assessed: list[Exception] = []
    shown = sys.stderr.isatty() if progress is None else progress
    line = _Progress(source.name, file.metadata.num_rows, shown)
    written = pyarrow.schema(described)
    said = [f.name for f in written if f.type == pyarrow.string() and f.name != "id"]
    try:
        read = _ahead(file.iter_batches(_ROWS, columns=names, use_threads=threads != 1), unreadable)
        reader = pyarrow.RecordBatchReader.from_batches(columns, read)
        answers = assess_table(reader, outputs=outputs, strict=strict, threads=threads, profile=profile)
        assessed = _ahead(iter(answers), not_assessed)
        # Probabilities are as good as random to whoever compresses or counts them; few words are said, again and again.
        with file, closing(read), closing(assessed), pyarrow.parquet.ParquetWriter(
            part,
            written,
            compression={"id": "lz4"} if "id" in written.names else "none",
            use_dictionary=said,
            write_statistics=["id"] if "id" in written.names else False,
            write_batch_size=8192,
        ) as writer:
            groups = _Groups(writer)
            for batch in assessed:
                groups.add(batch)
                line.at(groups.rows)
            groups.end()
        part.replace(target)
    except (pyarrow.ArrowException, OSError) as error:
        if unreadable:
            raise _abi.BadInput(f"{source}: cannot be read to its end: {unreadable[0]}") from unreadable[0]
        if not_assessed:
            kind = _abi.BadInput if isinstance(error, pyarrow.ArrowInvalid) else _abi.DorsalgiaError
            raise kind(f"{source}: {error}") from error
        if isinstance(error, OSError):
            raise OSError(error.errno or errno.EIO, error.strerror or str(error), str(target)) from error
        raise
    finally:
        line.end()
        part.unlink(missing_ok=True)
    return ParquetResults(target, groups.rows, groups.at_fault, groups.withheld)
