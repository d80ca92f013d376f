"""Whom the relay trusts where it speaks TLS: the system's authorities, or the private one that a `ca_file` names."""

import ssl
from pathlib import Path

from runtime.errors import ConfigurationError


def trusting(setting: str, ca_file: Path | None) -> ssl.SSLContext:
    """What proves who a server is, its name too. Where a private authority is named, no other is trusted.

    Raises:
        ConfigurationError: the file cannot be read, or holds no certificate.
    """
    try:
        return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except ssl.SSLError:
        why = "no certificate in PEM"
    except OSError as error:
        why = error.strerror or "cannot be read"
    msg = f"{setting}: {ca_file}: {why}. Put the certificate of the authority there that signed the server's."
    raise ConfigurationError(msg)


def distrust(error: BaseException | None) -> str | None:
    """Why a server's certificate was not accepted, where that is what lies behind a failure; else None."""
    seen = list[BaseException]()
    while error is not None and error not in seen:  # one that many tasks were given may be its own cause
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message
        seen.append(error)
        error = error.__cause__ or error.__context__
    return None
