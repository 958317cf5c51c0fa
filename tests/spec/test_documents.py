"""Files that aren't declarations at all: a message with the place, never a traceback."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.spec.document import read
from infra.spec.model import Model
from infra.spec.parse import parse
from infra.spec.problems import DeclarationError

FILES: dict[str, tuple[bytes, int, str]] = {
    "empty": (b"", 1, "expected a mapping"),
    "a list": (b"- a\n- b\n", 1, "expected a mapping"),
    "a word": (b"hello", 1, "expected a mapping"),
    "not UTF-8": (b"model: \xff\xfe", 1, "is not UTF-8: byte 7 is 0xff"),
    "not YAML": (b"model: a\nstage: [", 2, "is not YAML"),
    "tabs": (b"model:\n\tstage: pilot\n", 2, "is not YAML"),
    "two documents": (b"a: 1\n---\nb: 2\n", 2, "is not YAML"),
    "a key twice": (b"model: a\nstage: pilot\nmodel: b\n", 3, "is there twice"),
    "an alias": (b"a: &x {b: 1}\nc: *x\n", 1, "not an alias"),
    "a bomb": (b"a: &a [1,1]\nb: &b [*a,*a]\nc: &c [*b,*b]\n", 1, "not an alias"),
    "a tag": (b"a: !!python/object/apply:os.system [ls]\n", 1, "not one with the tag"),
    "a binary": (b"a: !!binary aGk=\n", 1, "not one with the tag"),
    "a number as key": (b"1: a\n", 1, "expected a name as key"),
    "a list as key": (b"? [a]\n: b\n", 1, "expected a name as key"),
    "a wrong date": (b"a: 2026-13-45\n", 1, "is not YAML"),
}


@pytest.mark.parametrize("what", FILES)
def test_a_file_that_is_no_declaration(what: str, tmp_path: Path) -> None:
    content, line, says = FILES[what]
    file = tmp_path / "model.yaml"
    file.write_bytes(content)
    with pytest.raises(DeclarationError) as caught:
        read(file)
    problem = caught.value.problems[0]
    assert (problem.file, problem.line) == (file, line)
    assert says in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match="can't be read: No such file"):
        read(tmp_path / "model.yaml")
    with pytest.raises(DeclarationError, match="can't be read: Is a directory"):
        read(tmp_path)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.dictionaries(st.sampled_from([*Model.model_fields, "x"]), values, max_size=8))
def test_no_data_raises_anything_else(tmp_path: Path, data: dict[str, object]) -> None:
    import yaml

    file = tmp_path / "model.yaml"
    file.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    with pytest.raises(DeclarationError) as caught:
        parse(Model, read(file))
    assert all(problem.line >= 1 for problem in caught.value.problems)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=60))
def test_no_bytes_raise_anything_else(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "model.yaml"
    file.write_bytes(content)
    try:
        document = read(file)
    except DeclarationError:
        return
    with pytest.raises(DeclarationError):
        parse(Model, document)
