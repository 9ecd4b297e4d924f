import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import pytest

from shop.local import bootstrap
from shop.local.bootstrap import Environment, Failed

# A stand-in for an interpreter. It writes down what it is asked, makes "virtual environments" that hold a copy of itself,
# and its pip fails while a file called `offline` lies beside the lock files.
INTERPRETER = """#!/bin/sh
here="{root}"
case "$*" in
  *ensurepip*) exit {has_venv} ;;
  *version_info*) echo {version} ;;
  "-m venv "*) echo "venv" >> "$here/asked"; mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  "-m pip "*)
    for word in "$@"; do lock="$word"; done
    own="${{0%/*}}/../installed.json"
    echo "pip $(basename $lock) stamps:$(ls "$own" 2>/dev/null | wc -l | tr -d ' ')" >> "$here/asked"
    if [ -e "$here/requirements/offline" ]; then echo "ERROR: no route to the index"; exit 1; fi ;;
esac
"""


class Checkout:
    """A checkout with lock files and a PATH on which only stand-in interpreters lie."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / "path"
        self.path.mkdir()
        (root / "requirements").mkdir()
        for lock in ("app", "dev", "ministack"):
            (root / "requirements" / f"{lock}.lock").write_text(f"{lock}==1\n")

    def add_python(self, name: str, version: str, *, has_venv: bool = True) -> Path:
        file = self.path / name
        file.write_text(INTERPRETER.format(root=self.root, version=version, has_venv=0 if has_venv else 1))
        file.chmod(0o755)
        return file

    def add_ancient_python(self, name: str) -> None:
        """One that says of itself, when asked, that it is too old to read the set-up (2.7 or 3.6)."""
        (self.path / name).write_text("#!/bin/sh\nexit 1\n")
        (self.path / name).chmod(0o755)

    def go_offline(self) -> None:
        (self.root / "requirements" / "offline").touch()

    def go_online(self) -> None:
        (self.root / "requirements" / "offline").unlink()

    def asked(self) -> list[str]:
        with contextlib.suppress(FileNotFoundError):
            return sorted((self.root / "asked").read_text().splitlines())
        return []

    def forget_asked(self) -> None:
        (self.root / "asked").unlink()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    made = Checkout(tmp_path)
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "executable", str(made.path / "nowhere"))
    # sh, mkdir, cp and the like must still be found by the stand-ins themselves.
    for tool in ("sh", "mkdir", "cp", "ls", "wc", "tr", "basename"):
        real = subprocess.run(["sh", "-c", f"command -v {tool}"], check=True, capture_output=True, text=True).stdout.strip()
        (made.path / tool).symlink_to(real)
    monkeypatch.setenv("PATH", str(made.path))
    return made


def test_the_newest_supported_python_is_chosen(checkout: Checkout) -> None:
    checkout.add_python("python3", "3.11")
    checkout.add_python("python3.12", "3.12")
    newest = checkout.add_python("python3.13", "3.13")
    assert bootstrap.find_python() == str(newest)


def test_a_stand_in_that_only_complains_is_passed_over(checkout: Checkout) -> None:
    shim = checkout.path / "python3.13"
    shim.write_text("#!/bin/sh\necho 'python3.13: command not found' >&2\nexit 127\n")
    shim.chmod(0o755)
    usable = checkout.add_python("python3", "3.12")
    assert bootstrap.find_python() == str(usable)


def test_a_python_too_new_or_too_old_is_refused_with_what_to_install(checkout: Checkout) -> None:
    checkout.add_python("python3", "3.10")
    checkout.add_python("python", "3.14")
    with pytest.raises(Failed, match=r"needs Python 3\.11, 3\.12 or 3\.13"):
        bootstrap.find_python()


def test_a_python_without_venv_is_named_with_what_to_install(checkout: Checkout) -> None:
    checkout.add_python("python3", "3.11", has_venv=False)
    with pytest.raises(Failed, match=r"Python 3\.11 is here, but .* apt-get install python3-venv"):
        bootstrap.find_python()


def test_an_older_python_with_venv_is_better_than_a_newer_one_without(checkout: Checkout) -> None:
    checkout.add_python("python3.13", "3.13", has_venv=False)
    usable = checkout.add_python("python3.11", "3.11")
    assert bootstrap.find_python() == str(usable)


def test_both_environments_are_made_once_and_then_left_alone(checkout: Checkout) -> None:
    checkout.add_python("python3", "3.12")
    bootstrap.prepare(bootstrap.environments("run"))
    assert checkout.asked() == ["pip app.lock stamps:0", "pip ministack.lock stamps:0", "venv", "venv"]
    checkout.forget_asked()
    bootstrap.prepare(bootstrap.environments("run"))
    assert checkout.asked() == []


def test_a_developers_environment_serves_for_running_too(checkout: Checkout) -> None:
    checkout.add_python("python3", "3.12")
    bootstrap.prepare(bootstrap.environments("test"))
    checkout.forget_asked()
    bootstrap.prepare(bootstrap.environments("run"))
    assert checkout.asked() == []


def test_an_environment_for_running_does_not_serve_for_testing(checkout: Checkout) -> None:
    checkout.add_python("python3", "3.12")
    bootstrap.prepare(bootstrap.environments("run"))
    checkout.forget_asked()
    bootstrap.prepare(bootstrap.environments("test"))
    assert [line.split()[1] for line in checkout.asked()] == ["dev.lock"]


def test_a_second_make_says_that_it_waits_for_the_first(checkout: Checkout) -> None:
    checkout.add_python("python3", "3.11")
    waiting = Event()
    second = Thread(target=bootstrap.prepare, args=([Environment(".venv", "dev.lock")],))

    def say(text: str) -> None:
        said.append(text)
        waiting.set()

    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bootstrap, "_say", say)
        with bootstrap._only_one_at_a_time():
            second.start()
            assert waiting.wait(30)
            assert (said, checkout.asked()) == (["Another make is installing; waiting until it is done …"], [])
        second.join()

    assert checkout.asked() == ["pip dev.lock stamps:0", "venv"]


def test_a_changed_lock_is_installed_into_the_environment_that_is_there(checkout: Checkout) -> None:
    checkout.add_python("python3", "3.12")
    bootstrap.prepare(bootstrap.environments("lint"))
    checkout.forget_asked()
    (checkout.root / "requirements" / "dev.lock").write_text("dev==2\n")
    bootstrap.prepare(bootstrap.environments("lint"))
    # The stamp is gone while pip works: were it interrupted now, nothing would be trusted.
    assert checkout.asked() == ["pip dev.lock stamps:0"]


def test_a_failed_download_says_so_and_leaves_nothing_that_is_trusted(
    checkout: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    checkout.add_python("python3", "3.12")
    checkout.go_offline()
    with pytest.raises(SystemExit) as ended:
        bootstrap.main(["lint"])
    # sys.exit with a sentence: printed to standard error, status 1.
    assert str(ended.value) == (
        "Installing dev.lock into .venv failed (is this machine online?):\n    ERROR: no route to the index"
    )
    assert not Environment(".venv", "dev.lock").is_ready()

    checkout.go_online()
    checkout.forget_asked()
    bootstrap.prepare(bootstrap.environments("lint"))
    assert checkout.asked() == ["pip dev.lock stamps:0", "venv"]


def test_one_failed_download_of_two_is_a_failure(checkout: Checkout) -> None:
    checkout.add_python("python3", "3.12")
    checkout.go_offline()
    with pytest.raises(
        Failed, match=r"app\.lock into \.venv failed[\s\S]*ministack|ministack[\s\S]*app\.lock into \.venv failed"
    ):
        bootstrap.prepare(bootstrap.environments("run"))


def test_an_environment_whose_python_is_gone_is_made_anew(checkout: Checkout) -> None:
    checkout.add_python("python3", "3.12")
    bootstrap.prepare(bootstrap.environments("lint"))
    checkout.forget_asked()
    (checkout.root / ".venv" / "bin" / "python").unlink()
    bootstrap.prepare(bootstrap.environments("lint"))
    assert checkout.asked() == ["pip dev.lock stamps:0", "venv"]


def test_an_environment_that_somebody_else_made_is_not_trusted(checkout: Checkout) -> None:
    python = checkout.add_python("python3", "3.12")
    (checkout.root / ".venv" / "bin").mkdir(parents=True)
    (checkout.root / ".venv" / "bin" / "python").symlink_to(python)
    bootstrap.prepare(bootstrap.environments("lint"))
    assert checkout.asked() == ["pip dev.lock stamps:0", "venv"]


def test_without_any_python_the_command_ends_with_a_sentence(checkout: Checkout) -> None:
    with pytest.raises(SystemExit) as ended:
        bootstrap.main(["run", "--port", "8000"])
    assert str(ended.value).startswith("This shop needs Python 3.11, 3.12 or 3.13. Install one")


class TestMake:
    """The real Makefile, with nothing but stand-in interpreters on the PATH."""

    @pytest.fixture
    def make(self, checkout: Checkout) -> Callable[[], subprocess.CompletedProcess[str]]:
        program = shutil.which("make", path=os.defpath)
        if program is None:
            pytest.skip("make is not installed")
        makefile = Path(__file__).resolve().parents[3] / "Makefile"
        return lambda: subprocess.run(
            [program, "--dry-run", "--file", str(makefile), "lint"],
            cwd=checkout.root,
            # `make test` is a make too, and one inside another speaks of directories.
            env={name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")},
            capture_output=True,
            text=True,
            check=False,
        )

    @pytest.mark.parametrize("name", ["python", "python3"])
    def test_a_python_that_cannot_read_the_set_up_is_a_sentence(
        self, checkout: Checkout, make: Callable[[], subprocess.CompletedProcess[str]], name: str
    ) -> None:
        checkout.add_ancient_python(name)

        done = make()

        assert done.returncode == 2
        assert done.stderr.endswith("*** This shop needs Python 3.11, 3.12 or 3.13: install one and try again.  Stop.\n")
        assert done.stdout == ""

    def test_an_ancient_one_is_passed_over(
        self, checkout: Checkout, make: Callable[[], subprocess.CompletedProcess[str]]
    ) -> None:
        checkout.add_ancient_python("python3")
        usable = checkout.add_python("python3.12", "3.12")

        assert make().stdout == f"exec {usable} shop/local/bootstrap.py lint\n"
