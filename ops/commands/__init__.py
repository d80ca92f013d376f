"""The `relay` command, a module a group of commands: what is asked, and nothing of how it is done."""
