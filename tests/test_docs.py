"""The documents say what is so."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md"))


def test_every_setting_of_the_environment_is_in_the_readme_and_no_other() -> None:
    read = set(re.findall(r'env\.\w+\(\s*"(\w+)"', (ROOT / "shop/settings.py").read_text()))
    readme = (ROOT / "README.md").read_text().split("## Settings")[1]
    told = {name for row in re.findall(r"^\| (`[^|]+) \|", readme, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}

    assert told == read


def test_files_and_folders_named_in_the_documents_exist() -> None:
    missing = []
    for document in DOCUMENTS:
        for name in re.findall(r"`([\w./-]+/[\w./-]*)`", document.read_text()):
            if name.startswith(("/", "requirements/*")) or ("." not in name.rsplit("/", 1)[-1] and not name.endswith("/")):
                continue
            if not (ROOT / name).exists() and not name.startswith(".shop-data"):
                missing.append((document.name, name))

    assert missing == []


def test_names_in_the_documents_stand_in_the_file_they_are_said_to_stand_in() -> None:
    told = [
        (document.name, file, name)
        for document in DOCUMENTS
        for file, name in re.findall(r"`([\w/]+\.py)` `(\w+)`", document.read_text())
        if not re.search(rf"^(?:(?:async )?def |class )?{name}\b", (ROOT / file).read_text(), re.MULTILINE)
    ]

    assert told == []


def test_commands_in_the_documents_exist() -> None:
    targets = set(re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    commands = {path.stem for path in (ROOT / "shop/management/commands").glob("*.py")} | {"runserver"}
    text = "\n".join(document.read_text() for document in DOCUMENTS)

    assert set(re.findall(r"(?:`|^ +)(?:\w+=\S+ )*make ([a-z][a-z-]*)", text, re.MULTILINE)) <= targets
    assert set(re.findall(r"manage(?:\.py| … --) ([a-z]+)", text)) <= commands


def test_the_questions_of_newcomers_lead_to_decisions_that_exist() -> None:
    decisions = (ROOT / "docs/decisions.md").read_text()
    named = [
        name for row in re.findall(r"^\| Why.* \| (.+) \|$", decisions, re.MULTILINE) for name in re.findall(r'"([^"]+)"', row)
    ]

    assert len(named) > 9
    assert [name for name in named if f"\n**{name}" not in decisions] == []
