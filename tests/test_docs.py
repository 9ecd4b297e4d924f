"""The documents say what is so."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_every_setting_of_the_environment_is_in_the_readme_and_no_other() -> None:
    read = set(re.findall(r'env\.\w+\(\s*"(\w+)"', (ROOT / "shop/settings.py").read_text()))
    readme = (ROOT / "README.md").read_text().split("## Settings")[1]
    told = {name for row in re.findall(r"^\| (`[^|]+) \|", readme, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}

    assert told == read


def test_files_and_folders_named_in_the_documents_exist() -> None:
    missing = []
    for document in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        for name in re.findall(r"`([\w./-]+/[\w./-]*)`", document.read_text()):
            if name.startswith(("/", "requirements/*")) or ("." not in name.rsplit("/", 1)[-1] and not name.endswith("/")):
                continue
            if not (ROOT / name).exists() and not name.startswith(".shop-data"):
                missing.append((document.name, name))

    assert missing == []
