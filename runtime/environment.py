"""What a process that we start gets of our environment: what it takes to run, and nothing that may be a secret.

Settings, keys and passwords of the relay are in its environment where people put them there; a broker, an installer
or a stand-in started from it has no use for them, and whoever may read its `/proc` entry would find them.
"""

import os
from collections.abc import Mapping
from typing import Final

PASSED_ON: Final = frozenset(
    (
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "COLUMNS", "CI"),
        *("LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "TZ", "TMPDIR"),
        *("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "PYTHONUNBUFFERED", "PYTHONWARNINGS"),
        *("VIRTUAL_ENV", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    )
)
PROXIES: Final = frozenset(("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"))
"""For programs that download; an address may hold a password, so only they get them."""


def passed_on(*more: str, **variables: str) -> Mapping[str, str]:
    """The environment for a child: what every program may know, `more` of ours by name, and `variables` of its own."""
    wanted = PASSED_ON | set(more)
    return {name: value for name, value in os.environ.items() if name in wanted} | variables
