"""Solid Accounting's REST API: client, dialect, models, errors. Knows nothing of events, queues or plans."""
