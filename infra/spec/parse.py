"""From a document to a frozen object, with pydantic's errors said the way the rest of the product says them."""

import json
import types
from collections.abc import Iterator
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from infra.spec.base import Declared
from infra.spec.document import Document, FieldPath
from infra.spec.problems import DeclarationError, Problem

D = TypeVar("D", bound=Declared)


def parse(kind: type[D], document: Document) -> D:
    """Raises DeclarationError with every problem of the file at once."""
    try:
        declared = kind.model_validate(document.data)
    except ValidationError as error:
        raise DeclarationError(_problems(kind, document, error)) from None
    declared._file = document.file
    return declared


def _problems(kind: type[BaseModel], document: Document, error: ValidationError) -> Iterator[Problem]:
    for detail in error.errors(include_url=False):
        path: FieldPath = tuple(part for part in detail["loc"] if part != "[key]")
        field = _field(kind, path)
        example = _example(field)
        match detail["type"]:
            case "missing":
                yield document.problem(path, f"is missing: {_description(field)}", example)
            case "extra_forbidden":
                known = ", ".join(_siblings(kind, path))
                yield document.problem(path, f"unknown field; expected one of {known}")
            case "value_error":
                yield document.problem(path, str(detail["ctx"]["error"]), example)
            case _:
                message = detail["msg"][0].lower() + detail["msg"][1:]
                found = json.dumps(detail["input"], default=str, ensure_ascii=False)
                found = found if len(found) <= 60 else found[:57] + "..."
                yield document.problem(path, f"{message}; found {found}", example)


def _description(field: FieldInfo | None) -> str:
    return (field.description or "").rstrip(".") if field else ""


def _example(field: FieldInfo | None) -> str:
    return json.dumps(field.examples[0], ensure_ascii=False) if field and field.examples else ""


def _siblings(kind: type[BaseModel], path: FieldPath) -> list[str]:
    model = _model_at(kind, path[:-1])
    return list(model.model_fields) if model else []


def _field(kind: type[BaseModel], path: FieldPath) -> FieldInfo | None:
    """The innermost declared field of a path: a list's or mapping's items are described by the list or mapping."""
    model: type[BaseModel] | None = kind
    found = None
    for part in path:
        if model is None or part not in model.model_fields:
            continue
        found = model.model_fields[str(part)]
        model = _inner_model(found.annotation)
    return found


def _model_at(kind: type[BaseModel], path: FieldPath) -> type[BaseModel] | None:
    model: type[BaseModel] | None = kind
    for part in path:
        if model is not None and part in model.model_fields:
            model = _inner_model(model.model_fields[str(part)].annotation)
    return model


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    """The model class within `X`, `X | None`, `tuple[X, ...]` or `dict[str, X]`."""
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return annotation if issubclass(annotation, BaseModel) else None
    arguments = get_args(annotation)
    if get_origin(annotation) is Annotated:
        arguments = arguments[:1]
    return next((model for argument in arguments if (model := _inner_model(argument))), None)
