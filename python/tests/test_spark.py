"""Spark, for real: a local cluster of two workers, each a process of its own with processes of Python below it."""

import os
import signal
import sys

import pyarrow as pa
import pytest

import dorsalgia

pyspark = pytest.importorskip("pyspark")
import dorsalgia.spark  # noqa: E402

ROWS, PARTITIONS = 1200, 8


@pytest.fixture(scope="module")
def spark():
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    session = (
        SparkSession.builder.master("local-cluster[2,1,1024]")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.executor.memory", "1g")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "50")
        .config("spark.sql.shuffle.partitions", str(PARTITIONS))
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


@pytest.fixture(scope="module")
def people():
    return pa.table(dorsalgia.simulate(ROWS, seed=8, recorded="record"))


@pytest.fixture(scope="module")
def frame(spark, people, tmp_path_factory):
    import pyarrow.parquet as pq

    file = tmp_path_factory.mktemp("people") / "people.parquet"
    pq.write_table(people, file)
    return spark.read.parquet(str(file)).repartition(PARTITIONS, "id").cache()


def wanted(people):
    return {row["id"]: row for row in dorsalgia.assess_table(people).to_pylist()}


def test_spark_gives_what_one_process_gives(frame, people):
    results = dorsalgia.spark.assess(frame)
    rows = [row.asDict() for row in results.collect()]
    assert len(rows) == ROWS
    assert {row["id"]: row for row in rows} == wanted(people)


def test_the_model_is_loaded_once_a_process(frame):
    def loads(batches):
        import os

        import dorsalgia._abi as abi

        if not hasattr(abi, "_counted"):  # a process that serves several partitions is counted once
            abi._counted, load = [], abi.call

            def call(name, *arguments):
                if name == "load":
                    abi._counted.append(name)
                return load(name, *arguments)

            abi.call = call
        import pyarrow as pa

        from dorsalgia.table import assess_table

        for batch in batches:
            assess_table(pa.table(batch), threads=1)
        yield pa.RecordBatch.from_pydict({"pid": [os.getpid()], "loads": [len(abi._counted)]})

    rows = frame.mapInArrow(loads, "pid long, loads long").collect()
    assert len(rows) == PARTITIONS
    assert all(row.loads <= 1 for row in rows)  # 0: the process had it already


@pytest.mark.parametrize("victim", ["python", "executor"])
def test_a_killed_worker_loses_and_doubles_no_row(frame, people, tmp_path, victim):
    marker = str(tmp_path / "killed")

    def once_deadly(batches):
        for i, batch in enumerate(batches):
            if i == 1:  # some rows of this partition are through already
                try:
                    os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
                except FileExistsError:
                    pass
                else:
                    pid = os.getpid()
                    if victim == "executor":  # this process < the daemon that forked it < the executor's JVM
                        for _ in range(8):
                            with open(f"/proc/{pid}/comm") as name:
                                if name.read().strip() == "java":
                                    break
                            with open(f"/proc/{pid}/stat") as stat:
                                pid = int(stat.read().rsplit(")", 1)[1].split()[1])
                        else:
                            raise RuntimeError("no executor above this process")
                    os.kill(pid, signal.SIGKILL)
            yield batch

    deadly = frame.mapInArrow(once_deadly, frame.schema)
    rows = [row.asDict() for row in dorsalgia.spark.assess(deadly).collect()]
    assert os.path.exists(marker), "nobody was killed: the test tried nothing"
    assert len(rows) == ROWS
    assert {row["id"]: row for row in rows} == wanted(people)


def test_columns_at_fault_are_told_at_once(spark):
    with pytest.raises(dorsalgia.BadInput, match="column 'age' is of type text"):
        dorsalgia.spark.assess(spark.createDataFrame([("50",)], "age string"))
    with pytest.warns(dorsalgia.UnknownColumns, match="fevre"):
        dorsalgia.spark.assess(spark.createDataFrame([(True,)], "fevre boolean"))


def test_rows_at_fault(spark):
    frame = spark.createDataFrame([(1, 50.0), (2, 300.0)], "id long, age double")
    rows = {row.id: row for row in dorsalgia.spark.assess(frame, outputs="probability").collect()}
    assert rows[1].error is None and rows[2].error == "age: 300 years is not an age (0 to 120)" and rows[2].tumour is None


def test_groups_of_results_are_passed_through(spark):
    frame = spark.createDataFrame([(1, 50.0), (2, 9.0)], "id long, age double")
    rows = {row.id: row for row in dorsalgia.spark.assess(frame, outputs=["probability", "intervals", "next"]).collect()}
    assert rows[1].tumour_low < rows[1].tumour < rows[1].tumour_high and rows[1].next
    assert rows[2].tumour_low is None and rows[2].next is None
