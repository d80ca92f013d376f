"""Proof that the suite guards the relay's promises: each safety measure is broken once, and a test must notice.

The table of what is broken is in `writing`, `moving` and `reading`; the rest copies the project, breaks the copy and
runs tests in it. It must never change the tree it was started in, and it knows the relay's code as text only.
"""
