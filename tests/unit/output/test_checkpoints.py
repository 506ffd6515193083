"""Of the states of a run the newest that is whole is found, and comes back as it was."""

import math

import numpy as np
import pytest
from mpi4py import MPI

from chemomech.errors import InputError
from chemomech.output.checkpoints import CheckpointStore

WORLD = MPI.COMM_WORLD


def list_names(folder):
    # Rank 0 tidies up alone.
    WORLD.barrier()
    return sorted(path.name for path in folder.iterdir())


def test_state_comes_back(shared_path, comm, function, write_state, assert_state):
    store = CheckpointStore(shared_path / "a" / "store", comm)
    assert store.numbers() == []
    assert store.find_latest() is None
    write_state(store, 12, function)
    assert list_names(shared_path / "a" / "store") == ["00000012"]
    state = CheckpointStore(shared_path / "a" / "store", comm).find_latest()
    assert state.number == 12
    assert state.path == shared_path / "a" / "store" / "00000012"
    assert_state(state, 12, function)


def test_record_keeps_every_digit(shared_path, comm, function):
    numbers = [0.1 + 0.2, 5e-324, 1.7976931348623157e308, -0.0, math.pi, 1e22, math.inf]
    record = {"numbers": numbers, "none": None, "yes": True, "text": "µ", "table": {"n": 2**80}}
    record["numpy"] = np.float64(1) / 3
    store = CheckpointStore(shared_path, comm)
    store.write(0, {"c": function}, record | {"nan": math.nan})
    back = dict(store.find_latest().record)
    assert math.isnan(back.pop("nan"))
    assert back == record
    assert [number.hex() for number in back["numbers"]] == [number.hex() for number in numbers]


def test_arrays_are_on_rank_0(shared_path, comm, function, write_state):
    arrays = {
        "owners": np.arange(5, dtype=np.int32),
        "flags": np.array([[True], [False]]),
        "empty": np.zeros((0, 3)),
        "turned": np.asfortranarray(np.random.default_rng(0).random((3, 4))),
        "number": np.array(1j),
    }
    store = CheckpointStore(shared_path, comm)
    write_state(store, 1, function, arrays=arrays if comm.rank == 0 else None)
    back = store.find_latest().read_arrays()
    if comm.rank > 0:
        assert back == {}
        return
    assert back.keys() == arrays.keys()
    for name, array in arrays.items():
        assert back[name].dtype == array.dtype
        np.testing.assert_array_equal(back[name], array)


@pytest.mark.parametrize(
    ("name", "array"),
    [("objects", np.array([None])), ("../up", np.zeros(2)), ("text", np.array(["a"]))],
)
def test_what_is_no_array_of_numbers_is_refused(
    shared_path, comm, function, name, array, write_state
):
    store = CheckpointStore(shared_path / "store", comm)
    with pytest.raises(ValueError, match="cannot be stored"):
        write_state(store, 1, function, arrays={name: array})
    assert store.numbers() == []
    assert list_names(shared_path) == ["store"]
    assert list_names(shared_path / "store") == []


def test_record_that_json_cannot_hold_is_refused_on_all_ranks(shared_path, comm, function):
    store = CheckpointStore(shared_path, comm)
    with pytest.raises(TypeError):
        store.write(1, {"c": function}, {"set": {1, 2}})
    assert store.find_latest() is None


@pytest.mark.skipif(WORLD.size == 1, reason="compares several ranks with one")
def test_state_of_several_ranks_is_read_by_one(
    shared_path, comm, function, create_function, write_state, assert_state
):
    write_state(CheckpointStore(shared_path, comm), 3, function)
    if comm.rank == 0:
        alone = CheckpointStore(shared_path, MPI.COMM_SELF)
        assert_state(alone.find_latest(), 3, create_function(MPI.COMM_SELF))


@pytest.mark.parametrize(("keep", "kept"), [(1, [5]), (2, [3, 5]), (None, [0, 1, 2, 3, 5])])
def test_newest_states_are_kept(shared_path, comm, function, keep, kept, write_state, assert_state):
    store = CheckpointStore(shared_path, comm, keep)
    for number in (0, 1, 2, 3, 5):
        write_state(store, number, function)
        assert store.find_latest().number == number
    assert store.numbers() == kept
    for number in kept:
        assert_state(store.get(number), number, function)
    assert list_names(shared_path) == [f"{number:08d}" for number in kept]


def test_states_ahead_stay_until_they_are_discarded(shared_path, comm, function, write_state):
    store = CheckpointStore(shared_path, comm, keep=2)
    for number in (10, 20, 30):
        write_state(store, number, function)
    write_state(store, 15, function)
    assert store.numbers() == [15, 20, 30]
    store.discard_after(15)
    assert store.numbers() == [15]
    store.discard_after(-1)
    assert store.find_latest() is None
    CheckpointStore(shared_path / "none", comm).discard_after(0)
    assert list_names(shared_path) == []


def test_state_of_the_same_number_is_replaced(shared_path, comm, function, write_state):
    store = CheckpointStore(shared_path, comm, keep=1)
    write_state(store, 7, function)
    function.x.array[:] = 3.0
    store.write(7, {"composition": function}, {"number": "again"})
    assert store.find_latest().record == {"number": "again"}
    assert list_names(shared_path) == ["00000007"]


def test_numbers_beyond_eight_digits_are_in_order(shared_path, comm, function, write_state):
    store = CheckpointStore(shared_path, comm, keep=None)
    for number in (99_999_999, 100_000_000):
        write_state(store, number, function)
    assert store.numbers() == [99_999_999, 100_000_000]
    assert store.find_latest().number == 100_000_000


def test_senseless_arguments_are_refused(shared_path, comm, function, write_state):
    with pytest.raises(ValueError, match="not 0"):
        CheckpointStore(shared_path, comm, keep=0)
    with pytest.raises(ValueError, match="not -1"):
        write_state(CheckpointStore(shared_path, comm), -1, function)


def test_missing_state_is_named(shared_path, comm, function, write_state):
    store = CheckpointStore(shared_path, comm)
    write_state(store, 1, function)
    with pytest.raises(InputError, match="holds no state 2"):
        store.get(2)
