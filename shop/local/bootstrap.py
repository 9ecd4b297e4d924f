"""What `make` calls: finds a Python, makes the virtual environments it lacks, and goes on to the real work.

Standard library only, and readable by every Python 3.7 or later, because it is run by whatever `python3` happens to be there.

A virtual environment counts only when its stamp says that the whole of its lock file was installed into it. The stamp is
removed before anything is changed and written after everything has worked, so an interrupted installation is never trusted.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SUPPORTED = ((3, 13), (3, 12), (3, 11))
_STAMP = "installed.json"
_NEED_PYTHON = (
    "This shop needs Python 3.11, 3.12 or 3.13. Install one (Debian and Ubuntu: apt-get install python3 python3-venv; "
    "macOS: brew install python@3.13) and try again."
)
_NEED_VENV = (
    "Python {version} is here, but it cannot make virtual environments. "
    "Install its venv module (Debian and Ubuntu: apt-get install python3-venv) and try again."
)
_VERSION_QUESTION = "import sys; print('%d.%d' % sys.version_info[:2])"
_VENV_QUESTION = "import ensurepip, venv"
_SHOWN_LINES = 12


class Failed(Exception):
    """The set-up cannot go on; the message is the sentence to print."""


class Environment:
    """A virtual environment and the lock files that satisfy it, the one to install first."""

    def __init__(self, folder: str, *locks: str) -> None:
        self.folder = ROOT / folder
        self.locks = [ROOT / "requirements" / lock for lock in locks]

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def stamp(self) -> Path:
        """The file that says what was installed."""
        return self.folder / _STAMP

    def is_ready(self) -> bool:
        """Whether one of the locks is installed whole and the interpreter still works."""
        try:
            stamped = json.loads(self.stamp.read_text())
        except (OSError, ValueError):
            return False
        fingerprints = [fingerprint(lock, stamped.get("python", "")) for lock in self.locks]
        return stamped.get("fingerprint") in fingerprints and python_version(str(self.python)) == stamped["python"]

    def install(self, python: str) -> None:
        """Make it anew, or bring it up to date when only the lock has changed. Raises Failed."""
        version = python_version(python)
        kept = self.stamp.exists() and python_version(str(self.python)) is not None
        with contextlib.suppress(FileNotFoundError):
            self.stamp.unlink()
        try:
            if kept:
                version = python_version(str(self.python))
            else:
                if self.folder.exists():
                    shutil.rmtree(str(self.folder))
                _run([python, "-m", "venv", str(self.folder)], f"Python {version} could not make {self.folder.name}")
            pip = [str(self.python), "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
            _run(
                [*pip, "--require-hashes", "--requirement", str(self.locks[0])],
                f"Installing {self.locks[0].name} into {self.folder.name} failed (is this machine online?)",
            )
        except OSError as error:
            raise Failed(f"{self.folder.name} could not be written: {error}") from error
        content = {"python": version, "fingerprint": fingerprint(self.locks[0], version or "")}
        self.stamp.write_text(json.dumps(content))


def environments(command: str) -> list[Environment]:
    """What a command needs."""
    # A developer's environment holds everything the shop's does, so it serves for running too.
    app = Environment(".venv", "app.lock", "dev.lock")
    dev = Environment(".venv", "dev.lock")
    cloud = Environment(".cloud-venv", "ministack.lock")
    needed = {"run": [app, cloud], "lint": [dev], "template": [app]}
    return needed.get(command, [dev, cloud])


def main(arguments: list[str]) -> None:
    """Do one of make's commands; does not return when all is well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["run", "test", "bench", "prove", "audit", "lint", "lock", "template", "infra"])
    command = parser.parse_args(arguments[:1]).command
    rest = arguments[1:]
    try:
        if command == "lock":
            compile_locks()
            return
        needed = environments(command)
        prepare(needed)
    except Failed as failure:
        sys.exit(str(failure))
    except KeyboardInterrupt:
        sys.exit("Stopped. What was half installed is not used; the next start begins anew.")
    python = str(needed[0].python)
    if command == "lint":
        sys.exit(lint(python))
    if command == "infra":
        os.chdir(str(ROOT))
        os.execve(python, [python, f"infra/{rest[0]}", *rest[1:]], {**os.environ, "PYTHONPATH": str(ROOT)})
    if command == "template":
        environment = {**os.environ, "SHOP_LOCAL": "true"}
        sys.exit(subprocess.run([python, "infra/tables.py"], check=False, cwd=str(ROOT), env=environment).returncode)
    # Two processes share the tests, file by file: what a file sets up once (a running shop, say) is set up once.
    module = {
        "run": ["shop.local"],
        "test": ["pytest", "-n", "2", "--dist", "loadfile"],
        "bench": ["shop.local.bench"],
        "prove": ["shop.local.prove"],
        "audit": ["shop.local.audit"],
    }[command]
    os.chdir(str(ROOT))
    # Replacing this process lets Ctrl-C and the exit status pass straight through.
    os.execv(python, [python, "-m", *module, *rest])


