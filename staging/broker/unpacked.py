"""RabbitMQ 4 of Debian's next release, unpacked into a folder: a second version beside the installed one, for tests.

debootstrap fetches the packages from the archive that this machine's apt uses, and checks their signatures. Nothing
of them is installed, configured or started by the system, and nothing is mounted: `PrivateNode` enters the folder
with chroot. That takes root.
"""

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from runtime.environment import passed_on
from staging.broker import package
from staging.broker.errors import BrokerFailed, Rabbit4NotFound

RELEASE = "trixie"  # Debian 13: RabbitMQ 4.0
FOLDER = Path(__file__).resolve().parents[2] / "var" / "rabbitmq-4"
SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # as seen from inside the folder

_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_NULL = os.makedev(1, 3)
# What a node reads and no package carries: its own host's name, and a line for `df`.
_FILES = {"etc/hosts": "127.0.0.1 localhost\n", "etc/mtab": "none / auto rw 0 0\n"}


def ready(say: Callable[[str], None]) -> Path:
    """The folder with the unpacked system; unpacked now if it is not there, which takes under a minute, once.

    Raises Rabbit4NotFound with what it takes. Two processes may do it at the same time: one of them wins.
    """
    if os.geteuid() != 0:
        raise Rabbit4NotFound("only root may enter another system's folder (chroot)")
    if not FOLDER.exists():
        _get_tools(say)
        say(f"unpacking RabbitMQ of Debian {RELEASE} into {FOLDER} (once, under a minute)")
        FOLDER.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="rabbitmq-4.part-", dir=FOLDER.parent) as part:
            try:
                _unpack(Path(part))
            except (BrokerFailed, OSError) as exc:
                raise Rabbit4NotFound(str(exc)) from exc
    return FOLDER


def _get_tools(say: Callable[[str], None]) -> None:
    if shutil.which("debootstrap") and shutil.which("dpkg-deb") and _KEYRING.exists():
        return
    if not package.may_install():
        raise Rabbit4NotFound("debootstrap, dpkg-deb or the keys of Debian's archive are missing, and so is apt-get")
    say("installing debootstrap (once)")
    try:
        package.install_quietly("debootstrap", "debian-archive-keyring")
    except BrokerFailed as exc:
        raise Rabbit4NotFound(str(exc)) from exc


def _unpack(part: Path) -> None:
    packages, system = part / "packages", part / "system"
    fetching = ["debootstrap", "--download-only", "--variant=minbase", "--include=rabbitmq-server"]
    fetching += [f"--keyring={_KEYRING}", RELEASE, str(packages), _archive()]
    package.run(fetching, **_proxies())
    system.mkdir()
    for file in sorted(packages.glob("var/cache/apt/archives/*.deb"), key=_links_first):
        package.run(["dpkg-deb", "--extract", str(file), str(system)])
    for name, text in _FILES.items():
        (system / name).write_text(text)
    os.mknod(system / "dev/null", 0o020666, _NULL)
    (system / "dev/null").chmod(0o666)
    try:
        system.rename(FOLDER)
    except OSError:
        if not FOLDER.exists():  # else somebody else was quicker
            raise


def _links_first(file: Path) -> tuple[bool, str]:
    """Order the package that makes /bin and /lib links before those that put files there."""
    return not file.name.startswith("base-files_"), file.name


def _archive() -> str:
    """The archive of Debian that this machine's apt uses; apt knows whose it is once it has read its lists."""
    asked = ["apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)", "Created-By: Packages"]
    found = _debian_of(_output(asked).splitlines())
    if found is None:
        package.update_lists()
        found = _debian_of(_output(asked).splitlines())
    if found is None:
        raise BrokerFailed("apt on this machine is not set up with an archive of Debian")
    return found


def _debian_of(lines: Iterable[str]) -> str | None:
    """The first main archive of Debian; its security archive has a label of its own."""
    rows = (line.split("|", 2) for line in lines)
    return next((uri for origin, label, uri in rows if origin == label == "Debian"), None)


def _proxies() -> dict[str, str]:
    """The proxies of apt, as variables for debootstrap; those of the environment stay in force without them."""
    names = ("http_proxy", "Acquire::http::Proxy", "https_proxy", "Acquire::https::Proxy")
    pairs = (word.partition("=") for word in shlex.split(_output(["apt-config", "shell", *names])))
    return {name: value for name, _, value in pairs if value and value != "DIRECT"}


def _output(command: list[str]) -> str:
    return subprocess.run(
        command, check=True, env=passed_on(), stdin=subprocess.DEVNULL, capture_output=True, text=True
    ).stdout
