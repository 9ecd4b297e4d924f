"""What tests of accounts share."""

import bcrypt
import pytest

from accounts import services


@pytest.fixture
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is held up."""
    for name in ("count_try", "count_tries"):
        monkeypatch.setattr(services, name, lambda *_, **__: None)


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every password that was put through bcrypt."""
    seen: list[bytes] = []
    real = bcrypt.checkpw

    def checkpw(password: bytes, kept: bytes) -> bool:
        seen.append(password)
        return real(password, kept)

    monkeypatch.setattr("accounts.passwords.bcrypt.checkpw", checkpw)
    return seen