def prepare(needed: list[Environment]) -> None:
    """Install what is missing, side by side. Raises Failed."""
    if all(environment.is_ready() for environment in needed):
        return
    # Two shops started at once must not install into one folder: the second waits, and finds it done.
    with _only_one_at_a_time():
        missing = [environment for environment in needed if not environment.is_ready()]
        if not missing:
            return
        python = find_python()
        names = " and ".join(environment.folder.name for environment in missing)
        _say(f"Installing {names} with Python {python_version(python)} (once; a minute or so, more on a slow connection) …")
        started_at = time.monotonic()
        _install_all(missing, python)
        _say(f"Installed in {time.monotonic() - started_at:.0f} s.")


def _install_all(missing: list[Environment], python: str) -> None:
    failures: list[Failed] = []

    def install(environment: Environment) -> None:
        try:
            environment.install(python)
        except Failed as failure:
            failures.append(failure)

    threads = [threading.Thread(target=install, args=(environment,), daemon=True) for environment in missing]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise Failed("\n".join(str(failure) for failure in failures))


@contextlib.contextmanager
def _only_one_at_a_time() -> Iterator[None]:
    descriptor = os.open(str(ROOT / "requirements"), os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("Another make is installing; waiting until it is done …")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def find_python() -> str:
    """The newest supported Python that can make virtual environments. Raises Failed."""
    without_venv = ""
    wanted = [f"{major}.{minor}" for major, minor in SUPPORTED]
    found = {}
    for name in [*(f"python{version}" for version in wanted), "python3", "python", sys.executable]:
        path = shutil.which(name)
        version = python_version(path) if path else None
        if path and version in wanted and version not in found:
            found[version] = path
    for version in wanted:
        if version not in found:
            continue
        if subprocess.run([found[version], "-c", _VENV_QUESTION], check=False, capture_output=True).returncode == 0:
            return found[version]
        without_venv = without_venv or version
    raise Failed(_NEED_VENV.format(version=without_venv) if without_venv else _NEED_PYTHON)


def python_version(python: str) -> str | None:
    """Its version as `3.12`, or None when it does not run: version managers leave stand-ins that only complain."""
    try:
        asked = subprocess.run([python, "-c", _VERSION_QUESTION], check=False, capture_output=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return asked.stdout.decode().strip() if asked.returncode == 0 else None


def fingerprint(lock: Path, version: str) -> str:
    """What an environment was made from."""
    return hashlib.sha256(lock.read_bytes() + version.encode()).hexdigest()


def lint(python: str) -> int:
    """Every static check, all of them even when one fails; the worst exit status."""
    tool = str(Path(python).parent)
    checks = [
        [f"{tool}/ruff", "check", "."],
        [f"{tool}/ruff", "format", "--check", "."],
        [f"{tool}/mypy", "--strict"],
        [f"{tool}/lint-imports"],
    ]
    # mypy's Django plugin loads the settings, which refuse to guess where they are.
    environment = {**os.environ, "SHOP_LOCAL": "true"}
    worst = 0
    for check in checks:
        _say("lint: " + " ".join([Path(check[0]).name, *check[1:]]))
        worst = max(worst, abs(subprocess.run(check, check=False, cwd=str(ROOT), env=environment).returncode))
    return worst


def compile_locks() -> None:
    """Write requirements/*.lock anew from pyproject.toml and ministack.in. Raises Failed."""
    uv = shutil.which("uv") or shutil.which("uv", path=str(ROOT / ".venv" / "bin"))
    if not uv:
        raise Failed("Locking needs uv: install it (pip install uv, or brew install uv) and try again.")
    locks = [
        ["pyproject.toml", "--output-file", "requirements/app.lock"],
        [
            "pyproject.toml",
            "--group",
            "dev",
            "--constraint",
            "requirements/app.lock",
            "--output-file",
            "requirements/dev.lock",
        ],
        ["requirements/ministack.in", "--output-file", "requirements/ministack.lock"],
    ]
    options = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--quiet", "--upgrade"]
    for lock in locks:
        _say(f"Locking {lock[-1]} …")
        _run([uv, "pip", "compile", *options, *lock], f"{lock[-1]} could not be compiled")


def _run(command: list[str], what_failed: str) -> None:
    done = subprocess.run(command, check=False, cwd=str(ROOT), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        lines = done.stdout.decode(errors="replace").strip().splitlines()[-_SHOWN_LINES:]
        raise Failed(f"{what_failed}:" + "".join(f"\n    {line}" for line in lines))


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
