"""Declarations that a test may break: a copy of the example organisation."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from infra.spec import DeclarationError, Problem, load

STACKS = Path(__file__).parents[2] / "stacks"
Edit = Callable[[str, Callable[[Any], None]], list[Problem]]


@pytest.fixture
def stacks(tmp_path: Path) -> Path:
    folder = tmp_path / "stacks"
    shutil.copytree(STACKS, folder)
    return folder


def problems(folder: Path) -> list[Problem]:
    try:
        load(folder)
    except DeclarationError as error:
        return list(error.problems)
    return []


@pytest.fixture
def broken(stacks: Path) -> Edit:
    """Change one file's data and return what is wrong with the declarations then."""

    def edit(file: str, change: Callable[[Any], None]) -> list[Problem]:
        yaml = YAML()
        path = stacks / file
        data = yaml.load(path)
        change(data)
        yaml.dump(data, path)
        return problems(stacks)

    return edit
