"""Writes docs/python.md and docs/python.png: every cell below is run, and what it gives stands below it.

scripts/python-tests.sh makes an environment that has what this needs but matplotlib:
    build/python-venv/bin/pip install matplotlib && build/python-venv/bin/python scripts/python-page.py
"""

import ast
import contextlib
import io
import os
import warnings
from pathlib import Path

os.chdir(Path(__file__).parents[1])

PAGE = '''# Python

One person as a dict, or millions as a table: pyarrow, polars, pandas, duckdb, Spark. The package is built from this repository and has no
dependencies of its own; it needs a C++ compiler, CMake and the Debian packages of `scripts/install.sh`.

```sh
pip install ./python
```

This page is made by `scripts/python-page.py`: what stands below each piece of code is what it gave. The columns of a table are described in
[tables.md](tables.md), the keys of a person in [input.md](input.md).

## One person

```python
import dorsalgia

person = {
    "age": 55, "sex": "female", "setting": "primary care", "location": "lumbar", "duration_weeks": 6,
    "context": {"cancer_history": "breast", "years_since_cancer": 12},
    "findings": {"progressive_pain": "present", "weakness": "absent", "bladder_dysfunction": "absent"},
}
dorsalgia.assess(person)
```

In a notebook the same object shows the whole report; `print` shows it as the terminal does; `.json` holds everything
([report.schema.json](report.schema.json)).

```python
for reason in dorsalgia.explain(person)[:3]:
    print(f"{reason.tumour_decibans:+5.1f} decibans  {reason.what}")
for question in dorsalgia.next_questions(person)[:2]:
    print(question.ask)
```

A fault raises, with every fault and its remedy:

```python
try:
    dorsalgia.assess({"age": 212, "findings": {"fevre": "present"}})
except dorsalgia.BadInput as fault:
    print(fault)
```

## A table

```python
import polars as pl

clinic = pl.DataFrame({
    "id": ["A", "B", "C", "D"],
    "age": [34, 71, 58, 212],
    "sex": ["male", "female", "female", "male"],
    "location": ["low back", "thoracic", None, "lumbar"],
    "night_pain": [False, True, None, True],
    "history_breast": [None, "1 to 5 years ago", "never", None],
    "esr": [8, 64, None, 20],
})
dorsalgia.assess_table(clinic, outputs=["probability", "urgency"])
```

What went in as polars comes out as polars; the same holds for pyarrow, pandas and duckdb. The row at fault says why:

```python
dorsalgia.assess_table(clinic)["error"].to_list()
```

`strict=True` raises instead, with the row's number. A column that nothing is called by is named in one warning:

```python
import warnings

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    dorsalgia.assess_table(clinic.with_columns(nightpain=True))
print(caught[0].message)
```

Intervals and what to ask next take longer, and are worked out when they are asked for ([tables.md](tables.md#columns-out)):

```python
asked = dorsalgia.assess_table(clinic, outputs=["probability", "intervals", "next"])
asked.select("id", "tumour", "tumour_low", "tumour_high", "next", "next_tumour_bits")
```

## What columns there are

```python
import pyarrow as pa

print(dorsalgia.schema())
pa.schema(dorsalgia.schema()).field("esr").metadata
```

## Virtual people, and a picture

`simulate` draws people whose truth is known ([simulation.md](simulation.md)): with every answer, or as a record would hold them, where most
questions were never asked.

```python
def cohort(recorded):
    people = pa.table(dorsalgia.simulate(20_000, seed=1, setting="primary care", recorded=recorded))
    results = dorsalgia.assess_table(people, outputs=["probability", "urgency"])
    columns = pl.DataFrame(people).select("age", "truth_tumour"), pl.DataFrame(results).select("tumour", "urgency")
    return pl.concat(columns, how="horizontal").drop_nulls("tumour")  # children have no probability

answered, records = cohort("all"), cohort("record")
for name, adults in {"every answer": answered, "as in records": records}.items():
    print(f"{name:<14} {adults['tumour'].sum():6.1f} tumours stated, {adults['truth_tumour'].sum()} there")
```

With every answer as many tumours are stated as there are. In records a complaint is written down more often than its absence; the
model takes what is not written for not asked, so it states too many: see "Records" in [limits.md](limits.md).

```python
import matplotlib.pyplot as plt

adults = records
colours = {"routine": "#8aa4b8", "soon": "#4b8bbe", "urgent": "#e0912f", "emergency": "#c0392b"}
figure, axis = plt.subplots(figsize=(8, 4.5), dpi=110)
for urgency, colour in colours.items():
    group = adults.filter(pl.col("urgency") == urgency)
    axis.scatter(group["age"], group["tumour"], s=5, alpha=0.35, linewidths=0, color=colour, label=f"{urgency} ({len(group):,})")
tumours = adults.filter("truth_tumour")
axis.scatter(tumours["age"], tumours["tumour"], s=45, facecolors="none", edgecolors="black", label=f"has a tumour ({len(tumours)})")
axis.set_yscale("log")
axis.set_xlabel("age (years)")
axis.set_ylabel("stated probability of a tumour")
axis.set_title("20,000 virtual people in primary care, as records hold them", fontsize=11)
axis.spines[["top", "right"]].set_visible(False)
axis.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1), markerscale=1.5)
figure.tight_layout()
figure.savefig("docs/python.png")
plt.close(figure)
```

![Stated probability of a tumour by age, coloured by urgency; those who have one are circled](python.png)

## A file of any length

From a Parquet file of people to one of results, with pyarrow:

```py
done = dorsalgia.assess_parquet("people.parquet", "results.parquet", outputs=["probability", "urgency"])
print(f"{done.rows:,} people, {done.at_fault} rows at fault")
```

It reads, assesses and writes at the same time, some 65,000 rows each, so memory stays the same whatever the length of the file; shows on a
terminal how far it is; and leaves nothing half-written: the results appear under their name when they are complete. The file is written
uncompressed and without statistics of the probabilities, which would cost time and save next to nothing ([benchmarks.md](benchmarks.md)).

For any other source a reader is pulled batch by batch. Results are the same to the bit for any number of threads.

```py
import pyarrow.parquet as pq

file = pq.ParquetFile("people.parquet")
reader = pa.RecordBatchReader.from_batches(file.schema_arrow, file.iter_batches())
results = dorsalgia.assess_table(reader, outputs=["probability", "urgency"])  # nothing has been read yet
with pq.ParquetWriter("results.parquet", results.schema) as writer:
    for batch in results:
        writer.write_batch(batch)
```

## Spark

```py
import dorsalgia.spark

results = dorsalgia.spark.assess(spark.read.parquet("people/"), outputs=["probability", "urgency"])
```

The package must be installed where the workers run. Each worker process loads the model once; a task that is run again, because a worker
died, gives the same rows again.
'''


def run(code: str, space: dict[str, object]) -> str:
    """What is printed, and the value of the last expression."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    out = io.StringIO()
    with contextlib.redirect_stdout(out), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(tree, "cell", "exec"), space)
        value = eval(compile(ast.Expression(last.value), "cell", "eval"), space) if last else None
    return out.getvalue() + (repr(value) + "\n" if value is not None else "")


os.environ["MPLBACKEND"] = "Agg"
space: dict[str, object] = {}
written = []
for i, part in enumerate(PAGE.split("```python\n")):
    if i:
        code, rest = part.split("```", 1)
        out = run(code, space)
        part = f"```python\n{code}```\n" + (f"\n```text\n{out.rstrip()}\n```\n" if out else "") + rest.removeprefix("\n")
    written.append(part)
Path("docs/python.md").write_text("".join(written))
print("docs/python.md, docs/python.png")
