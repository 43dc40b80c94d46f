"""Tables of the real libraries: what goes in comes out as the same kind, with the same numbers."""

import gc
import os
import resource
import threading
import time
import warnings

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dorsalgia


@pytest.fixture(scope="module")
def people():
    return pa.table(dorsalgia.simulate(300, seed=5, recorded="record"))


@pytest.fixture(scope="module")
def results(people):
    return dorsalgia.assess_table(people)


def test_a_row_is_its_person():
    table = pa.table({"age": [55.0], "sex": ["female"], "location": ["low back"], "progressive_pain": [True], "history_breast": [True]})
    row = dorsalgia.assess_table(table, outputs="all").to_pylist()[0]
    a = dorsalgia.assess(
        {
            "age": 55,
            "sex": "female",
            "location": "low back",
            "findings": {"progressive_pain": True, "history_breast": "present"},
        }
    )
    assert row["error"] is None and row["urgency"] == a.urgency
    assert row["tumour"] == pytest.approx(a.tumour, rel=1e-5)
    for cause, p in a.causes.items():
        assert row["cause_" + cause] == pytest.approx(p, rel=1e-5, abs=1e-9)
    assert "next" not in row and "tumour_low" not in row
    row = dorsalgia.assess_table(table, outputs=["intervals", "next"]).to_pylist()[0]
    assert (row["tumour_low"], row["tumour_high"]) == pytest.approx(a.interval, rel=1e-5)
    asked = a.next_questions[0]
    assert row["next"] == asked.finding
    assert (row["next_tumour_bits"], row["next_emergency_bits"]) == pytest.approx((asked.tumour_bits, asked.emergency_bits), abs=1e-6)


def test_intervals_and_the_next_question():
    ages, pain = [50.0, 9.0, None, 300.0], [True, True, None, True]
    outputs = ["probability", "causes", "intervals", "next"]
    out = dorsalgia.assess_table(pl.DataFrame({"age": ages, "night_pain": pain}), outputs=outputs)
    sound = out[[0, 2]]  # a child and a row at fault have none
    for name in ["tumour", "malignant", "emergency", *(n for n in out.columns if n.startswith("cause_") and n.endswith("_low"))]:
        name = name.removesuffix("_low")
        assert (sound[name + "_low"] <= sound[name]).all() and (sound[name] <= sound[name + "_high"]).all()
        assert out[name + "_low"].is_null().to_list() == [False, True, False, True]
    assert out["next"].is_null().to_list() == [False, True, False, True]
    schema = dorsalgia.schema().names
    assert all(n in schema for n in sound["next"]) and (sound["next_tumour_bits"] > 0).all()
    arrow = dorsalgia.assess_table(pa.table({"age": ages, "night_pain": pain}), outputs=outputs)
    assert pl.DataFrame(arrow).equals(out)
    described = dorsalgia.result_schema(pa.schema([("age", pa.float64())]), outputs="intervals")
    assert described.names[-6:] == [f"{p}_{end}" for p in ("tumour", "malignant", "emergency") for end in ("low", "high")]


def test_places_and_borders_beyond_a_table():
    # Several places, and the border of a sensory level, go through the engine that takes anything.
    table = pa.table({"age": [60.0, 60.0], "location": ["back", "lumbosacral"], "sensory_level": ["T10", None]})
    rows = dorsalgia.assess_table(table).to_pylist()
    people = [{"age": 60, "location": "back", "findings": {"sensory_level": "T10"}}, {"age": 60, "location": "lumbosacral"}]
    for row, person in zip(rows, people):
        a = dorsalgia.assess(person)
        assert (row["tumour"], row["urgency"]) == (pytest.approx(a.tumour, rel=1e-5), a.urgency)


def test_pyarrow(people, results):
    assert isinstance(results, pa.Table) and results.num_rows == 300
    assert results["id"].to_pylist() == list(range(300))
    assert results["error"].null_count == 300
    batch = people.combine_chunks().to_batches()[0]
    assert isinstance(dorsalgia.assess_table(batch), pa.RecordBatch)
    assert pa.table(dorsalgia.assess_table(batch)).equals(results)
    chunked = pa.concat_tables([people.slice(0, 7), people.slice(7, 0), people.slice(7, 190), people.slice(197)])
    assert dorsalgia.assess_table(chunked).combine_chunks().equals(results.combine_chunks())


