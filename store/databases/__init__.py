"""The two databases, opened alike: what each needs, and how it says what went wrong."""
