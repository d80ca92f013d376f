"""What a bookkeeper decides: accounts, policies and their defaults, from `books.toml`."""
