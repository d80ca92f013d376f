"""What all unit tests share. They never wait, and a busy machine must not turn one red."""

from hypothesis import settings

settings.register_profile("unit", deadline=None)
settings.load_profile("unit")
