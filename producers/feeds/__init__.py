"""Feeds: watched folders and polled addresses, from their files and answers to published events."""
