"""CloudFormation's intrinsic functions, as far as the local run needs them.

Source: AWS CloudFormation User Guide, "Intrinsic function reference" and "Condition functions".
"""

import re
from collections.abc import Mapping
from typing import Any

import yaml

NO_VALUE = object()
PSEUDO: dict[str, Any] = {
    "AWS::AccountId": "123456789012",
    "AWS::NoValue": NO_VALUE,
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::StackName": "bridge-local",
    "AWS::URLSuffix": "amazonaws.com",
}


class Loader(yaml.SafeLoader):
    """Loads YAML. A short intrinsic (`!Ref X`) becomes a long one (`{"Ref": "X"}`)."""


def _long_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        text = str(loader.construct_scalar(node))
        return {name: text.split(".", 1) if suffix == "GetAtt" else text}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


Loader.add_multi_constructor("!", _long_form)


class Resolver:
    """Replaces intrinsics by their values.

    `names` has the values for Ref of a resource. Ref of any other resource is its logical id.
    """

    def __init__(
        self, document: dict[str, Any], parameters: Mapping[str, str], names: Mapping[str, str]
    ) -> None:
        self._conditions: dict[str, Any] = document.get("Conditions", {})
        self._maps: dict[str, Any] = document.get("Mappings", {})
        self._values: dict[str, Any] = dict(PSEUDO)
        for name, declared in document.get("Parameters", {}).items():
            value = parameters.get(name, declared.get("Default", ""))
            listed = declared.get("Type") == "CommaDelimitedList"
            self._values[name] = split_list(value) if listed else value
        self._values |= names

    def holds(self, condition: str | None) -> bool:
        """Whether a condition of the template is true. None is always true."""
        return condition is None or bool(self.resolve(self._conditions[condition]))

    def resolve(self, node: Any) -> Any:
        """The node with all its intrinsics replaced. Raises ValueError for an unknown one."""
        if isinstance(node, list):
            values = [self.resolve(each) for each in node]
            return [value for value in values if value is not NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            name, argument = next(iter(node.items()))
            if name in ("Ref", "Condition") or name.startswith("Fn::"):
                return self._intrinsic(name.removeprefix("Fn::"), argument)
        pairs = {key: self.resolve(value) for key, value in node.items()}
        return {key: value for key, value in pairs.items() if value is not NO_VALUE}

    def _intrinsic(self, name: str, argument: Any) -> Any:
        match name:
            case "Ref":
                return self._values.get(argument, argument)
            case "Condition":
                return self.holds(argument)
            case "GetAtt":
                return ".".join(argument)
            case "If":
                chosen = argument[1] if self.holds(argument[0]) else argument[2]
                return self.resolve(chosen)
            case "Sub":
                return self._substitute(argument)
        values = self.resolve(argument)
        match name:
            case "Equals":
                return str(values[0]) == str(values[1])
            case "Not":
                return not values[0]
            case "And":
                return all(values)
            case "Or":
                return any(values)
            case "Join":
                return values[0].join(str(each) for each in values[1])
            case "Split":
                return values[1].split(values[0])
            case "Select":
                return values[1][int(values[0])]
            case "FindInMap":
                return self._maps[values[0]][values[1]][values[2]]
        raise ValueError(f"the local run does not know Fn::{name}")

    def _substitute(self, argument: Any) -> str:
        text, own = argument if isinstance(argument, list) else (argument, {})
        values = self._values | self.resolve(own)

        def value(match: re.Match[str]) -> str:
            name = match[1]
            return "${" + name[1:] + "}" if name[0] == "!" else str(values.get(name, name))

        return re.sub(r"\$\{([^}]+)\}", value, text)


def split_list(value: Any) -> list[str]:
    """The entries of a CommaDelimitedList, without the spaces around them."""
    return [part.strip() for part in str(value).split(",") if part.strip()]
