"""Looking without doing: nothing is published, stored or posted."""
