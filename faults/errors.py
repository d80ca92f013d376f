"""What can go wrong with a fault."""


class CannotDo(Exception):
    """A fault that cannot be done on this machine; says why."""
