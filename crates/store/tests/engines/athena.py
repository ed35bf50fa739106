"""Athena's SQL as sqlglot reads it: a statement that it cannot read whole is an error, a function that it does not know
too. The result has no rows."""

import sqlglot
from sqlglot import exp
from wire import serve


def answer(sql):
    statement = sqlglot.parse_one(sql, read="athena")
    if not isinstance(statement, exp.Select):
        raise ValueError(f"this is no SELECT but {type(statement).__name__}")
    unknown = sorted({function.name for function in statement.find_all(exp.Anonymous)})
    if unknown:
        raise ValueError(f"unknown functions: {unknown}")
    return statement.named_selects, []


serve(sqlglot.__version__, answer)
