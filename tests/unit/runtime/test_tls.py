"""Why a server's certificate was not accepted, found behind whatever failure it led to."""

import ssl

import pytest

from runtime.tls import distrust


def test_what_lies_behind_a_failure_is_found() -> None:
    unproved = ssl.SSLCertVerificationError(1, "certificate verify failed")
    unproved.verify_message = "unable to get local issuer certificate"
    outer, between = ConnectionError("no"), OSError("no")
    outer.__cause__, between.__context__ = between, unproved
    assert distrust(outer) == "unable to get local issuer certificate"
    assert distrust(between.__cause__) is None


@pytest.mark.timeout(10)
def test_a_failure_that_is_its_own_cause_comes_to_an_end() -> None:
    """Many tasks that wait for one connection are given one exception, and each raises another from it."""
    first, second = ConnectionError("first"), ConnectionError("second")
    first.__cause__, second.__context__ = second, first
    assert distrust(first) is None
