"""The one error of this room: a setting, or a file that a setting names, cannot be used."""


class ConfigurationError(Exception):
    """A setting is missing, unreadable or unsafe; the message says which, and what to do."""
