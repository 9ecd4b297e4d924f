"""Which ports a local shop uses. Everything listens on the loopback interface alone."""

import json
import socket
from pathlib import Path

HOST = "127.0.0.1"
WEB_PORT = 8000
# Far enough apart that neighbours (8000 and 8001) never want each other's.
_OFFSETS = {"cloud": 10_000, "stripe": 20_000}
# Below are the ports that only root may open.
ALLOWED = range(1024, 65_536)


class PortTaken(Exception):
    """Something else listens on the port."""

    def __init__(self, port: int) -> None:
        super().__init__(f"Port {port} on {HOST} is already in use.")
        self.port = port


def origin(port: int) -> str:
    """The address of a server on the port."""
    return f"http://{HOST}:{port}"


def usual_port(helper: str, *, web_port: int) -> int:
    """Where a helper of the shop on `web_port` listens if nothing else does."""
    return web_port + _OFFSETS[helper]


def listen(port: int) -> socket.socket:
    """A listening socket on the loopback interface; port 0 takes any free one. Raises PortTaken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # Connections of a server that has just ended linger for a minute; they must not keep its successor out.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise PortTaken(port) from None
    return listener


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    try:
        listen(port).close()
    except PortTaken:
        return False
    return True


def helper_port(name: str, *, web_port: int, data_dir: Path) -> int:
    """The port of a helper of the shop on `web_port`: the one it had last time or one derived from the shop's, if free.

    It is remembered in the data folder, because addresses in the data (a payment page's, for one) should go on working.
    """
    file = data_dir / "ports.json"
    known: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
    key = f"{name} of {web_port}"
    wanted = [known.get(key, 0), usual_port(name, web_port=web_port)]
    port = next((port for port in wanted if port in ALLOWED and is_free(port)), 0) or _any_free()
    if known.get(key) != port:
        # Replaced whole: a kill in the middle of writing must not leave a file that no later start can read.
        part = file.with_suffix(".part")
        part.write_text(json.dumps(known | {key: port}, indent=2))
        part.replace(file)
    return port


def _any_free() -> int:
    with listen(0) as listener:
        return int(listener.getsockname()[1])
