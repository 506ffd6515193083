"""Share compiled forms between processes: one compiles, the others wait for it.

FFCx compiles where it could create ``NAME.c`` in the cache, and others wait for ``NAME.c.cached``:
in vain, if the compiler was killed. Here who compiles leaves its name beside, so that whoever waits
knows whether anybody is at work.
"""

from __future__ import annotations

import functools
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import metadata
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from ffcx.codegeneration import jit
from flufl.lock import Lock

from chemomech.machine import is_alive

P = ParamSpec("P")
T = TypeVar("T")

_log = logging.getLogger(__name__)

_POLL_S = 0.2
_NOTICE_S = 5.0
# No form takes so long. Network file systems show a file of another machine after up to a minute.
_SILENCE_S = 120.0
_own = threading.local()
_find_plugins = metadata.entry_points
_find_plugins_once = functools.cache(metadata.entry_points)


def recover_from_dead_compilers() -> None:
    """Let FFCx wait for a form as long as somebody compiles it, and compile it itself if not."""
    jit.get_cached_module = _get_module
    jit._load_objects = _load_objects
    jit.compile_forms = _releasing(jit.compile_forms)
    jit.compile_expressions = _releasing(jit.compile_expressions)


def _get_module(
    name: str, objects: Sequence[str], folder: str | Path, timeout: int
) -> tuple[Any, Any]:
    """Load a compiled module, after another process if that compiles it.

    The timeout is not looked at: FFCx counts seconds, whether anybody is at work or not.

    Returns:
        Objects and module; two times None where this process must compile it.
    """
    del timeout
    source = Path(folder) / f"{name}.c"
    while True:
        _wait(source)
        if not _is_ready(source):
            if _claim(source):
                _own.source = source
                return None, None
            continue
        with suppress(ImportError):
            return _load_objects(folder, name, objects)
        # A cleaner of old files took the library and left the rest. One at a time: another one may
        # have discarded that already, and what is there now be its own.
        with Lock(str(source.with_name("clearing.lock"))):
            if _is_ready(source):
                try:
                    return _load_objects(folder, name, objects)
                except ImportError:
                    _discard(source)


def _claim(source: Path) -> bool:
    """Create a form's source file, this process's name beside it, unless another was first."""
    claim = _name_claim(source)
    claim.parent.mkdir(exist_ok=True, parents=True)
    claim.touch()
    is_first = False
    try:
        source.touch(exist_ok=False)
        is_first = True
    except FileExistsError:
        pass
    finally:
        if not is_first:
            claim.unlink(missing_ok=True)
    return is_first


def _load_objects(folder: str | Path, name: str, objects: Sequence[str]) -> tuple[list[Any], Any]:
    """Load a compiled module by its path; FFCx lists the whole cache to find it.

    Raises:
        ImportError: It is not there.
    """
    path = Path(folder) / f"{name}{EXTENSION_SUFFIXES[0]}"
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return [getattr(module.lib, one) for one in objects], module


def _releasing(compile_objects: Callable[P, T]) -> Callable[P, T]:
    """Withdraw this process's name when it has compiled, and its mark where it was interrupted."""

    @functools.wraps(compile_objects)
    def compile_and_release(*arguments: P.args, **options: P.kwargs) -> T:
        handlers = logging.getLogger().handlers
        try:
            with _looking_once_for_plugins():
                return compile_objects(*arguments, **options)
        except BaseException:
            # FFCx takes them while the C compiler runs, and keeps them where that fails.
            logging.getLogger().handlers = handlers
            raise
        finally:
            source: Path | None = getattr(_own, "source", None)
            _own.source = None
            if source is not None and not _is_ready(source):
                source.unlink(missing_ok=True)
            if source is not None:
                _name_claim(source).unlink(missing_ok=True)

    return compile_and_release


@contextmanager
def _looking_once_for_plugins() -> Iterator[None]:
    """Let setuptools, which starts the C compiler, read what is installed once, not for each form.

    It asks for plug-ins of its commands, for which Python opens a file of each installed package:
    0.1 s, as long as the compiler takes.
    """
    metadata.entry_points = _find_plugins_once  # type: ignore[assignment]
    try:
        yield
    finally:
        metadata.entry_points = _find_plugins


def _is_ready(source: Path) -> bool:
    return source.with_suffix(".c.cached").exists()


def _name_claim(source: Path) -> Path:
    words = [source.stem, socket.gethostname(), str(os.getpid()), str(threading.get_ident())]
    return source.with_name("~".join(words))


def _wait(source: Path) -> None:
    """Wait while another process compiles a form; clear away what a dead one has left of it."""
    began, said = time.monotonic(), False
    while not _is_ready(source) and (compiler := _find_compiler(source)) is not None:
        if not said and time.monotonic() - began > _NOTICE_S:
            _log.warning("waiting for a form that %s compiles (%s)", compiler, source)
            said = True
        time.sleep(_POLL_S)
    if source.exists() and not _is_ready(source):
        # One at a time: the next one's own mark must not be taken for the dead one's.
        with Lock(str(source.with_name("clearing.lock"))):
            if not _is_ready(source) and _find_compiler(source) is None:
                _log.warning("a process that compiled a form was killed; compiling it again")
                _discard(source)


def _discard(source: Path) -> None:
    for path in (source, source.with_suffix(".c.cached"), *source.parent.glob(f"{source.stem}~*")):
        path.unlink(missing_ok=True)


def _find_compiler(source: Path) -> str | None:
    """Name the process that compiles a form; None where nobody does."""
    try:
        age = time.time() - source.stat().st_mtime
    except FileNotFoundError:
        return None
    claims = list(source.parent.glob(f"{source.stem}~*"))
    for claim in claims:
        _, host, pid, _ = claim.name.split("~")
        if _is_alive(claim, host, int(pid)):
            return f"process {pid} on {host}"
    # Without a name the process may have one that this machine does not see yet.
    return None if claims or age > _SILENCE_S else "another process"


def _is_alive(claim: Path, host: str, pid: int) -> bool:
    try:
        moment = claim.stat().st_mtime
        if host != socket.gethostname():
            return time.time() - moment < _SILENCE_S
        return is_alive(pid, moment)
    except FileNotFoundError:
        return False
