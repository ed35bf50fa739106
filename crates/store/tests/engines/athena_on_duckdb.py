"""Athena's SQL, said in DuckDB's by sqlglot and run by DuckDB over the files of the Delta tables below the working
directory. It is not Athena: it shows that a statement means what it should, as far as two other programs understand it.

What they do not understand of each other is put right here, and nothing else:
- whole numbers divided by a whole number are whole in Athena, and floats in DuckDB;
- roots and logarithms of what has none are no number in Athena, and an error in DuckDB;
- DuckDB sees the microseconds of times, of which Athena's expression takes the milliseconds;
- approx_percentile is an estimate, and here the exact percentile that it estimates.
"""

import duckdb
import sqlglot
from delta import files, tables
from sqlglot import exp
from wire import serve

connection = duckdb.connect()
connection.execute("SET TimeZone = 'UTC'")
for name in tables():
    connection.execute(
        f'CREATE VIEW "{name}" AS SELECT * FROM read_parquet({files(name)}, union_by_name = true, hive_partitioning = true)'
    )

UNDEFINED = (exp.Sqrt, exp.Ln, exp.Log, exp.Asin, exp.Acos, exp.Pow)


def is_whole(node):
    return isinstance(node, exp.Literal) and not node.is_string and node.this.isdigit()


def put_right(node):
    if isinstance(node, exp.Div) and is_whole(node.expression):
        return exp.IntDiv(this=node.this, expression=node.expression)
    if isinstance(node, exp.Mul) and isinstance(node.this, (exp.DateDiff, exp.TimestampDiff)):
        return exp.Anonymous(this="epoch_us", expressions=[node.this.this])
    if isinstance(node, exp.ApproxQuantile):
        if node.args.get("weight") is not None:
            raise ValueError("DuckDB has no percentile with weights")
        return exp.Anonymous(this="quantile_cont", expressions=[node.this, node.args["quantile"]])
    if isinstance(node, UNDEFINED) and not isinstance(node.parent, exp.Try if hasattr(exp, "Try") else ()):
        return exp.Anonymous(this="try", expressions=[node.copy()])
    return node


def answer(sql):
    statement = sqlglot.parse_one(sql, read="athena")
    for node in list(statement.walk(bfs=False))[::-1]:
        righted = put_right(node)
        if righted is not node:
            node.replace(righted)
    cursor = connection.execute(statement.sql(dialect="duckdb"))
    return [column[0] for column in cursor.description], cursor.fetchall()


serve(duckdb.__version__, answer)
