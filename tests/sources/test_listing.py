import os
from datetime import UTC, datetime

import pytest

from tollhouse.errors import SourceError
from tollhouse.sources.listing import LocalStore

NOBODY = 65534


@pytest.fixture
def without_root():
    """Run the test as a user whom permissions bind."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_is_listed_recursively_in_order_without_hidden_and_temporary_files(tmp_path):
    for name in ["b/2.json", "a/1.json", "c", ".hidden/x.json", "a/.x.json", "a/y.json.tmp", "a/z.part", "a/w~"]:
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"{}")
    found = list(LocalStore().list(str(tmp_path)))
    assert [o.path for o in found] == [str(tmp_path / name) for name in ["c", "a/1.json", "b/2.json"]]
    assert {o.size for o in found} == {2}


def test_a_file_is_listed_by_its_own_name_even_when_it_is_hidden(tmp_path):
    file = tmp_path / ".log"
    file.write_bytes(b"123")
    os.utime(file, (0, 86400))
    (found,) = LocalStore().list(str(file))
    assert (found.path, found.size, found.modified_at) == (str(file), 3, datetime(1970, 1, 2, tzinfo=UTC))
    with LocalStore().open(str(file)) as stream:
        assert stream.read() == b"123"


def test_an_empty_folder_has_no_objects(tmp_path):
    assert list(LocalStore().list(str(tmp_path))) == []


def test_a_path_that_is_absent_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"no file or folder '.*absent'"):
        list(LocalStore().list(str(tmp_path / "absent")))
    with pytest.raises(SourceError, match=r"no file or folder '.*absent'"):
        LocalStore().open(str(tmp_path / "absent"))


def test_a_folder_cannot_be_opened_as_a_file(tmp_path):
    with pytest.raises(SourceError, match="is a folder"):
        LocalStore().open(str(tmp_path))


def test_a_file_without_permission_says_so(tmp_path, without_root):
    file = _private(tmp_path, "secret.json")
    with pytest.raises(SourceError, match=r"no permission to read '.*secret.json'(.|\n)*let this user read it"):
        LocalStore().open(str(file))


def test_a_folder_without_permission_says_so(tmp_path, without_root):
    file = _private(tmp_path, "folder/secret.json")
    with pytest.raises(SourceError, match=r"no permission to read '.*folder'"):
        list(LocalStore().list(str(file.parent)))


def _private(folder, name):
    """Make a file that only root may read, in a folder that only root may list, below one that anybody may pass."""
    euid = os.geteuid()
    if os.getuid() == 0:
        os.seteuid(0)
    for parent in [folder, *folder.parents][:3]:
        parent.chmod(0o755)
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"{}")
    file.chmod(0)
    if file.parent != folder:
        file.parent.chmod(0)
    if os.getuid() == 0:
        os.seteuid(euid)
    return file
