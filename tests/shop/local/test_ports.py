from pathlib import Path

import pytest

from shop.local import ports


def test_a_taken_port_is_refused_by_number() -> None:
    with ports.listen(0) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(ports.PortTaken, match=f"Port {number} on 127.0.0.1 is already in use"):
            ports.listen(number)


def test_helpers_of_neighbouring_shops_never_want_the_same_port(tmp_path: Path) -> None:
    wanted = [
        ports.helper_port(name, web_port=web_port, data_dir=tmp_path)
        for web_port in (18_123, 18_124)
        for name in ("cloud", "stripe")
    ]
    assert len({*wanted, 18_123, 18_124}) == 6


def test_a_helper_keeps_its_port(tmp_path: Path) -> None:
    first = ports.helper_port("cloud", web_port=60_000, data_dir=tmp_path)
    assert first in ports.ALLOWED
    assert ports.helper_port("cloud", web_port=60_000, data_dir=tmp_path) == first


def test_a_helper_whose_port_is_taken_gets_another(tmp_path: Path) -> None:
    first = ports.helper_port("stripe", web_port=60_000, data_dir=tmp_path)
    with ports.listen(first):
        second = ports.helper_port("stripe", web_port=60_000, data_dir=tmp_path)
    assert second not in (first, 0)
