"""Xero Payroll of Australia, New Zealand and the United Kingdom."""
