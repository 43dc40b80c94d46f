"""From file to file: the same results as in memory, and nothing half-written."""

import subprocess
import sys
import threading

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dorsalgia
import dorsalgia.parquet


@pytest.fixture
def small(monkeypatch):
    """Batches of few rows, so that a short file has many."""
    monkeypatch.setattr(dorsalgia.parquet, "_ROWS", 64)


@pytest.fixture(scope="module")
def people():
    table = pa.table(dorsalgia.simulate(1000, seed=6, recorded="record"))
    return table.select([n for n in table.column_names if not n.startswith("truth_") and n != "weight"])


def left(folder):
    return sorted(p.name for p in folder.iterdir())


@pytest.mark.parametrize("threads", [1, None])
def test_a_file_is_its_table(people, tmp_path, small, threads):
    pq.write_table(people, tmp_path / "people.parquet", row_group_size=300)
    done = dorsalgia.assess_parquet(str(tmp_path / "people.parquet"), tmp_path / "results.parquet", threads=threads)
    wanted = dorsalgia.assess_table(people)
    results = pq.read_table(tmp_path / "results.parquet")
    assert results.equals(wanted) and results.schema.equals(wanted.schema)
    assert results.schema.metadata[b"dorsalgia.model"] == dorsalgia.model_hash().encode()
    at_fault, withheld = (1000 - wanted[name].null_count for name in ("error", "withheld"))
    assert done == dorsalgia.ParquetResults(tmp_path / "results.parquet", 1000, at_fault, withheld) and withheld > 10
    assert left(tmp_path) == ["people.parquet", "results.parquet"]


def test_every_kind_of_column(tmp_path, small):
    table = pa.table(
        {
            "id": [f"patient {i}" for i in range(200)],
            "age": pa.array([50 + i % 30 for i in range(200)], pa.int16()),
            "sex": pa.array(["female", None] * 100).dictionary_encode(),
            "location": pa.array(["low back", "back"] * 100, pa.large_string()),
            "night_pain": [True, None] * 100,
            "hb_g_dl": [13.5, None] * 100,
        }
    )
    pq.write_table(table, tmp_path / "people.parquet")
    outputs = ["probability", "urgency", "next"]
    dorsalgia.assess_parquet(tmp_path / "people.parquet", tmp_path / "results.parquet", outputs=outputs)
    assert pq.read_table(tmp_path / "results.parquet").equals(dorsalgia.assess_table(table, outputs=outputs))


def test_rows_at_fault(people, tmp_path, small):
    ages = people["age"].to_pylist()
    ages[997] = 212.0
    table = people.set_column(people.column_names.index("age"), "age", pa.array(ages))
    pq.write_table(table, tmp_path / "people.parquet")
    done = dorsalgia.assess_parquet(tmp_path / "people.parquet", tmp_path / "results.parquet")
    results = pq.read_table(tmp_path / "results.parquet")
    assert results["error"][997].as_py() == "age: 212 years is not an age (0 to 120)" and done.at_fault == 1000 - results["error"].null_count
    assert results["tumour"][996].as_py() == dorsalgia.assess_table(people)["tumour"][996].as_py()
    before = (tmp_path / "results.parquet").read_bytes()
    only = pa.table({"age": ages})
    pq.write_table(only, tmp_path / "people.parquet")
    with pytest.raises(dorsalgia.BadInput, match=r"people\.parquet: row 997 .*212 years"):
        dorsalgia.assess_parquet(tmp_path / "people.parquet", tmp_path / "results.parquet", strict=True)
    assert left(tmp_path) == ["people.parquet", "results.parquet"], "nothing half-written"
    assert (tmp_path / "results.parquet").read_bytes() == before, "and what was there stays"


def test_columns_at_fault(tmp_path):
    file, results = tmp_path / "people.parquet", tmp_path / "results.parquet"
    pq.write_table(pa.table({"age": ["50"]}), file)
    with pytest.raises(dorsalgia.BadInput, match=r"people\.parquet: column 'age' is of type .*text: give years as numbers"):
        dorsalgia.assess_parquet(file, results)
    notes = pa.table({"age": [50.0], "fevre": [True], "notes": [b"not text"]})
    pq.write_table(notes, file)
    with pytest.warns(dorsalgia.UnknownColumns, match=r"people\.parquet: columns that were not read: fevre \(did you mean") as caught:
        dorsalgia.assess_parquet(file, results)
    assert len(caught) == 1 and caught[0].filename == __file__
    assert pq.read_table(results).equals(dorsalgia.assess_table(notes.select(["age"])))
    pq.write_table(notes.select(["fevre"]), file)
    with pytest.warns(dorsalgia.UnknownColumns):
        assert dorsalgia.assess_parquet(file, results).rows == 1  # of whom nothing is known
    with pytest.raises(dorsalgia.BadInput, match=r"people\.parquet: unknown columns: fevre"):
        dorsalgia.assess_parquet(file, results, strict=True)
    with pytest.raises(dorsalgia.BadInput, match="no group is called 'pictures'"):
        dorsalgia.assess_parquet(file, results, outputs=["pictures"])


