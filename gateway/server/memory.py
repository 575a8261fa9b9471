"""Returns free memory to the system, and collects garbage once memory has grown.

Requests leave no reference cycles, so a full garbage collection seldom frees
anything, and each blocked the event loop for up to 60 ms. Source for the functions
of the C library: mallinfo(3), malloc_trim(3).
"""

import ctypes
import gc
import os
from pathlib import Path

GROWTH_BYTES = 64 * 1024 * 1024
FREE_BYTES = 16 * 1024 * 1024
# Passes through young objects only; there is no count for full ones.
GARBAGE_THRESHOLDS = 50_000, 20, 1_000_000
STATM = Path("/proc/self/statm")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class MemoryKeeper:
    """Releases memory of the process after peaks."""

    def __init__(self) -> None:
        """Measure growth from the first check on."""
        self._resident_bytes: int | None = None
        self._free_bytes: int | None = None

    async def check(self) -> None:
        """Collect garbage if memory has grown, and return free memory."""
        resident = resident_bytes()
        least = self._resident_bytes
        if least is not None and resident > least + GROWTH_BYTES:
            gc.collect()
            self._resident_bytes = resident_bytes()
        else:
            self._resident_bytes = min(resident, least or resident)
        self._trim()

    def _trim(self) -> None:
        """Return free memory to the system, if there is much more than before."""
        free = _free_bytes()
        least = self._free_bytes
        if least is not None and free > least + FREE_BYTES:
            _c.malloc_trim(0)
            self._free_bytes = _free_bytes()
        else:
            self._free_bytes = free if least is None else min(free, least)


def resident_bytes() -> int:
    """Return the resident memory of the process; 0 where it is not available."""
    try:
        return int(STATM.read_text().split()[1]) * PAGE_BYTES
    except FileNotFoundError:
        return 0


class _Mallinfo(ctypes.Structure):
    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        )
    )


_c = ctypes.CDLL(None)
_has_glibc = hasattr(_c, "mallinfo2")
if _has_glibc:
    _c.mallinfo2.restype = _Mallinfo


def _free_bytes() -> int:
    """Return the bytes freed but kept by the C library; 0 if not available."""
    return int(_c.mallinfo2().fordblks) if _has_glibc else 0