def test_slices_and_threads_change_nothing(people, results):
    assert dorsalgia.assess_table(people.slice(33, 100)).combine_chunks().equals(results.slice(33, 100).combine_chunks())
    for threads in (1, 3):
        assert dorsalgia.assess_table(people, threads=threads).equals(results)


def test_dictionaries_of_pyarrow(people, results):
    coded = pa.table(
        {n: people[n].dictionary_encode() if pa.types.is_string(people[n].type) else people[n] for n in people.column_names}
    )
    assert dorsalgia.assess_table(coded).equals(results)


def test_polars(people, results):
    frame = pl.DataFrame(people)
    out = dorsalgia.assess_table(frame)
    assert isinstance(out, pl.DataFrame)
    assert out.equals(pl.DataFrame(results))
    coded = frame.with_columns(pl.col(pl.String).cast(pl.Categorical))
    assert dorsalgia.assess_table(coded).equals(out)
    with pytest.raises(dorsalgia.BadInput, match="call .collect"):
        dorsalgia.assess_table(frame.lazy())


def test_pandas(people, results):
    frame = people.to_pandas().set_index(pd.Index([f"row {i}" for i in range(300)]))
    out = dorsalgia.assess_table(frame)
    assert isinstance(out, pd.DataFrame) and list(out.index[:2]) == ["row 0", "row 1"]
    wanted = results.to_pandas()
    assert (out["tumour"].fillna(-1).to_numpy() == wanted["tumour"].fillna(-1).to_numpy()).all()
    assert (out["urgency"].to_numpy() == wanted["urgency"].to_numpy()).all()
    # A whole-number column with a gap is a float column with NaN in pandas; pandas itself says null for it.
    gap = pd.DataFrame({"age": [50, None], "night_pain": [1, None], "fever": pd.array([True, None], dtype="boolean")})
    assert dorsalgia.assess_table(gap)["error"].isna().all()


def test_nan_elsewhere_is_a_fault():
    table = pa.table({"age": pa.array([float("nan")]), "night_pain": pa.array([float("nan")])})
    assert dorsalgia.assess_table(table)["error"].to_pylist() == [
        "age: NaN is not a number (null means unknown); night_pain: NaN is no answer (present, absent, unknown)"
    ]


def test_duckdb(people, results):
    relation = duckdb.from_arrow(people)
    out = dorsalgia.assess_table(relation)
    assert isinstance(out, duckdb.DuckDBPyRelation)
    assert out.to_arrow_table().to_pylist() == results.to_pylist()
    literal = duckdb.sql("SELECT 55.5 AS age, 'female' AS sex, true AS night_pain, 13.2 AS hb_g_dl, 40 AS esr")  # decimals
    assert dorsalgia.assess_table(literal).fetchall()[0][0] is None


def test_anything_else_is_a_stream(people, results):
    class Other:
        def __arrow_c_stream__(self, requested_schema=None):
            return people.__arrow_c_stream__()

    out = dorsalgia.assess_table(Other())
    assert isinstance(out, dorsalgia.Stream)
    assert pa.table(out).equals(results)
    with pytest.raises(dorsalgia.BadInput, match="read already"):
        pa.table(out)
    with pytest.raises(dorsalgia.BadInput, match="no table"):
        dorsalgia.assess_table({"age": [50]})


def test_rows_at_fault():
    table = pa.table({"id": ["a", "b", "c"], "age": [50.0, 212.0, 60.0]})
    out = dorsalgia.assess_table(table)
    assert out["error"].to_pylist() == [None, "age: 212 years is not an age (0 to 120)", None]
    assert out["tumour"].null_count == 1
    for kind in (table, pl.DataFrame(table), table.to_pandas()):
        with pytest.raises(dorsalgia.BadInput, match="^row 1 .*212 years"):
            dorsalgia.assess_table(kind, strict=True)


def test_columns_at_fault():
    with pytest.raises(dorsalgia.BadInput, match="column 'age' is of type text: give years as numbers"):
        dorsalgia.assess_table(pa.table({"age": ["50"]}))
    with pytest.raises(dorsalgia.BadInput, match="no group is called 'pictures' .*forecast, all; and intervals, next"):
        dorsalgia.assess_table(pa.table({"age": [50]}), outputs=["pictures"])
    table = pa.table({"age": [50], "fevre": [True], "nightpain": [True]})
    with pytest.warns(dorsalgia.UnknownColumns) as caught:
        dorsalgia.assess_table(table)
    assert len(caught) == 1
    assert "fevre (did you mean 'fever'?), nightpain (did you mean 'night_pain'?)" in str(caught[0].message)
    assert caught[0].filename == __file__
    with pytest.raises(dorsalgia.BadInput, match="unknown columns: fevre"):
        dorsalgia.assess_table(table, strict=True)