def test_files_at_fault(tmp_path):
    file = tmp_path / "people.parquet"
    with pytest.raises(FileNotFoundError, match=r"people\.parquet"):
        dorsalgia.assess_parquet(file, tmp_path / "results.parquet")
    file.write_text("age\n50\n")
    with pytest.raises(dorsalgia.BadInput, match=r"people\.parquet: not a Parquet file"):
        dorsalgia.assess_parquet(file, tmp_path / "results.parquet")
    pq.write_table(pa.table({"age": [50.0]}), file)
    with pytest.raises(dorsalgia.BadInput, match="the same file"):
        dorsalgia.assess_parquet(file, tmp_path / "." / "people.parquet")
    with pytest.raises(FileNotFoundError, match=r"nowhere.results\.parquet"):
        dorsalgia.assess_parquet(file, tmp_path / "nowhere" / "results.parquet")
    with pytest.raises(dorsalgia.BadInput, match="this is a folder"):
        dorsalgia.assess_parquet(file, tmp_path)
    assert left(tmp_path) == ["people.parquet"]


def test_a_file_that_ends_halfway(people, tmp_path, small):
    # Its footer is sound and promises rows; of the second row group nothing can be read.
    file = tmp_path / "people.parquet"
    pq.write_table(people, file, row_group_size=500, compression="snappy")
    second = pq.ParquetFile(file).metadata.row_group(1)
    columns = [second.column(i) for i in range(second.num_columns)]
    begin = min(c.data_page_offset for c in columns)
    size = sum(c.total_compressed_size for c in columns)
    with open(file, "r+b") as broken:
        broken.seek(begin)
        broken.write(b"\xff" * (size // 2))
    with pytest.raises(dorsalgia.BadInput, match=r"people\.parquet: cannot be read to its end: "):
        dorsalgia.assess_parquet(file, tmp_path / "results.parquet")
    assert left(tmp_path) == ["people.parquet"]


def test_no_rows(tmp_path):
    pq.write_table(pa.table({"age": pa.array([], pa.float64())}), tmp_path / "people.parquet")
    done = dorsalgia.assess_parquet(tmp_path / "people.parquet", tmp_path / "results.parquet")
    assert done.rows == 0 and pq.read_table(tmp_path / "results.parquet").num_rows == 0


def test_what_goes_wrong_ends_all_threads(people, tmp_path, small, monkeypatch):
    pq.write_table(people, tmp_path / "people.parquet")
    before = threading.active_count()

    class Full(pq.ParquetWriter):
        def write_table(self, table, row_group_size=None):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq, "ParquetWriter", Full)
    with pytest.raises(OSError, match=r"No space left on device: .*results\.parquet"):
        dorsalgia.assess_parquet(tmp_path / "people.parquet", tmp_path / "results.parquet")
    assert threading.active_count() == before
    assert left(tmp_path) == ["people.parquet"]


def test_progress(people, tmp_path, small, monkeypatch, capsys):
    pq.write_table(people, tmp_path / "people.parquet")
    times = iter(range(0, 100_000, 3))
    monkeypatch.setattr(dorsalgia.parquet.time, "monotonic", lambda: next(times))
    dorsalgia.assess_parquet(tmp_path / "people.parquet", tmp_path / "results.parquet")
    assert capsys.readouterr().err == "", "this is no terminal"
    dorsalgia.assess_parquet(tmp_path / "people.parquet", tmp_path / "results.parquet", progress=True)
    said = capsys.readouterr().err
    assert "people.parquet [" in said and "1,000 of 1,000" in said and said.endswith("\n")


def test_memory_does_not_grow_with_the_file(tmp_path):
    # In a process of its own, the most that it ever held: some batches of 120 MB, not the results.
    script = """
import resource
import pyarrow as pa, pyarrow.parquet as pq
import dorsalgia
with pq.ParquetWriter("people.parquet", pa.schema([("age", pa.float64()), ("sex", pa.string())])) as out:
    for _ in range(14):
        out.write_table(pa.table({"age": [50.0] * 50_000, "sex": ["male"] * 50_000}))
dorsalgia.assess_parquet("people.parquet", "results.parquet", outputs="all")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
    out = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, stdout=subprocess.PIPE, text=True).stdout
    assert (tmp_path / "results.parquet").stat().st_size > 1200e6
    assert float(out) < 800, "MB"
