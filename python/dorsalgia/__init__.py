"""Could a tumour be causing this back pain? For one person, or for a table of millions.

>>> import dorsalgia
>>> dorsalgia.assess({"age": 68, "sex": "female", "context": {"cancer_history": "breast"}, "findings": {"night_pain": "present"}})
>>> dorsalgia.assess_table(table)  # pyarrow, polars, duckdb, pandas: one row a person
>>> dorsalgia.assess_parquet("people.parquet", "results.parquet")  # a file of any length

It informs; it makes no diagnosis, and it never says that cancer is excluded.
"""

from dorsalgia._abi import BadInput, DorsalgiaError, model_hash, version
from dorsalgia.parquet import ParquetResults, assess_parquet
from dorsalgia.person import Assessment, Question, Reason, assess, explain, next_questions
from dorsalgia.table import Field, Schema, Stream, UnknownColumns, assess_table, result_schema, schema, simulate

__version__ = version()

__all__ = [
    "Assessment",
    "BadInput",
    "DorsalgiaError",
    "Field",
    "ParquetResults",
    "Question",
    "Reason",
    "Schema",
    "Stream",
    "UnknownColumns",
    "assess",
    "assess_parquet",
    "assess_table",
    "explain",
    "model_hash",
    "next_questions",
    "result_schema",
    "schema",
    "simulate",
    "version",
]
