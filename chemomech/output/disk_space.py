"""Check the free space on the disk before files are written."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path


def require_space(path: Path, size: int) -> None:
    """Refuse to write so many bytes to a file where there is no room; only for one rank.

    Raises:
        OSError: There is less room, or the folder cannot be written to; nothing is left behind.
    """
    trial = path.with_name(path.name + ".reserve")
    try:
        with trial.open("wb") as file:
            _allocate(file.fileno(), size, trial.parent)
    except OSError as error:
        words = error.strerror or str(error)
        raise OSError(f"{path} cannot be written: {words} ({size} bytes needed)") from error
    finally:
        with suppress(OSError):
            trial.unlink()


def _allocate(descriptor: int, size: int, folder: Path) -> None:
    """Take space from the disk, which unlike a look at what is free knows of quotas."""
    allocate = getattr(os, "posix_fallocate", None)  # not on every system
    try:
        if allocate is not None:
            allocate(descriptor, 0, size)
            return
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
            raise
    if shutil.disk_usage(folder).free < size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
