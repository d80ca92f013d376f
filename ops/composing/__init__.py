"""The composition root: from settings to running workers, feeds, webhooks and pulls."""
