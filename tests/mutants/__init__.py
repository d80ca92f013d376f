"""Proof that the suite guards the relay's promises: each safety measure is broken once, and a test must notice.

What is broken stands in the modules of `measures`; the rest copies the project, breaks the copy and
runs tests in it. It must never change the tree it was started in, and it knows the relay's code as text only.
"""
