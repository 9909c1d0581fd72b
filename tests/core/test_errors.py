"""The errors: what each carries, and whom it reaches when nobody here knows its name."""

import pickle

import pytest

from penstock.core.errors import (
    BodyError,
    ConfigError,
    Disconnected,
    PenstockError,
    ProtocolError,
    StartError,
)


def test_what_a_client_broke_has_a_status_and_a_reason() -> None:
    error = ProtocolError(431, "too many header fields")
    assert (error.status, error.reason) == (431, "too many header fields")
    assert str(error) == "431 too many header fields"
    assert error.args == (431, "too many header fields")


def test_what_the_operator_asked_for_names_its_origin() -> None:
    error = ConfigError("unknown option --x", "command line")
    assert str(error) == "command line: unknown option --x"
    assert (error.message, error.origin) == ("unknown option --x", "command line")
    assert str(ConfigError("no socket")) == "no socket"


def test_a_failed_start_has_an_exit_status() -> None:
    assert StartError("the port is taken").exit_code == 1
    error = StartError("no application", 22)
    assert (str(error), error.exit_code) == ("no application", 22)


@pytest.mark.parametrize("error", [ProtocolError(400, "x"), ConfigError("x"), StartError("x")])
def test_our_own_have_one_base(error: PenstockError) -> None:
    assert isinstance(error, PenstockError)
    assert not isinstance(error, OSError), "an application's guard must not swallow these"


@pytest.mark.parametrize("error", [Disconnected("gone"), BodyError("cut short")])
def test_what_reaches_an_application_is_an_oserror(error: OSError) -> None:
    with pytest.raises(OSError, match=str(error)):
        raise error
    assert not isinstance(error, PenstockError)


def test_a_client_that_left_is_a_connection_error() -> None:
    assert issubclass(Disconnected, ConnectionAbortedError)
    assert issubclass(Disconnected, ConnectionError)
    assert not issubclass(BodyError, ConnectionError), "it may have stalled, and still be there"


def test_an_error_that_applications_may_carry_elsewhere_survives_it() -> None:
    for error in (Disconnected("gone"), BodyError("cut short"), ProtocolError(400, "x")):
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is type(error)
        assert str(again) == str(error)
