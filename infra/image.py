"""The container image: `make image` builds it, `make image-test` builds it on a stand-in base and buys something through it.

Docker is used where its daemon answers, buildah otherwise (Debian: apt-get install buildah; for the test debootstrap too).
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STORE = ROOT / ".image"
TAG = "localhost/shop:latest"
_STANDIN = "localhost/shop-standin:latest"
_MIRROR = "http://deb.debian.org/debian"
_LARGEST_MB = 250
_NOT_IN_IMAGE = ("tests", "docs", "infra", "shop/local", "static", ".git", "requirements", "moto", "pytest", "awslambdaric")


class Failed(Exception):
    """The image cannot be built or is not what it should be; the message says why."""


def main(arguments: list[str]) -> None:
    """Build or test the image."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["build", "test"])
    parser.add_argument("--base", default="", help="another base image than AWS's")
    parser.add_argument("--tag", default=TAG)
    args = parser.parse_args(arguments)
    try:
        if args.command == "build":
            build(tag=args.tag, base=args.base)
        else:
            try_out(base=args.base)
    except Failed as failure:
        sys.exit(str(failure))


def build(*, tag: str, base: str = "") -> None:
    """Build the image under this tag. Raises Failed."""
    given = ["--build-arg", f"BASE={base}"] if base else []
    if has_docker():
        _run(["docker", "build", "--platform", "linux/amd64", "--provenance=false", *given, "-t", tag, "."])
        return
    _buildah("bud", "--isolation", "chroot", *_certificates(), *given, "-t", tag, "-f", "Dockerfile", ".")


def push(tag: str, *, registry: str, user: str, password: str) -> None:
    """Put the image into a registry. Raises Failed."""
    tool = ["docker"] if has_docker() else _prefix()
    login = subprocess.run(
        [*tool, "login", "--username", user, "--password-stdin", registry], check=False, input=password, text=True
    )
    if login.returncode:
        raise Failed(f"{registry} did not let us in.")
    _run([*tool, "push", tag])


def has_docker() -> bool:
    """Whether there is a Docker that works."""
    if not shutil.which("docker"):
        return False
    return subprocess.run(["docker", "info"], check=False, capture_output=True).returncode == 0


def try_out(*, base: str) -> None:
    """Build on a stand-in base, look inside, and run the stack's tests in it. Says why when it cannot. Raises Failed."""
    missing = [tool for tool in ("buildah", *(() if base else ("debootstrap",))) if not shutil.which(tool)]
    if missing or os.geteuid() != 0:
        needed = " and ".join(missing) or "root"
        print(f"image-test skipped: it needs {needed} (Debian: apt-get install buildah debootstrap crun).")
        return
    if not base:
        _standin()
    build_with_buildah(base or _STANDIN)
    container = _buildah("from", "--pull-never", TAG, quiet=True)
    try:
        _look_inside(Path(_buildah("mount", container, quiet=True)))
        run = f"{' '.join(_prefix())} run --isolation chroot --network host {container} -- python3 -m awslambdaric"
        command = [sys.executable, "-m", "pytest", "-q", "tests/infra/test_stack.py"]
        done = subprocess.run(command, cwd=ROOT, check=False, env={**os.environ, "SHOP_IMAGE_RUN": run})
        if done.returncode:
            raise Failed("The stack does not work with the image's functions.")
    finally:
        _buildah("rm", container, quiet=True)


def build_with_buildah(base: str) -> None:
    """The image as it is tested. Raises Failed."""
    _buildah(
        *("bud", "--isolation", "chroot", "--pull-never", *_certificates(), "--build-arg", f"BASE={base}"),
        *("-t", TAG, "-f", "Dockerfile", "."),
    )


def _standin() -> None:
    """A base with Lambda's client where AWS's cannot be fetched: made once, kept in .image/."""
    if _STANDIN in _buildah("images", "--format", "{{.Name}}:{{.Tag}}", quiet=True):
        return
    context = STORE / "standin"
    if not (context / "rootfs" / "usr" / "bin" / "python3").exists():
        context.mkdir(parents=True, exist_ok=True)
        include = "--include=python3,python3-pip,ca-certificates"
        _run(["debootstrap", "--variant=minbase", include, "bookworm", str(context / "rootfs"), _MIRROR])
    _buildah(
        *("bud", "--isolation", "chroot", "--pull-never", *_certificates(), "-t", _STANDIN),
        *("-f", "infra/standin.Dockerfile", str(context)),
    )


def _look_inside(root: Path) -> None:
    task = root / "var" / "task"
    there = [name for name in _NOT_IN_IMAGE if (task / name).exists()]
    there += [name for name in ("gcc", "cc", "g++", "make") if (root / "usr" / "bin" / name).exists()]
    if there:
        raise Failed(f"The image holds what it should not: {', '.join(there)}.")
    if not (task / "staticfiles" / "staticfiles.json").exists():
        raise Failed("The image has no static files.")
    used = sum(file.lstat().st_blocks * 512 for file in task.rglob("*")) / 1_000_000
    print(f"The image adds {used:.0f} MB to its base.")
    if used > _LARGEST_MB:
        raise Failed(f"That is more than {_LARGEST_MB} MB.")


def _certificates() -> list[str]:
    """Hands the build this machine's certificates where its network needs them."""
    bundle = os.environ.get("PIP_CERT", "")
    if not bundle:
        return []
    return ["--volume", f"{bundle}:/run/pip-ca.crt:ro", "--build-arg", "PIP_CERT=/run/pip-ca.crt"]


def _prefix() -> list[str]:
    return ["buildah", "--root", f"{STORE}/root", "--runroot", f"{STORE}/run", "--storage-driver", "vfs"]


def _buildah(*command: str, quiet: bool = False) -> str:
    if not shutil.which("buildah"):
        raise Failed("Neither a running Docker nor buildah is here; install one of them.")
    return _run([*_prefix(), *command], quiet=quiet)


def _run(command: list[str], *, quiet: bool = False) -> str:
    done = subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.PIPE if quiet else None, text=True)
    if done.returncode:
        raise Failed(f"{' '.join(command[:1])} failed.")
    return (done.stdout or "").strip()


if __name__ == "__main__":
    main(sys.argv[1:])
