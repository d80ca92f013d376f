"""What is broken, a module a part of a fact's way: the text, the promise that breaks with it, the tests that notice."""
