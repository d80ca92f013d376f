"""How any document is opened and read, whatever it means."""
