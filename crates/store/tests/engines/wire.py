"""What the engines' scripts share: statements in, results out, one JSON object a line, every value as text or null."""

import json
import math
import sys


def text(value):
    if value is None or isinstance(value, float) and math.isnan(value):
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def say(words):
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def serve(version, answer):
    """answer: a statement's text -> (names of columns, rows)."""
    say({"version": version})
    for line in sys.stdin:
        try:
            columns, rows = answer(json.loads(line)["sql"])
            say({"columns": columns, "rows": [[text(value) for value in row] for row in rows]})
        except Exception as error:  # Whatever it is, whoever asked is told.
            say({"error": f"{type(error).__name__}: {error}"})
