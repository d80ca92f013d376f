"""The name of a time zone as people write it into settings: refused where there is none of that name."""

from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator


def _known(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # OSError: the name of a folder
        msg = f"{name!r} is not a time zone; use an IANA name such as Europe/Berlin"
        raise ValueError(msg) from None
    return name


TimeZoneName = Annotated[str, AfterValidator(_known)]
