"""Dead letters: kept until a person has settled them, sealed where there is a key, and erased in time."""
