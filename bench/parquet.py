"""A Parquet file of people in, a Parquet file of results out, in memory that does not grow: what Python and the files add to the kernel's own time.

    parquet.py FOLDER [--rows 5000000] [--through pyarrow|duckdb] [--threads N]     prints one JSON object

The file is made by dorsalgia.simulate as general practice records people. Memory is that of a process of its own that does nothing but
assess; its `kernel` is the same rows assessed from memory, nothing read and nothing written.
"""

import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys
import time

import dorsalgia
import pyarrow as pa
import pyarrow.parquet as pq

GROUP = 65_536  # rows of a row group


def progress(done, rows, begin, what):
    if sys.stderr.isatty() or done >= rows:
        print(f"\r  {what}: {done:,} of {rows:,}, {done / max(1e-9, time.perf_counter() - begin):,.0f} a second  ", end="", file=sys.stderr, flush=True)
    if done >= rows:
        print(file=sys.stderr)


def make(path, rows):
    """The people, without the truth about them."""
    if path.exists() and pq.ParquetFile(path).metadata.num_rows == rows:
        return
    begin, done, part = time.perf_counter(), 0, path.with_suffix(".part")
    reader = pa.RecordBatchReader.from_stream(dorsalgia.simulate(rows, seed=1, setting="primary_care", recorded="record"))
    names = [n for n in reader.schema.names if not n.startswith("truth_") and n != "weight"]
    with pq.ParquetWriter(part, pa.schema([reader.schema.field(n) for n in names])) as out:
        held = []
        for batch in reader:
            held.append(batch.select(names))
            done += batch.num_rows
            if done >= rows or sum(b.num_rows for b in held) >= GROUP:
                out.write_table(pa.Table.from_batches(held), row_group_size=2 * GROUP)
                held = []
                progress(done, rows, begin, "making people")
    part.rename(path)


def stream(path):
    """The file's batches as they come. Words stay as their dictionaries: nothing is looked up twice."""
    words = [f.name for f in pq.ParquetFile(path).schema_arrow if f.type == pa.string()]
    file = pq.ParquetFile(path, pre_buffer=False, read_dictionary=words)
    return pa.RecordBatchReader.from_batches(file.schema_arrow, file.iter_batches(batch_size=GROUP))


def assess(people, results, through, threads):
    dorsalgia.model_hash()  # loaded, as for the kernel
    ran, begin = time.process_time(), time.perf_counter()
    if through == "duckdb":
        import duckdb

        # One connection reads while the other writes: a connection has one query at a time.
        config = {"memory_limit": "400MB", "threads": threads or len(os.sched_getaffinity(0))}
        source = duckdb.connect(config=config).sql(f"SELECT * FROM read_parquet('{people}')").to_arrow_reader(GROUP)
        answers = dorsalgia.assess_table(source, threads=threads)  # noqa: F841: COPY finds it by its name
        duckdb.connect(config=config).execute(f"COPY answers TO '{results}' (FORMAT parquet, COMPRESSION uncompressed)")
        done = pq.ParquetFile(results).metadata.num_rows
    else:
        done = dorsalgia.assess_parquet(people, results, threads=threads).rows
    seconds = time.perf_counter() - begin
    return {"rows": done, "seconds": seconds, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "user_seconds": time.process_time() - ran}


def kernel(people, threads):
    """The same answers without files: row groups held in memory, results dropped; of the first 400,000 or so."""
    table = pa.Table.from_batches(batch for batch, _ in zip(stream(people), range(7)))
    seconds, running = [], []
    for _ in range(3):
        ran, begin = time.process_time(), time.perf_counter()
        for batch in dorsalgia.assess_table(table.to_reader(), threads=threads):
            del batch
        seconds.append(time.perf_counter() - begin)
        running.append(time.process_time() - ran)
    return {"rows": table.num_rows, "seconds": sorted(seconds)[1], "user_seconds": sorted(running)[1]}


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=pathlib.Path)
    options.add_argument("--rows", type=int, default=5_000_000)
    options.add_argument("--through", choices=["pyarrow", "duckdb"], default="pyarrow")
    options.add_argument("--threads", type=int)
    options.add_argument("--only", choices=["make", "assess", "kernel"], help="what the process of its own does")
    o = options.parse_args()
    people, results = o.folder / "people.parquet", o.folder / "results.parquet"
    if o.only == "make":
        make(people, o.rows)
        return
    if o.only:
        print(json.dumps(assess(people, results, o.through, o.threads) if o.only == "assess" else kernel(people, o.threads)))
        return

    def alone(only):
        words = [sys.executable, __file__, str(o.folder), "--rows", str(o.rows), "--through", o.through, "--only", only]
        words += ["--threads", str(o.threads)] if o.threads else []
        out = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout
        return json.loads(out) if out else None

    o.folder.mkdir(parents=True, exist_ok=True)
    alone("make")
    own = alone("kernel")
    results.unlink(missing_ok=True)  # taking away what the run before wrote, and writing it to the disk, is not this one's work
    os.sync()
    out = alone("assess")
    kernel_seconds = own["seconds"] * out["rows"] / own["rows"]
    told = pq.ParquetFile(results)
    assert told.metadata.num_rows == o.rows == out["rows"]
    out |= {"through": o.through, "threads": o.threads or len(os.sched_getaffinity(0)), "kernel_seconds": kernel_seconds,
            "ratio": out["seconds"] / kernel_seconds,
            "ran_ratio": out["user_seconds"] * own["rows"] / out["rows"] / own["user_seconds"], "model": dorsalgia.model_hash(), "columns_in": len(pq.ParquetFile(people).schema_arrow),
            "columns_out": len(told.schema_arrow), "mb_in": people.stat().st_size / 1e6, "mb_out": results.stat().st_size / 1e6}
    print(json.dumps(out))


if __name__ == "__main__":
    main()
