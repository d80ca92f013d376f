"""RabbitMQ 4 from Debian's packages: what is said where it cannot be, and how it is fetched. Fetches nothing."""

import os
from pathlib import Path

import pytest

from staging.broker import BrokerNotFound, Rabbit4NotFound, package, unpacked

APT_GET = """
case "$1" in
    indextargets) cat "{lists}" ;;
    *) echo "$*" >>"{calls}" ;;
esac"""
DEBOOTSTRAP = """
for last; do before="$folder"; folder="$archive"; archive="$last"; done
echo "$* proxy=$http_proxy" >>"{calls}"
mkdir -p "$folder/var/cache/apt/archives"
touch "$folder/var/cache/apt/archives/erlang.deb" "$folder/var/cache/apt/archives/base-files_13.deb"
"""
DPKG_DEB = """
echo "extract $(basename "$2")" >>"{calls}"
mkdir -p "$3/etc" "$3/dev"
"""
SECURITY, DEBIAN = "Debian|Debian-Security|http://security/", "Debian|Debian|http://a.mirror/debian/"


class Machine:
    """A machine with Debian's tools, as scripts that write down how they are called."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lists, self.calls, self.said = folder / "lists", folder / "calls", list[str]()
        self.tools = folder / "bin"
        self.tools.mkdir()
        self.lists.write_text(f"{SECURITY}\n{DEBIAN}\n")
        for name, script in {"apt-get": APT_GET, "debootstrap": DEBOOTSTRAP, "dpkg-deb": DPKG_DEB}.items():
            self.offers(name, script.format(lists=self.lists, calls=self.calls))
        self.offers("apt-config", "echo \"http_proxy='http://proxy:3142'\"")
        (keyring := folder / "keyring").touch()
        monkeypatch.setenv("PATH", f"{self.tools}:{os.environ['PATH']}")
        monkeypatch.setattr(unpacked, "FOLDER", folder / "var" / "rabbitmq-4")
        monkeypatch.setattr(unpacked, "_KEYRING", keyring)
        monkeypatch.setattr(package, "_POLICY", folder / "policy-rc.d")
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        monkeypatch.setattr(os, "mknod", lambda path, *_: Path(path).touch())

    def offers(self, name: str, script: str) -> None:
        (self.tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.tools / name).chmod(0o755)

    @property
    def called(self) -> list[str]:
        return self.calls.read_text().splitlines()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_it_is_fetched_from_the_archive_and_through_the_proxy_of_apt_and_unpacked_once(machine: Machine) -> None:
    folder = unpacked.ready(machine.said.append)
    fetching, *extracting = machine.called
    assert "--download-only --variant=minbase --include=rabbitmq-server" in fetching
    assert f"--keyring={unpacked._KEYRING} trixie" in fetching
    assert fetching.endswith("http://a.mirror/debian/ proxy=http://proxy:3142")
    assert extracting == ["extract base-files_13.deb", "extract erlang.deb"], "first the one with the links"
    assert (folder / "etc/hosts").read_text() == "127.0.0.1 localhost\n"
    assert [path.name for path in folder.parent.iterdir()] == ["rabbitmq-4"], "nothing else is left"
    assert unpacked.ready(machine.said.append) == folder
    assert len(machine.called) == 3


def test_without_root_it_is_said_what_it_takes(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Rabbit4NotFound, match="only root may enter another system's folder") as failure:
        unpacked.ready(machine.said.append)
    assert "apt-get install debootstrap debian-archive-keyring" in str(failure.value)
    assert isinstance(failure.value, BrokerNotFound), "tests are skipped for it on a developer's machine"


@pytest.mark.parametrize("lists", ["Ubuntu|Ubuntu|http://ubuntu/\n", f"{SECURITY}\n", ""])
def test_without_an_archive_of_debian_apt_reads_its_lists_anew_and_then_gives_up(machine: Machine, lists: str) -> None:
    machine.lists.write_text(lists)
    with pytest.raises(Rabbit4NotFound, match="apt on this machine is not set up with an archive of Debian"):
        unpacked.ready(machine.said.append)
    assert [call.split()[-1] for call in machine.called] == ["update"]
    assert not unpacked.FOLDER.exists()


def test_a_missing_debootstrap_is_installed(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacked, "_KEYRING", machine.lists.parent / "none")
    unpacked.ready(machine.said.append)
    assert machine.called[1].endswith("install --yes --no-install-recommends debootstrap debian-archive-keyring")


def test_a_failed_fetch_is_told_with_the_end_of_its_output_and_leaves_nothing(machine: Machine) -> None:
    machine.offers("debootstrap", "echo E: no such suite; exit 1")
    with pytest.raises(Rabbit4NotFound, match="E: no such suite"):
        unpacked.ready(machine.said.append)
    assert list(unpacked.FOLDER.parent.iterdir()) == []


def test_of_two_that_unpack_at_the_same_time_the_later_takes_what_the_first_has_made(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def too_late(self: Path, target: Path) -> Path:
        (target / "made by the other").mkdir(parents=True)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", too_late)
    assert (unpacked.ready(machine.said.append) / "made by the other").exists()
