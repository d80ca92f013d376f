"""Payroll: pay runs of Gusto, Xero, Finch and CSV exports into `RunPaid` events. No person leaves this room."""
