"""What the demo says of lines that are missing or double, and with what exit code it ends.

Run by `make test` (tests/demo.rs), or here: python3 -m unittest
"""

import collections
import contextlib
import io
import types
import unittest
from unittest import mock

import demo

FIRST = ("run", "o0001", "api-received")
SECOND = ("run", "o0002", "payment-declined")


def said(expected, found):
    """The verdict, and what a person reads."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        good = demo.verdict(expected, collections.Counter(found))
    return good, out.getvalue()


def exit_code(found):
    """The whole program with an application that printed both lines and a store that found these."""
    limelight = mock.MagicMock()
    options = types.SimpleNamespace(orders=2, seed=1, stay=False)
    replaced = {
        "arguments": lambda: options,
        "Limelight": lambda *_: limelight,
        "drive": lambda *_: ({FIRST, SECOND}, "trace"),
        "settle": lambda *_: collections.Counter(found),
        "pictures": lambda *_: None,
    }
    with mock.patch.multiple(demo, **replaced), contextlib.redirect_stdout(io.StringIO()):
        return demo.main()


class Verdict(unittest.TestCase):
    def test_each_line_once_is_good_and_nothing_is_named(self):
        good, text = said({FIRST, SECOND}, {FIRST: 1, SECOND: 1})
        self.assertTrue(good)
        self.assertIn("2 lines expected, 2 found, 0 missing, 0 double", text)
        self.assertNotIn("o000", text)

    def test_what_is_missing_is_named(self):
        good, text = said({FIRST, SECOND}, {FIRST: 1})
        self.assertFalse(good)
        self.assertIn("1 missing", text)
        self.assertIn("missing: run:o0002:payment-declined", text)
        self.assertNotIn("o0001", text)

    def test_what_is_double_is_named(self):
        good, text = said({FIRST, SECOND}, {FIRST: 1, SECOND: 2})
        self.assertFalse(good)
        self.assertIn("double: run:o0002:payment-declined", text)
        self.assertNotIn("missing:", text)

    def test_the_exit_code_follows(self):
        self.assertEqual(exit_code({FIRST: 1, SECOND: 1}), 0)
        self.assertEqual(exit_code({FIRST: 1}), 1)
        self.assertEqual(exit_code({FIRST: 1, SECOND: 2}), 1)


class Expectation(unittest.TestCase):
    def test_lines_follow_from_the_order_and_its_answer_alone(self):
        order = {"id": "o0001", "scenario": "error"}
        lines = demo.lines_of(order, {"instance": "api1"}, "run")
        self.assertIn(("run", "o0001", "payment-declined"), lines)
        self.assertIn(("run", "api1", "init"), lines)
        self.assertNotIn(("run", "o0001", "api-completed"), lines)
        self.assertEqual(len(lines), len(demo.ALWAYS) + 2 + 1)


if __name__ == "__main__":
    unittest.main()
