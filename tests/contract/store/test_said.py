"""What is told of an error of the database: never a value, always what went wrong."""

import pytest
from sqlalchemy import text

from runtime.tracebacks import trace_of
from store.engine import connect, transact
from store.errors import StoreError

CANARY = "canary7319"
KEPT = "CREATE TABLE guests (name TEXT PRIMARY KEY, age INTEGER CHECK (age < 100))"
SAME = ("INSERT INTO guests VALUES (:name, 1)", "UNIQUE", "guests_pkey")


@pytest.mark.parametrize(
    ("statement", "sqlite", "postgresql"),
    [
        SAME,
        ("INSERT INTO guests VALUES (:name || 'x', 731973)", "CHECK", "CheckViolationError (23514) guests"),
        ("INSERT INTO guests VALUES (:name, CAST(CAST(:name AS TEXT) AS INTEGER))", "UNIQUE", "(22P02)"),
        ("INSERT INTO nowhere VALUES (:name)", "no such table: nowhere", 'relation "nowhere" does not exist'),
    ],
)
async def test_no_value_of_a_statement_is_in_an_error_of_the_store(
    new_url: str, statement: str, sqlite: str, postgresql: str
) -> None:
    engine = connect(new_url)
    await transact(engine, lambda on: on.execute(text(KEPT)))
    await transact(engine, lambda on: on.execute(text(SAME[0]), {"name": CANARY}))
    with pytest.raises(StoreError) as caught:
        await transact(engine, lambda on: on.execute(text(statement), {"name": CANARY}))
    await engine.dispose()
    told, cause = str(caught.value), str(caught.value.__cause__)
    assert (sqlite if engine.dialect.name == "sqlite" else postgresql) in told
    assert CANARY not in told + trace_of(caught.value)
    assert CANARY not in cause.partition("[SQL")[2], "SQLAlchemy does not show the parameters"
