"""What can go wrong between the relay and a provider that it asks. No message holds anything of a provider's body.

ProviderError
├── ProviderUnreachable
├── TokenRefused
├── UnexpectedAnswer
│   ├── NotThere
│   └── NotReady
└── KeepsChanging
"""


class ProviderError(Exception):
    """Base of all errors of asking a provider. What was told before it stays told; the next pull goes on."""


class ProviderUnreachable(ProviderError):
    """No usable answer after several tries, or the provider asks to wait for long: pull again later."""


class TokenRefused(ProviderError):
    """The provider refused the token, and renewing it did not help: authorise the relay anew."""


class UnexpectedAnswer(ProviderError):
    """An answer with another status or shape than the provider documents."""


class NotThere(UnexpectedAnswer):
    """404 or 410: the provider has no such thing (any more)."""


class NotReady(UnexpectedAnswer):
    """The provider says that it is still putting the document together."""


class KeepsChanging(ProviderError):
    """What was read over several pages changed at every reading, so nothing of it was used."""
