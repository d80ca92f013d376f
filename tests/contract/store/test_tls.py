"""PostgreSQL over TLS, with a certificate of a private authority, and with its password in a file."""

import os
import shutil
import stat
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from runtime.errors import ConfigurationError
from runtime.sections_store import StoreSettings
from store import migrate
from store.databases.postgresql import Access
from store.engine import connect, reading
from store.errors import StoreUnavailable
from tests.authority import Authority
from tests.postgres import PrivatePostgres

SECURED = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def secured(own_postgres: PrivatePostgres, authority: Authority) -> PrivatePostgres:
    """Give a server that speaks TLS and has a certificate for 127.0.0.1, and for no name."""
    owner = own_postgres.folder.stat()
    for setting, path in zip(("ssl_cert_file", "ssl_key_file"), authority.certificate("127.0.0.1"), strict=True):
        there = shutil.copy(path, own_postgres.folder)
        os.chown(there, owner.st_uid, owner.st_gid)
        own_postgres.sql(f"ALTER SYSTEM SET {setting} = '{there}'")
    own_postgres.sql("ALTER SYSTEM SET ssl = on")
    own_postgres.sql("SELECT pg_reload_conf()")
    return own_postgres


async def is_secured(url: str, access: Access | None = None) -> bool:
    engine = connect(url, access)
    try:
        async with reading(engine) as connection:
            return bool(await connection.scalar(text(SECURED)))
    finally:
        await engine.dispose()


async def test_with_its_authority_named_the_server_proves_who_it_is(
    secured: PrivatePostgres, authority: Authority
) -> None:
    url = secured.url("postgres")
    assert await is_secured(url, Access(ca_file=authority.ca_file))
    assert await is_secured(f"{url}?sslmode=verify-full&sslrootcert={authority.ca_file}")
    assert await is_secured(f"{url}?sslmode=require")
    assert not await is_secured(f"{url}?sslmode=disable")
    migrate.upgrade(url, Access(ca_file=authority.ca_file))


@pytest.mark.parametrize("mode", ["", "?sslmode=verify-full", "?ssl=verify-full", "?sslmode=verify-ca"])
async def test_a_server_of_another_authority_is_refused(secured: PrivatePostgres, tmp_path: Path, mode: str) -> None:
    other = Authority(tmp_path, "other authority")
    with pytest.raises(StoreUnavailable, match=r"certificate is not accepted: .*Name .* with store\.ca_file") as caught:
        await is_secured(f"{secured.url('postgres')}{mode}", Access(ca_file=other.ca_file))
    assert str(make_url(secured.url("postgres")).password) not in str(caught.value)


async def test_a_server_of_another_name_is_refused(secured: PrivatePostgres, authority: Authority) -> None:
    url = secured.url("postgres").replace("127.0.0.1", "localhost")
    with pytest.raises(StoreUnavailable, match=r"localhost.* a host that the certificate names"):
        await is_secured(url, Access(ca_file=authority.ca_file))
    assert await is_secured(f"{url}?sslmode=verify-ca", Access(ca_file=authority.ca_file))


async def test_without_an_authority_the_systems_are_asked(
    secured: PrivatePostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for mode in ("sslmode=verify-full", "sslmode=verify-full&sslrootcert=system"):
        with pytest.raises(StoreUnavailable, match="certificate is not accepted"):
            await is_secured(f"{secured.url('postgres')}?{mode}")


async def test_where_libpq_looks_an_authority_is_found(
    secured: PrivatePostgres, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGSSLROOTCERT", str(authority.ca_file))
    assert await is_secured(f"{secured.url('postgres')}?sslmode=verify-full")


def test_a_file_that_is_no_certificate_is_told_at_start(tmp_path: Path) -> None:
    (broken := tmp_path / "broken.crt").write_text("none")
    for path, why in ((broken, "no certificate in PEM"), (tmp_path / "away", "No such file or directory")):
        with pytest.raises(ConfigurationError, match=rf"store\.ca_file: .*: {why}"):
            connect("postgresql://relay@127.0.0.1/x", Access(ca_file=path))


async def test_a_new_password_in_its_file_is_used_at_the_next_connect(secured: PrivatePostgres, tmp_path: Path) -> None:
    url = make_url(secured.url("postgres"))
    file = tmp_path / "password"
    file.write_text('"wrong ; of \\ old"\n')
    file.chmod(stat.S_IRUSR | stat.S_IWUSR)
    bare = f"postgresql://relay@127.0.0.1:{url.port}/postgres"
    store = StoreSettings.model_validate({"url": bare, "password_file": file})
    engine = connect(bare, Access(password=store.password))
    with pytest.raises(StoreUnavailable, match=r"authentication failed .*store\.password_file") as caught:
        async with reading(engine):
            pass
    assert "wrong" not in str(caught.value)
    file.write_text(f"# of the relay\n{url.password}\n")
    async with reading(engine) as connection:
        assert await connection.scalar(text("SELECT 1")) == 1
        file.unlink()
        with pytest.raises(StoreUnavailable, match=r"store\.password_file: .*No such file"):
            async with reading(engine):
                pass
    await engine.dispose()
