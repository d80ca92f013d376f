"""Finch: pay runs of many providers behind one API."""
