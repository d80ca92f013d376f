"""A stand-in for Solid Accounting's local REST API, for the demo, the tests and the benchmarks.

It is the judge of what reached the books: its own code and its own arithmetic, importing nothing of the other
rooms, so that a mistake cannot be shared. Amounts are integers of cents inside, never floats.
"""
