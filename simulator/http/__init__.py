"""The REST API of Solid and the control port."""
