"""What all declared things share: frozen, no unknown keys, and a file to point at."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, PrivateAttr


class Fields(BaseModel):
    """A group of fields. Unknown keys are refused, values keep the type that YAML gave them."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)


class Declared(Fields):
    """A whole file."""

    _file: Path | None = PrivateAttr(None)

    @property
    def file(self) -> Path | None:
        """The file that declares this; None where it was built in memory."""
        return self._file
