"""`make deploy` and `make destroy`: build, push, change set, static files, smoke test. docs/operations.md tells the whole way.

python infra/deploy.py deploy --environment prod --region eu-west-1 EmailFrom=shop@example.com AlarmEmail=ops@example.com
python infra/deploy.py deploy --environment prod --image …@sha256:…     an earlier image: a rollback
python infra/deploy.py manage --environment prod -- reindex             a management command against the stack
"""

import argparse
import base64
import contextlib
import mimetypes
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from infra import image
from infra.stack import ABSENT, SECRETS, Failed, Stack

ROOT = Path(__file__).resolve().parents[1]
REPOSITORY = "shop"
_HASHED = "public, max-age=31536000, immutable"
_UNHASHED = "public, max-age=3600"
_SMOKE_PATHS = ("/healthz", "/", "/products/", "/cart/", "/sitemap.xml")
_KEPT_FROM_BEFORE = ("ImageUri", "SecretsName", "SecretsVersion", "Environment")
_OK = 200


def main(arguments: Sequence[str]) -> None:
    """Do one command; ends the process with a sentence when it cannot."""
    args = _parser().parse_args(arguments)
    stack = Stack(args.environment, args.region)
    try:
        if args.command == "deploy":
            deploy(stack, _pairs(args.parameters), image_uri=args.image, dry_run=args.dry_run)
            if args.admin and not args.dry_run:
                make_admin(stack, *args.admin)
        elif args.command == "destroy":
            destroy(stack, confirmed=args.confirm)
        elif args.command == "manage":
            sys.exit(manage(stack, args.parameters))
        else:
            _tell(stack)
    except (Failed, image.Failed, ClientError, BotoCoreError) as failure:
        sys.exit(str(failure))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["deploy", "destroy", "manage", "outputs"])
    parser.add_argument("--environment", default="prod")
    parser.add_argument("--region", default=os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1")
    parser.add_argument("--image", default="", help="an image that is there already, by digest")
    parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
    parser.add_argument(
        "--admin", nargs=3, metavar=("EMAIL", "FIRST", "LAST"), help="make the first admin; the password is asked for"
    )
    parser.add_argument("--confirm", default="", help="with destroy: the stack's name")
    parser.add_argument("parameters", nargs="*", metavar="Name=value", help="the template's parameters; they are remembered")
    return parser


def deploy(stack: Stack, given: Mapping[str, str], *, image_uri: str = "", dry_run: bool = False) -> None:
    """Bring the stack to this checkout, or to this image. Raises Failed."""
    is_new = stack.status() in (*ABSENT, "ROLLBACK_COMPLETE")
    before = {} if is_new else stack.parameters()
    parameters = {**{name: value for name, value in before.items() if name not in _KEPT_FROM_BEFORE}, **given}
    if not parameters.get("EmailFrom"):
        raise Failed("The first deployment needs the sender's address: EmailFrom=shop@example.com")
    if dry_run:
        version = before.get("SecretsVersion", "none-yet")
        image_uri = image_uri or before.get("ImageUri", f"{REPOSITORY}@sha256:{'0' * 64}")
    else:
        version = stack.keep_secret({name: os.environ[name] for name in SECRETS if os.environ.get(name)})
        image_uri = image_uri or push(stack)
    parameters |= {"Environment": stack.environment, "SecretsName": stack.secret_name}
    parameters |= {"SecretsVersion": version, "ImageUri": image_uri}
    if not (is_new or dry_run):
        # Before the functions ask for them by their new names; the old ones stay for pages that are open.
        upload_static(stack)
    change_set, changes = stack.propose(parameters)
    for change in changes:
        print(f"  {change['Action']:7} {change['LogicalResourceId']} ({change['ResourceType']})")
    if dry_run or not changes:
        stack.drop(change_set)
        print("Nothing was changed." if dry_run else "The stack is as it should be.")
        return
    stack.apply(change_set)
    if is_new:
        upload_static(stack)
    smoke_test(stack.outputs()["SiteUrl"])
    _tell(stack)


def push(stack: Stack) -> str:
    """Build the image and put it into the account's registry; its address by digest. Raises Failed."""
    registry = stack.client("ecr")
    with contextlib.suppress(registry.exceptions.RepositoryAlreadyExistsException):
        registry.create_repository(
            repositoryName=REPOSITORY,
            imageTagMutability="IMMUTABLE",
            imageScanningConfiguration={"scanOnPush": True},
        )
    address = registry.describe_repositories(repositoryNames=[REPOSITORY])["repositories"][0]["repositoryUri"]
    tag = f"{stack.environment}-{time.strftime('%Y%m%d%H%M%S')}"
    image.build(tag=f"{address}:{tag}")
    token = registry.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    user, _, password = base64.b64decode(token).decode().partition(":")
    image.push(f"{address}:{tag}", registry=address.partition("/")[0], user=user, password=password)
    found = registry.describe_images(repositoryName=REPOSITORY, imageIds=[{"imageTag": tag}])
    return f"{address}@{found['imageDetails'][0]['imageDigest']}"


def upload_static(stack: Stack) -> int:
    """Put the static files of this checkout beside those of earlier ones; how many."""
    s3, bucket = stack.client("s3"), stack.outputs()["StaticBucketName"]
    with tempfile.TemporaryDirectory() as folder:
        collected = collect(Path(folder))
        files = [file for file in sorted(collected.rglob("*")) if file.is_file() and not _is_packed(file)]
        for file in files:
            content_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            s3.put_object(
                Bucket=bucket,
                Key=f"static/{file.relative_to(collected).as_posix()}",
                Body=file.read_bytes(),
                ContentType=content_type,
                CacheControl=_HASHED if _has_hash(file) else _UNHASHED,
            )
    return len(files)


def collect(folder: Path) -> Path:
    """The static files under their final names, in a folder below this one. Raises Failed."""
    for name in ("accounts", "cart", "catalog", "manage.py", "orders", "shop", "static", "templates"):
        (folder / name).symlink_to(ROOT / name)
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    command = [sys.executable, str(ROOT / "infra" / "collect_static.py"), str(folder), str(folder / "staticfiles")]
    if subprocess.run(command, check=False, env=environment).returncode:
        raise Failed("The static files could not be collected.")
    return folder / "staticfiles"


def _is_packed(file: Path) -> bool:
    # CloudFront packs by itself.
    return file.suffix in (".gz", ".br")


def _has_hash(file: Path) -> bool:
    # As Django's ManifestStaticFilesStorage names them: "shop.0123456789ab.css".
    return re.search(r"\.[0-9a-f]{12}\.[^.]+$", file.name) is not None


def smoke_test(site: str) -> None:
    """Ask for some pages as anybody would. Raises Failed."""
    for path in _SMOKE_PATHS:
        try:
            with urllib.request.urlopen(site + path, timeout=30) as answer:  # noqa: S310 - our own https address
                status = answer.status
        except OSError as error:
            raise Failed(f"{site}{path} does not answer: {error}. The stack stays as it is; --image goes back.") from error
        if status != _OK:
            raise Failed(f"{site}{path} answered {status}. The stack stays as it is; --image goes back.")
        print(f"  {status} {site}{path}")


def destroy(stack: Stack, *, confirmed: str) -> None:
    """End the stack, but not its tables, photographs, people and secret. Raises Failed."""
    if confirmed != stack.name:
        raise Failed(f"This ends the shop {stack.name}. If that is meant: --confirm {stack.name}")
    stack.delete()
    print(f"{stack.name} is gone. What stayed, and how to end that too: docs/operations.md.")


def make_admin(stack: Stack, email: str, first_name: str, last_name: str) -> None:
    """Make somebody an admin, whether they have an account or not. Raises Failed."""
    names = ["--first-name", first_name, "--last-name", last_name]
    if manage(stack, ["createstaff", email, "--role", "admin", *names]):
        raise Failed(f"The stack is there, but {email} is no admin yet: the line above says why. The same command tries again.")


def manage(stack: Stack, command: Sequence[str]) -> int:
    """Run a management command with the web function's settings and the caller's own rights; its exit status."""
    functions = stack.client("lambda")
    name = stack.outputs()["WebFunctionName"]
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    # Nothing of this machine's own settings may mix in.
    ours = {key: value for key, value in os.environ.items() if key.startswith("AWS_") or key in ("PATH", "HOME", "LANG", "TERM")}
    environment = {**ours, **{key: value for key, value in variables.items() if value}, "AWS_REGION": stack.region}
    return subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, check=False, env=environment).returncode


def _tell(stack: Stack) -> None:
    for name, value in sorted(stack.outputs().items()):
        print(f"  {name:24} {value}")
    print(f"  {'ImageUri':24} {stack.parameters()['ImageUri']}")


def _pairs(words: Sequence[str]) -> dict[str, str]:
    wrong = [word for word in words if "=" not in word]
    if wrong:
        raise Failed(f"{wrong[0]} is not of the form Name=value.")
    return dict(word.split("=", 1) for word in words)


if __name__ == "__main__":
    main(sys.argv[1:])
