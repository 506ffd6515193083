import hashlib
import json
from datetime import datetime

import numpy as np

from chemomech.output.provenance import collect_provenance, write_provenance


def test_record_names_run_and_versions(shared_path, comm, monkeypatch):
    monkeypatch.setattr("sys.argv", ["chemomech", "run", "x.toml"])
    provenance = collect_provenance(comm, "a = 1\n")
    path = shared_path / "provenance.json"
    write_provenance(path, provenance, comm, ended="stationary")
    record = json.loads(path.read_text())
    assert record["command"] == ["chemomech", "run", "x.toml"]
    assert record["config_sha256"] == hashlib.sha256(b"a = 1\n").hexdigest()
    assert record["ranks"] == comm.size
    assert record["versions"]["numpy"] == np.__version__
    assert record["versions"]["petsc"].count(".") == 2
    assert record["ended"] == "stationary"
    started, finished = (datetime.fromisoformat(record[key]) for key in ("started", "finished"))
    assert started.utcoffset().total_seconds() == 0
    assert finished >= started


def test_a_running_run_has_no_end(shared_path, comm):
    path = shared_path / "provenance.json"
    write_provenance(path, collect_provenance(comm, ""), comm)
    record = json.loads(path.read_text())
    assert record["ended"] is None
    assert record["finished"] is None


def test_all_ranks_know_the_same(comm):
    provenance = collect_provenance(comm, "")
    assert comm.allgather(provenance) == [provenance] * comm.size


def test_without_git_there_is_no_commit(comm, monkeypatch):
    monkeypatch.setenv("PATH", "")
    provenance = collect_provenance(comm, "")
    assert provenance.git_commit is None
    assert provenance.git_description is None
