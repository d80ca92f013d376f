"""What is kept of feeds: how far each is, under which name, and what became of files and polls."""
