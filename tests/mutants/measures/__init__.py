"""The table, a module each for the parts of a fact's way: what is broken, which promise that breaks, and who notices."""
