"""One file a migration. Never edit one that was released; add the next."""
