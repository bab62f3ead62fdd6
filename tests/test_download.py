"""Downloads: what a good, a bad and a hostile server lead to; nothing half in the cache."""

import errno
import hashlib
import os

import pytest

from posec3d_jax.weights import transfer
from posec3d_jax.weights.download import cache_folder, fetch, is_sound
from posec3d_jax.weights.transfer import DownloadError, Patience
from tests.web import BODY, serving

HASH = hashlib.sha256(BODY).hexdigest()
HASTY = Patience(silence=0.3, rate=1000, window=0.4, attempts=2, pause=0.0)


@pytest.fixture
def server():
    with serving() as running:
        yield running


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cache" / "weights.pth"


def download(server, kind, path, sha256=HASH, **options):
    return fetch(server.url(kind), path, sha256, **{"patience": HASTY} | options)


def test_a_good_answer_is_kept_and_not_asked_for_again(server, path):
    seen = []
    assert download(server, "good", path, progress=lambda *at: seen.append(at)) == path
    assert path.read_bytes() == BODY
    assert seen[-1] == (len(BODY), len(BODY)) and len(seen) > 1
    download(server, "good", path)
    assert len(server.asked) == 1
    assert not any((path.parent / "partial").iterdir())


def test_an_answer_that_breaks_off_goes_on_from_there(server, path):
    download(server, "short", path)
    assert path.read_bytes() == BODY
    assert [part for _, part in server.asked] == ["", "bytes=100000-", "bytes=200000-"] + (
        ["bytes=300000-"] * (len(BODY) > 300_000)
    )


def test_what_another_process_left_is_gone_on_from(server, path):
    with pytest.raises(DownloadError, match="1,000 bytes are kept"):
        download(server, "silent", path)
    assert not path.exists()
    download(server, "good", path)
    assert server.asked[-1] == ("good", "bytes=1000-") and path.read_bytes() == BODY


def test_a_file_that_changed_in_between_is_begun_again(server, path):
    with pytest.raises(DownloadError):
        download(server, "silent", path)
    server.body = BODY[::-1]
    download(server, "good", path, sha256="")
    assert path.read_bytes() == BODY[::-1]


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("lost", "404 Not Found; it is not there any more"),
        ("busy", "503"),
        ("silent", "nothing came for 0.3 seconds"),
        ("slow", "slower than 1,000 bytes a second"),
        ("loop", "redirects without end"),
        ("elsewhere", "Redirection to url 'file:///etc/hostname' is not allowed"),
        ("huge", "expected at most"),
    ],
)
def test_bad_answers_are_named_and_leave_nothing(server, path, kind, says):
    with pytest.raises(DownloadError, match=says) as error:
        download(server, kind, path)
    assert server.url(kind).split("?")[0] in str(error.value)
    assert not is_sound(path) and not path.exists()


def test_a_wrong_hash_is_refused_and_not_kept(server, path):
    with pytest.raises(DownloadError, match="expected 0000"):
        download(server, "good", path, sha256="0000")
    assert not path.exists() and not (path.parent / "partial" / path.name).exists()


def test_nobody_there(path):
    with pytest.raises(DownloadError, match="cannot be reached"):
        fetch("http://127.0.0.1:9/x.pth", path, patience=HASTY)


@pytest.mark.parametrize("when", ["before", "while writing"])
def test_a_full_disk_says_so_and_is_gone_on_from(server, path, monkeypatch, when):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        if when == "before":
            usage = transfer.shutil.disk_usage(path.parent.parent)._replace(free=1000)
            patched.setattr(transfer.shutil, "disk_usage", lambda _: usage)
        options = {} if when == "before" else {"progress": full}
        with pytest.raises(DownloadError, match="No space left on device; make room"):
            download(server, "good", path, **options)
    assert not path.exists()
    download(server, "good", path)
    assert path.read_bytes() == BODY


def test_rot_in_the_cache_is_noticed(server, path):
    download(server, "good", path)
    path.write_bytes(BODY[:-1] + b"x")
    assert not is_sound(path)
    download(server, "good", path)
    assert path.read_bytes() == BODY


def test_two_at_once_are_one(server, path):
    def second(*_):
        with pytest.raises(DownloadError, match="another process"):
            download(server, "good", path)

    download(server, "good", path, progress=second)
    assert path.read_bytes() == BODY


def test_the_cache_follows_the_convention(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "posec3d_jax" / "weights"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert ".cache" in cache_folder().parts
