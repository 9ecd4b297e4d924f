import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shop.local import ports
from tests.shop.local.waiting import wait_until

# Stands in for every child but the cloud, which is the real one. It does as little as each of them can do.
STAND_IN = """
import http.server, os, sys, threading, time
module, *arguments = sys.argv[1:]
folder = {folder!r}
def serve(port):
    class Ok(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200); self.end_headers()
        def log_message(self, *_): pass
    http.server.ThreadingHTTPServer(("127.0.0.1", port), Ok).serve_forever()
if module == "shop.local.prepare":
    if os.path.exists(folder + "/bad-setting"):
        sys.exit("TAX_RATE is '8%'.")
    if "--empty" not in arguments:
        print("login: ann@example.com / a-password (staff)")
    print("much more is said after it\\n" * 100)
elif module == "shop.local.fake_stripe":
    serve(int(arguments[arguments.index("--port") + 1]))
else:
    if os.path.exists(folder + "/bad-setting"):
        sys.exit("TAX_RATE is '8%'.")
    name = "shop" if arguments[0] == "runserver" else "work"
    if name == "shop":
        port = int(arguments[1].rpartition(":")[2])
        threading.Thread(target=serve, args=(port,), daemon=True).start()
    print("hello from the", name, flush=True)
    while not os.path.exists(folder + "/crash-" + name):
        time.sleep(0.02)
    if os.path.exists(folder + "/mended-meanwhile"):
        os.remove(folder + "/crash-" + name)
        print("INFO views.py changed, reloading.", flush=True)
        time.sleep(0.2)
        open(folder + "/code/views.py", "w").close()
        sys.exit(1)
    print("the last words of the", name, flush=True)
    with open(folder + "/crash-" + name) as file:
        sys.exit(int(file.read()))
"""
# What the real children do through shop.local.child: end with the runner.
RUNNER = """
import sys
from pathlib import Path
from shop.local.runner import run
start_module = [sys.executable, "-m", "shop.local.child", "stand_in"]
sys.exit(run(port={port}, data_dir=Path({data!r}), empty={empty}, start_module=start_module, code=Path({code!r})))
"""


class Running:
    """A local shop in a process of its own."""

    def __init__(self, folder: Path, port: int, *, empty: bool = False) -> None:
        self.port = port
        self.data = folder / "data"
        self.code = folder / "code"
        self.code.mkdir(exist_ok=True)
        self._folder = folder
        self._output = folder / f"output-{port}"
        self._file = self._output.open("wb")
        (folder / "stand_in.py").write_text(STAND_IN.format(folder=str(folder)))
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUNNER.format(port=port, data=str(self.data), empty=empty, code=str(self.code))],
            stdout=self._file,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{Path.cwd()}"},
        )

    @property
    def output(self) -> str:
        return self._output.read_text()

    def wait_until_ready(self) -> None:
        wait_until(lambda: "Ready after" in self.output or self.process.poll() is not None, seconds=30)
        assert "Ready after" in self.output, self.output

    def crash(self, child: str, *, status: int) -> None:
        """Make a child end by itself."""
        part = self._folder / "crash.part"
        part.write_text(str(status))
        part.replace(self._folder / f"crash-{child}")

    def mend(self, child: str) -> None:
        """Make the child's next start a good one."""
        (self._folder / f"crash-{child}").unlink()

    def all_ports(self) -> list[int]:
        return [self.port, *json.loads((self.data / "ports.json").read_text()).values()]

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait()
        self._file.close()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with ports.listen(0) as listener:
        port = int(listener.getsockname()[1])
    made = Running(tmp_path, port)
    yield made
    made.end()


@pytest.fixture
def free_port() -> int:
    with ports.listen(0) as listener:
        return int(listener.getsockname()[1])


def test_a_shop_begun_empty_stays_empty_and_says_how_to_make_its_first_admin(tmp_path: Path, free_port: int) -> None:
    for asked in (True, False):
        shop = Running(tmp_path, free_port, empty=asked)
        try:
            shop.wait_until_ready()
            assert "ann@example.com" not in shop.output
            assert "manage.py createstaff you@example.com --first-name Your --last-name Name --role admin" in shop.output
        finally:
            shop.end()


def test_a_shop_with_the_demo_in_it_is_not_called_empty(tmp_path: Path, free_port: int) -> None:
    (tmp_path / "data" / "cloud").mkdir(parents=True)
    refused = Running(tmp_path, free_port, empty=True)
    assert refused.process.wait(10) == 1
    refused.end()
    assert "has the demo products already" in refused.output
    assert not (tmp_path / "data" / "empty").exists()


def nothing_listens(numbers: list[int]) -> bool:
    return all(ports.is_free(number) for number in numbers)


