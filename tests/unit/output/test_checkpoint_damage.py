"""What is damaged, or was put there by somebody else, is noticed before it is believed."""

import json
import logging
import os
import shutil

import numpy as np
import pytest

from chemomech.errors import InputError
from chemomech.output.checkpoints import CheckpointStore
from chemomech.output.sealed_folders import MANIFEST, seal_folder


def _cut(state, name="functions/space_0.bp/data.0"):
    os.truncate(state / name, (state / name).stat().st_size // 2)


def _flip(state, name="functions/space_0.bp/data.0"):
    content = bytearray((state / name).read_bytes())
    content[len(content) // 2] ^= 1
    (state / name).write_bytes(content)


def _rewrite_manifest(state, change):
    content = json.loads((state / MANIFEST).read_text())
    change(content)
    (state / MANIFEST).write_text(json.dumps(content))


def _link(state):
    (state / "record.json").rename(state.parent / "elsewhere.json")
    (state / "record.json").symlink_to(state.parent / "elsewhere.json")


def _link_folder(state):
    (state / "functions").rename(state.parent / "elsewhere")
    (state / "functions").symlink_to(state.parent / "elsewhere")


def _reseal(state):
    (state / MANIFEST).unlink()
    seal_folder(state)


def _replace_record(state, text):
    (state / "record.json").write_text(text)
    _reseal(state)


DAMAGE = {
    "cut": (_cut, "'functions/space_0.bp/data.0' has [0-9]+ bytes instead of"),
    "a bit": (_flip, "'functions/space_0.bp/data.0' was changed"),
    "index cut": (
        lambda s: _cut(s, "functions/space_0.bp/md.idx"),
        "'functions/space_0.bp/md.idx' has [0-9]+ bytes instead of",
    ),
    "record": (lambda s: _flip(s, "record.json"), "'record.json' was changed"),
    "file gone": (
        lambda s: (s / "functions/space_0.bp/md.0").unlink(),
        "'functions/space_0.bp/md.0' is missing",
    ),
    "all gone": (lambda s: shutil.rmtree(s / "functions"), "is missing"),
    "more": (lambda s: (s / "more.npy").touch(), "'more.npy' is not in its manifest"),
    "link": (_link, "'record.json' is neither file nor folder"),
    "folder link": (_link_folder, "'functions' is neither file nor folder"),
    "pipe": (lambda s: os.mkfifo(s / "pipe.npy"), "'pipe.npy' is neither"),
    "no manifest": (lambda s: (s / MANIFEST).unlink(), "it has no manifest.json"),
    "manifest cut": (lambda s: _cut(s, MANIFEST), "manifest.json is not JSON"),
    "manifest vast": (lambda s: os.truncate(s / MANIFEST, 2**40), "is larger than 16777216 bytes"),
    "manifest deep": (lambda s: (s / MANIFEST).write_text("[" * 10**6), "is not JSON"),
    "manifest list": (lambda s: (s / MANIFEST).write_text("[]"), "not of format 1"),
    "other format": (
        lambda s: _rewrite_manifest(s, lambda content: content.update(format=2)),
        "not of format 1",
    ),
    "other form": (
        lambda s: _rewrite_manifest(s, lambda content: content.update(files={"record.json": 3})),
        "has another form",
    ),
    "stranger": (
        lambda s: _rewrite_manifest(
            s, lambda c: c["files"].update({"../../secret": {"size": 1, "sha256": ""}})
        ),
        "'../../secret' is missing",
    ),
    "record list": (lambda s: _replace_record(s, "[1]"), "record.json holds no table"),
    "record deep": (lambda s: _replace_record(s, "[" * 10**6), "record.json is not JSON"),
    "record no text": (lambda s: _replace_record(s, '{"a": 1'), "record.json is not JSON"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damaged_state_is_passed_over_and_named(
    shared_path, comm, function, on_root, caplog, kind, write_state, assert_state
):
    damage, words = DAMAGE[kind]
    store = CheckpointStore(shared_path, comm)
    write_state(store, 1, function)
    write_state(store, 2, function)
    on_root(lambda: damage(shared_path / "00000002"))
    with caplog.at_level(logging.WARNING, "chemomech"):
        assert_state(store.find_latest(), 1, function)
    with pytest.raises(InputError, match=words) as caught:
        store.get(2)
    assert caught.value.path == str(shared_path / "00000002")
    if comm.rank == 0:
        assert f"{shared_path / '00000002'} is damaged and passed over" in caplog.text
        assert len(caplog.records) == 1


def test_nothing_is_left_when_all_are_damaged(
    shared_path, comm, function, on_root, caplog, write_state, assert_state
):
    store = CheckpointStore(shared_path, comm)
    write_state(store, 1, function)
    on_root(lambda: _cut(shared_path / "00000001"))
    assert store.find_latest() is None
    assert store.numbers() == [1]
    if comm.rank == 0:
        assert "'functions/space_0.bp/data.0' has" in caplog.text
    write_state(store, 2, function)
    assert_state(store.find_latest(), 2, function)


def _save_objects(path):
    with path.open("wb") as file:
        np.lib.format.write_array(file, np.array([{}, None]), allow_pickle=True)


def _save_vast(path):
    with path.open("wb") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": (2**40,)}
        np.lib.format.write_array_header_1_0(file, header)
        file.write(bytes(64))


@pytest.mark.parametrize(
    ("plant", "words"),
    [
        (_save_objects, "evil.npy holds object, not plain numbers"),
        (lambda path: np.save(path, np.array(["text"])), "not plain numbers"),
        (_save_vast, "holds 64 bytes, which do not make an array"),
        (lambda path: path.write_bytes(b"\x93NUMPY\x01\x00\xff\xff"), "is no array"),
        (lambda path: path.write_bytes(b"PK\x03\x04"), "is no array"),
        (lambda path: path.write_bytes(b""), "is no array"),
    ],
    ids=["objects", "text", "vast", "header", "archive", "nothing"],
)
def test_planted_arrays_are_refused(
    shared_path, comm, function, on_root, plant, words, write_state
):
    """Whoever can write an array can also write a manifest that is right."""
    store = CheckpointStore(shared_path, comm)
    write_state(store, 1, function)

    def act():
        plant(shared_path / "00000001" / "evil.npy")
        _reseal(shared_path / "00000001")

    on_root(act)
    with pytest.raises(InputError, match=words):
        store.find_latest().read_arrays()