def test_schema():
    schema = dorsalgia.schema()
    assert schema["esr"].metadata["unit"] == "mm/h" and schema["esr"].type == "float64"
    arrow = pa.schema(schema)
    assert arrow.names == schema.names
    assert arrow.field("night_pain").metadata[b"description"] == b"pain at night that disturbs sleep"
    drawn = pa.table(dorsalgia.simulate(1)).schema
    for field in arrow:
        if field.name != "id":
            assert drawn.field(field.name).type == field.type
    empty = arrow.empty_table()
    assert dorsalgia.assess_table(empty).num_rows == 0
    assert dorsalgia.result_schema(arrow, outputs="urgency").names == ["id", "error", "withheld", "urgency"]


def test_simulate():
    whole = pa.table(dorsalgia.simulate(2000, seed=2))
    assert whole.equals(pa.table(dorsalgia.simulate(2000, seed=2, threads=1)))
    rest = pa.table(dorsalgia.simulate(1000, seed=2, first=1000))
    assert rest.combine_chunks().equals(whole.slice(1000).combine_chunks())
    tumours = pa.table(dorsalgia.simulate(50, only="malignant", setting="emergency"))
    assert all(tumours["truth_malignant"].to_pylist())
    assert set(pa.table(dorsalgia.simulate(20, causes=["met_breast"]))["truth_cause"].to_pylist()) == {"met_breast"}
    with pytest.raises(dorsalgia.BadInput, match="did you mean 'met_breast'"):
        dorsalgia.simulate(10, causes=["met_brest"])


def test_a_file_goes_through_in_little_memory(tmp_path):
    # The engine is not what is tried here: few outputs, few columns, rows enough to matter if they were kept.
    rows = int(os.environ.get("DORSALGIA_STREAM_ROWS", "40000"))
    schema = pa.schema([("id", pa.int64()), ("age", pa.float64()), ("sex", pa.string())])
    with pq.ParquetWriter(tmp_path / "people.parquet", schema) as writer:
        for at in range(0, rows, 10000):
            n = min(10000, rows - at)
            writer.write_table(pa.table([range(at, at + n), [50.0] * n, ["male"] * n], schema=schema), row_group_size=5000)
    file = pq.ParquetFile(tmp_path / "people.parquet")
    pulled = []

    def batches():
        for batch in file.iter_batches(batch_size=5000, columns=["id", "age", "sex"]):
            pulled.append(batch.num_rows)
            yield batch

    reader = dorsalgia.assess_table(pa.RecordBatchReader.from_batches(schema, batches()), outputs=["probability", "urgency"])
    assert isinstance(reader, pa.RecordBatchReader) and not pulled, "nothing is worked out before it is asked for"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seen = 0
    with pq.ParquetWriter(tmp_path / "results.parquet", reader.schema) as writer:
        for batch in reader:
            assert batch.num_rows <= 65536
            seen += batch.num_rows
            writer.write_batch(batch)
    assert seen == rows
    assert pq.read_table(tmp_path / "results.parquet")["id"].to_pylist() == list(range(rows))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000, "kB"


def test_other_threads_run_meanwhile(people):
    table = pa.concat_tables([people] * 10)
    counted, stop = 0, threading.Event()

    def count():
        nonlocal counted
        while not stop.is_set():
            counted += 1
            time.sleep(0.001)

    other = threading.Thread(target=count)
    other.start()
    dorsalgia.assess_table(table, outputs="all", threads=1)
    stop.set()
    other.join()
    assert counted > 5


def test_nothing_is_kept():
    def once():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            stream = dorsalgia.simulate(200)
            dorsalgia.assess_table(pa.table(stream))
            dorsalgia.simulate(200)  # never read
            dorsalgia.simulate(200).__arrow_c_stream__()  # a capsule that nobody takes
            pa.schema(dorsalgia.schema())
            dorsalgia.schema().__arrow_c_schema__()

    once()
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(30):
        once()
    gc.collect()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000, "kB"
