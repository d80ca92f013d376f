"""Rows of CSV and JSON, read as a mapping declares them."""
