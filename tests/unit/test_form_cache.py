"""Forms compiled by processes that are killed, interrupted or slow, and by several at once."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import basix.ufl
import pytest
import ufl
from dolfinx import jit
from mpi4py import MPI

from chemomech import fenicsx, form_cache  # noqa: F401 - the one sets up the other

COMM = MPI.COMM_WORLD
alone = pytest.mark.skipif(COMM.size > 1, reason="starts a process of its own")
#: A compiler that never ends: the form of `compile_form` with a C compiler that sleeps.
STUCK = """
import cffi, sys, time
sys.path.insert(0, sys.argv[1])
from mpi4py import MPI
def sleep(*arguments, **options):
    print("compiling", file=sys.__stdout__, flush=True)
    time.sleep(100)
cffi.FFI.compile = sleep
from test_form_cache import compile_form
compile_form(sys.argv[2], MPI.COMM_SELF)
"""


def compile_form(folder, comm):
    element = basix.ufl.element("Lagrange", "interval", 1)
    mesh = ufl.Mesh(basix.ufl.element("Lagrange", "interval", 1, shape=(1,)))
    form = ufl.Coefficient(ufl.FunctionSpace(mesh, element)) * ufl.dx
    return jit.ffcx_jit(comm, form, jit_options={"cache_dir": Path(folder)})[0]


def names_in(folder):
    return sorted(path.name.partition(".")[2] for path in folder.iterdir())


@pytest.fixture
def cache(tmp_path):
    path = Path(COMM.bcast(str(tmp_path))) / "cache"
    COMM.barrier()
    yield path
    COMM.barrier()


@pytest.fixture
def compiler(cache):
    """Another process in the middle of compiling the form."""
    words = [sys.executable, "-c", STUCK, str(Path(__file__).parent), str(cache)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "compiling\n"
        yield process
        process.kill()


def complain(seconds):
    raise AssertionError("waits")


@alone
def test_form_of_a_killed_compiler_is_compiled_at_once(cache, compiler, monkeypatch, caplog):
    os.kill(compiler.pid, signal.SIGKILL)
    compiler.wait()
    assert "c.cached" not in names_in(cache)
    monkeypatch.setattr(time, "sleep", complain)
    assert compile_form(cache, COMM)
    assert "was killed; compiling it again" in caplog.text
    # Nothing but what FFCx itself leaves.
    assert [name for name in names_in(cache) if name[0] != "c" and name != "o"] == []
    assert not list(cache.glob("*~*"))


@alone
def test_who_waits_for_a_compiler_says_so_until_it_dies(cache, compiler, monkeypatch, caplog):
    waits = []

    def sleep(seconds):
        waits.append(seconds)
        if len(waits) == 3:
            os.kill(compiler.pid, signal.SIGKILL)
            compiler.wait()

    monkeypatch.setattr(form_cache, "_NOTICE_S", -1.0)
    monkeypatch.setattr(time, "sleep", sleep)
    assert compile_form(cache, COMM)
    assert f"waiting for a form that process {compiler.pid} on " in caplog.text
    assert len(waits) >= 3


@alone
@pytest.mark.parametrize("age", [10.0, 200.0])
def test_form_without_a_name_is_taken_over_when_nobody_can_be_at_work(cache, monkeypatch, age):
    assert compile_form(cache, COMM)
    (source,) = cache.glob("*.c")
    (ready,) = cache.glob("*.c.cached")
    ready.unlink()
    moment = time.time() - age
    os.utime(source, (moment, moment))
    monkeypatch.setattr(time, "sleep", complain)
    if age < form_cache._SILENCE_S:
        with pytest.raises(AssertionError, match="waits"):
            compile_form(cache, COMM)
        assert source.exists()
    else:
        assert compile_form(cache, COMM)


@alone
def test_form_interrupted_by_ctrl_c_is_compiled_by_the_next(cache, monkeypatch):
    def press_ctrl_c(*arguments, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as interrupted:
        interrupted.setattr("cffi.FFI.compile", press_ctrl_c)
        with pytest.raises(KeyboardInterrupt):
            compile_form(cache, COMM)
    assert list(cache.iterdir()) == []
    monkeypatch.setattr(time, "sleep", complain)
    assert compile_form(cache, COMM)


@alone
def test_form_whose_library_was_cleaned_away_is_compiled_again(cache):
    assert compile_form(cache, COMM)
    for path in [*cache.glob("*.so"), *cache.glob("*.o")]:
        path.unlink()
    assert compile_form(cache, COMM)


@alone
def test_what_another_makes_in_place_of_a_lost_library_stays(cache, monkeypatch):
    """Both fail to load it; the other one discards it first and begins to compile."""
    assert compile_form(cache, COMM)
    (source,) = cache.glob("*.c")
    claim, seen = form_cache._name_claim(source), []

    def find_it_lost(*arguments):
        form_cache._discard(source)
        assert form_cache._claim(source)
        raise ImportError

    def give_up(seconds):
        seen.append(source.exists() and claim.exists())
        form_cache._discard(source)

    monkeypatch.setattr(form_cache, "_load_objects", find_it_lost)
    monkeypatch.setattr(time, "sleep", give_up)
    assert compile_form(cache, COMM)
    assert seen == [True]


@alone
def test_full_cache_is_read_without_writing(cache):
    assert compile_form(cache, COMM)
    before = {path.name for path in cache.iterdir()}
    moment = cache.stat().st_mtime_ns
    assert compile_form(cache, COMM)
    assert cache.stat().st_mtime_ns == moment
    assert {path.name for path in cache.iterdir()} == before


@alone
def test_of_several_at_once_one_compiles(cache, caplog):
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(compile_form(cache, COMM))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 3
    assert len(list(cache.glob("*.c.cached"))) == 1


def test_ranks_recover_together(cache):
    assert compile_form(cache, COMM)
    COMM.barrier()
    if COMM.rank == 0:
        (ready,) = cache.glob("*.c.cached")
        ready.unlink()
        (source,) = cache.glob("*.c")
        os.utime(source, (0, 0))
    COMM.barrier()
    assert compile_form(cache, COMM)
    assert len(list(cache.glob("*.c.cached"))) == 1


def test_a_form_is_the_same_whatever_the_numbers_of_its_constants():
    """As texts 1000 comes before 999: products of both were another form, compiled anew."""
    domain = ufl.Mesh(basix.ufl.element("Lagrange", "triangle", 1, shape=(2,)))

    def sign(first):
        one, other = (ufl.Constant(domain, count=number) for number in (first, first + 1))
        return ((one * other + 2 * other) * ufl.dx).signature()

    assert len({sign(first) for first in (8, 9, 99, 998, 999, 9999)}) == 1
