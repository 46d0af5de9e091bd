"""Parquet, read back by pyarrow."""

import io
import json
import math

import pyarrow
import pyarrow.parquet as parquet

from weightscope.columns import Column
from weightscope.reports.report import Report
from weightscope.reports.writers import parquet as ours


def test_reads_back(written, report, rows, columns):
    """Types as declared, NaN apart from null, names as they are."""
    table = parquet.read_table(io.BytesIO(written(report, "parquet")))
    assert table.schema.types == [
        pyarrow.string(),
        pyarrow.string(),
        pyarrow.int64(),
        pyarrow.float64(),
        pyarrow.bool_(),
        pyarrow.string(),
    ]
    back = table.to_pylist()
    assert math.isnan(back[1].pop("std"))
    assert back == [
        {
            k: v.replace("\ud800", "\\ud800") if isinstance(v, str) else v
            for k, v in row.items()
            if (i, k) != (1, "std")
        }
        for i, row in enumerate(rows)
    ]
    assert table.column("std").null_count == 1


def test_provenance_is_in_the_metadata(written, report):
    """Under the key `weightscope`, as strict JSON; the meaning of a column is on its field."""
    schema = parquet.read_schema(io.BytesIO(written(report, "parquet")))
    assert json.loads(schema.metadata[b"weightscope"]) == {"version": "0", "options": {"x": None}}
    assert schema.field("std").metadata[b"meaning"] == b"standard deviation"


def test_version_and_error_are_on_the_field(written):
    """Beside the meaning; a column without a standard error has no such key."""
    columns = (
        Column("beta", "float", "shape", version=2, error="beta_se"),
        Column("beta_se", "float", "its error"),
    )
    schema = parquet.read_schema(io.BytesIO(written(Report("fit", (), columns), "parquet")))
    assert schema.field("beta").metadata == {
        b"meaning": b"shape",
        b"version": b"2",
        b"error": b"beta_se",
    }
    assert schema.field("beta_se").metadata == {b"meaning": b"its error", b"version": b"1"}


def test_empty_keeps_its_types(written, empty):
    """No rows, all columns."""
    table = parquet.read_table(io.BytesIO(written(empty, "parquet")))
    assert (table.num_rows, table.schema.field("params").type) == (0, pyarrow.int64())


def test_batches_join(written, report, monkeypatch):
    """Rows that are converted in batches are one table."""
    monkeypatch.setattr(ours, "BATCH", 2)
    assert parquet.read_table(io.BytesIO(written(report, "parquet"))).num_rows == 5


def test_same_bytes_twice(written, report):
    """Two runs write the same file."""
    assert written(report, "parquet") == written(report, "parquet")
