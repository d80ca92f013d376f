"""Square's webhooks and answers of its API, a module a kind of object."""
