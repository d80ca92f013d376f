"""Calling other people's servers: paced, authorised, tried again, and read until nothing moves."""
