"""docs/faults.md names every fault, and only tests that are there and carry its number."""

import fault_table
from fault_marks import NUMBERS


def test_every_number_stands_in_the_table_once_and_in_order() -> None:
    found = [row.number for row in fault_table.rows(fault_table.TABLE.read_text("utf-8"))]
    assert found == list(NUMBERS)


def test_the_tests_named_are_the_tests_that_carry_the_number() -> None:
    """`python tests/support/fault_table.py` writes them down."""
    text = fault_table.TABLE.read_text("utf-8")
    assert fault_table.written(text, None) == text


def test_fifty_faults_and_more_are_shown() -> None:
    shown = [row for row in fault_table.rows(fault_table.TABLE.read_text("utf-8")) if row.shown_by]
    assert sum(row.number.startswith("T") for row in shown) >= 50
