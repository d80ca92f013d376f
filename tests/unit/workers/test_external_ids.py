"""External ids: what Solid takes, one a fact."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from workers.external_ids import external_id_of

facts = st.text(st.characters(), min_size=1, max_size=300) | st.text("a %~b", min_size=1, max_size=8)


@given(facts)
def test_every_fact_has_an_external_id_that_solid_takes(fact: str) -> None:
    assert re.fullmatch(r"[!-~]{1,200}", external_id_of(fact), re.ASCII)


@given(facts, facts)
@example("a" * 300, "a" * 300 + "b")
@example("a b", "a%20b")
def test_two_facts_never_share_one(one: str, other: str) -> None:
    assert (external_id_of(one) == external_id_of(other)) == (one == other)


def test_what_solid_takes_stays_as_it_is() -> None:
    assert external_id_of("stripe:charge:ch_1:payment") == "stripe:charge:ch_1:payment"


def test_the_readable_part_stays_readable() -> None:
    assert external_id_of("vendor:Potters Ltd").startswith("vendor:Potters%20Ltd~")


@given(facts)
def test_applying_it_twice_changes_nothing(fact: str) -> None:
    assert external_id_of(external_id_of(fact)) == external_id_of(fact)