class TestARunningShop:
    def test_the_summary_says_where_everything_is(self, running: Running) -> None:
        running.wait_until_ready()
        cloud, stripe = running.all_ports()[1:]
        text = running.output
        assert f"Shop         http://127.0.0.1:{running.port}/\n" in text
        assert f"Mail         http://127.0.0.1:{running.port}/_local/mail/\n" in text
        assert f"Payments     http://127.0.0.1:{stripe}/\n" in text
        assert "Log in as    ann@example.com / a-password (staff)\n" in text
        assert f"AWS          http://127.0.0.1:{cloud}   access key local-shop   secret local-shop-secret\n" in text
        assert re.search(r"4242 4242 4242 4242 +is paid\n", text)
        assert f"Data         {running.data}" in text
        # It passes through a thread of its own, perhaps a moment later.
        wait_until(lambda: "    shop │ hello from the shop\n" in running.output)
        assert "\033[" not in running.output

    def test_ctrl_c_ends_all_of_it_in_time_even_when_pressed_twice(self, running: Running) -> None:
        running.wait_until_ready()
        asked_at = time.monotonic()
        running.process.send_signal(signal.SIGINT)
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(10) == 0
        assert time.monotonic() - asked_at < 3
        assert nothing_listens(running.all_ports())
        assert running.output.endswith(f"Stopped. Everything is kept in {running.data}.\n")

    def test_a_start_that_fails_is_over_and_waits_for_nothing(self, running: Running, tmp_path: Path) -> None:
        (tmp_path / "bad-setting").touch()

        assert running.process.wait(30) == 1

        assert running.output.endswith("so everything is stopped. Its last lines:\n    TAX_RATE is '8%'.\n")
        assert "waits for the next save" not in running.output
        assert nothing_listens(running.all_ports())

    def test_ctrl_c_while_starting_ends_all_of_it(self, running: Running) -> None:
        wait_until(lambda: (running.data / "ports.json").exists() and len(running.all_ports()) == 3)
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(10) == 0
        assert nothing_listens(running.all_ports())

    def test_a_killed_runner_takes_its_children_with_it(self, running: Running) -> None:
        running.wait_until_ready()
        running.process.kill()
        wait_until(lambda: nothing_listens(running.all_ports()))

    def test_a_child_that_ends_by_itself_ends_everything_and_its_last_words_are_shown(self, running: Running) -> None:
        running.wait_until_ready()
        running.crash("work", status=3)
        assert running.process.wait(10) == 1
        assert running.output.endswith(
            "work stopped unexpectedly (status 3), so everything is stopped. Its last lines:\n"
            "    hello from the work\n    the last words of the work\n"
        )
        assert nothing_listens(running.all_ports())

    @pytest.mark.parametrize(
        ("child", "what"), [("work", "background work (mails, jobs) waits"), ("shop", "the shop's pages wait")]
    )
    def test_code_that_fails_waits_for_the_next_save_of_a_python_file_and_all_else_goes_on(
        self, running: Running, child: str, what: str
    ) -> None:
        running.wait_until_ready()
        waits = f"{child} ended, for the reason above: {what} for the next save of a Python file\n"

        running.crash(child, status=1)
        wait_until(lambda: waits in running.output)
        running.mend(child)
        others = [port for port in running.all_ports() if child != "shop" or port != running.port]
        still_there = [not ports.is_free(port) for port in others]
        (running.code / "catalog").mkdir()
        (running.code / "catalog" / "views.py").write_text("answer = 42\n")
        wait_until(lambda: running.output.count(f"hello from the {child}\n") == 2)

        assert set(still_there) == {True}
        assert running.output.count("the last words of the") == 1
        assert running.output.count(waits) == 1
        assert running.process.poll() is None
        wait_until(lambda: not ports.is_free(running.port))

    def test_a_mistake_that_is_mended_before_it_has_ended_the_process_waits_for_no_further_save(
        self, running: Running, tmp_path: Path
    ) -> None:
        running.wait_until_ready()

        (tmp_path / "mended-meanwhile").touch()
        running.crash("shop", status=1)
        wait_until(lambda: running.output.count("hello from the shop\n") == 2)

        assert "shop ended, for the reason above, and a Python file was saved meanwhile: it starts again\n" in running.output
        assert "for the next save" not in running.output
        wait_until(lambda: not ports.is_free(running.port))

    def test_a_second_shop_on_the_same_data_is_refused(self, running: Running, tmp_path: Path) -> None:
        running.wait_until_ready()
        with ports.listen(0) as listener:
            other_port = int(listener.getsockname()[1])
        second = Running(tmp_path, other_port)
        assert second.process.wait(10) == 1
        second.end()
        assert second.output == (
            f"Another shop is running on the data in {running.data}. Choose another folder: make run PORT={other_port} DATA=…\n"
        )
        assert running.process.poll() is None


def test_a_taken_port_is_named_with_how_to_choose_another_and_nothing_is_started(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with ports.listen(0) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "shop.local", "--port", str(port), "--data", str(data)],
            check=False,
            capture_output=True,
            text=True,
        )
    assert done.returncode == 1
    assert done.stderr == f"Port {port} is already in use. Choose another: make run PORT={port + 1} DATA={data}-{port + 1}\n"
    assert done.stdout == ""
    assert not data.exists()


def test_a_port_that_cannot_be_one_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    done = subprocess.run([sys.executable, "-m", "shop.local", "--port", "80"], check=False)
    assert done.returncode == 2
    assert "a port is a whole number from 1024 to 65535" in capfd.readouterr().err
