"""Mutants of sales: one sale told many ways, its tax, and what takes it back."""

from typing import Final

ONE: Final = "tests/unit/workers/sales/test_one_sale.py"
TAXED: Final = "tests/unit/workers/sales/test_taxed.py"
BACK: Final = "tests/unit/workers/sales/test_taken_back.py"
