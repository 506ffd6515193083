"""The source text of a law that a user wrote, and the class in it."""

from __future__ import annotations

import hashlib
import inspect
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from chemomech.config.base import SectionError
from chemomech.errors import suggest
from chemomech.text_files import TEXT_ENCODING


@dataclass(frozen=True)
class LawSource:
    """The text of a module that defines laws.

    Args:
        module: Name of the module, an identifier.
        text: Its text; empty where it is not known, as of a class typed at a prompt.
    """

    module: str
    text: str

    @classmethod
    def read(cls, module: str, folder: Path) -> LawSource:
        """Read a module beside a configuration.

        Raises:
            SectionError: It cannot be read; under the key ``kind``.
        """
        path = folder / f"{module}.py"
        try:
            return cls(module, path.read_text(encoding=TEXT_ENCODING))
        except OSError as error:
            raise SectionError("kind", f"{path} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise SectionError("kind", f"{path} is no UTF-8 text: {error}") from error

    @classmethod
    def find(cls, law: type) -> LawSource:
        """Find the text of the module, or at least of the class, that defines a law."""
        try:
            file = inspect.getsourcefile(law)
            text = inspect.getsource(sys.modules[law.__module__] if file else law)
        except (OSError, TypeError):
            return cls("user_laws", "")
        stem = Path(file or "").stem
        return cls(stem if stem.isidentifier() else "user_laws", text)

    @property
    def file(self) -> str:
        """Name of its file."""
        return f"{self.module}.py"

    @property
    def sha256(self) -> str:
        """Hash of the text, as hexadecimal digits."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def load_class(self, name: str) -> type:
        """Run the module, once a process, and return a class in it.

        Raises:
            SectionError: It cannot be run, or there is no such class; under the key ``kind``.
        """
        found = getattr(self._load(), name, None)
        if isinstance(found, type):
            return found
        classes = [key for key, value in vars(self._load()).items() if isinstance(value, type)]
        raise SectionError("kind", f"{self.file} has no class {name!r}{suggest(name, classes)}")

    def _load(self) -> ModuleType:
        # By its hash: another text of the same name is another module. Data classes look for the
        # module they are made in.
        name = f"_chemomech_{self.module}_{self.sha256[:16]}"
        if name in sys.modules:
            return sys.modules[name]
        module = sys.modules[name] = ModuleType(name)
        try:
            exec(compile(self.text, self.file, "exec"), vars(module))
        except Exception as error:
            del sys.modules[name]
            raise SectionError(
                "kind", f"{self.file} cannot be run: {type(error).__name__}: {error}"
            ) from error
        return module
