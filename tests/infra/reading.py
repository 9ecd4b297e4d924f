"""The template as CloudFormation sees it: short forms written out, Fn::ForEach expanded."""

import json
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "infra" / "template.yaml"


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's tags."""


def _tag(loader: _Loader, suffix: str, node: yaml.Node) -> Any:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        return {name: value.split(".", 1) if suffix == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _tag)
# A version is a text, whatever YAML makes of 2012-10-17.
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def template() -> dict[str, Any]:
    """The whole template, expanded."""
    loaded: dict[str, Any] = yaml.load(TEMPLATE.read_text(), Loader=_Loader)  # noqa: S506 - a SafeLoader with tags
    resources: dict[str, Any] = {}
    for name, resource in loaded["Resources"].items():
        if not name.startswith("Fn::ForEach::"):
            resources[name] = resource
            continue
        variable, values, body = resource
        for value in values:
            resources |= json.loads(
                json.dumps(body).replace(f"${{{variable}}}", value).replace(f'{{"Ref": "{variable}"}}', f'"{value}"')
            )
    return loaded | {"Resources": resources}


def of_type(kind: str, resources: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The properties of all resources of a type, by name."""
    return {name: resource.get("Properties", {}) for name, resource in resources.items() if resource["Type"] == kind}
