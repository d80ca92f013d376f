"""Exports of payroll programs: CSV, read as a mapping declares it."""
