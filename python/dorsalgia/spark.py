"""Spark: the same table, row by row the same results, wherever its partitions are.

>>> import dorsalgia.spark
>>> results = dorsalgia.spark.assess(people, outputs=["probability", "urgency"])

Every worker process loads the model once, for all partitions that it is given. Nothing but the partition's own rows goes
into its results: a task that Spark runs again, because a worker died, gives the same rows again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from dorsalgia.table import Output, Profile, assess_table, result_schema


def assess(
    df: Any, *, outputs: str | Sequence[Output] | None = None, strict: bool = False, profile: Profile = "uk"
) -> Any:
    """Results for a Spark DataFrame of people, as dorsalgia.assess_table gives them; `id` comes back when there is one.

    Raises BadInput at once for columns of a wrong type; unknown columns are named in one warning.
    """
    import pyarrow
    from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

    people_schema = to_arrow_schema(df.schema)
    results = pyarrow.schema(result_schema(people_schema, outputs=outputs, strict=strict, profile=profile))

    def work(batches: Iterable[Any]) -> Iterator[Any]:
        import warnings

        import pyarrow as pa

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # said once, by the driver
            for batch in batches:  # one by one: a task holds no more than Spark gives it
                if batch.num_rows:
                    yield from assess_table(
                        pa.table(batch), outputs=outputs, strict=strict, threads=1, profile=profile
                    ).to_batches()

    return df.mapInArrow(work, from_arrow_schema(results))
