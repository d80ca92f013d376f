"""`relay feed` where the folder called `hung` is on a share whose server is away: listing it never returns."""

import threading

from ops.commands.relay import app
from producers.feeds.places import Place

list_names = Place.names


def names(place: Place) -> list[str]:
    """Hang for ever, as the kernel does."""
    if place.path.name == "hung":
        threading.Event().wait()
    return list_names(place)


if __name__ == "__main__":
    Place.names = names  # type: ignore[assignment, method-assign]
    app(["feed"])
