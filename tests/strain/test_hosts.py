"""Nothing is asked of a server that the configuration does not name, wherever text leads."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwmorph.errors import DownloadError
from gwmorph.strain.base import StrainFile
from gwmorph.strain.download import Patience, download
from gwmorph.strain.gwosc import GwoscSource
from gwmorph.strain.hosts import Hosts
from gwosc_files import gwosc_file_name
from replica import GwoscReplica

GPS = 1368195072
SPAN = (GPS, GPS + 4096)
NAME = gwosc_file_name("H1", GPS)
QUICK = Patience(attempts=3, timeout_s=5, first_wait_s=0.001)
OURS = Hosts("https://gwosc.org", ["data.example.org", "other.example.org:8443"])


@pytest.mark.parametrize(
    "url",
    [
        "https://gwosc.org/archive/a",
        "https://GWOSC.org:443/archive/a",
        "https://data.example.org/a",
        "https://other.example.org:8443/a",
    ],
)
def test_configured_hosts_are_asked(url: str) -> None:
    OURS.require(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://gwosc.org/a",  # not from https to http
        "https://gwosc.org:8443/a",
        "https://gwosc.org.evil.example/a",
        "https://evil.example/gwosc.org",
        "https://gwosc.org@evil.example/a",
        "https://gwosc.org\\@evil.example/a",
        "https://evil.example#@gwosc.org/a",
        "https://user@gwosc.org/a",
        "https://other.example.org/a",
        "http://169.254.169.254/latest/meta-data",
        "https://127.0.0.1/a",
        "file:///etc/passwd",
        "ftp://gwosc.org/a",
        "//gwosc.org/a",
        "gwosc.org/a",
        "https://gwosc.org:99999/a",
        "https://[::1/a",
        "",
    ],
)
def test_no_other_address_is_asked(url: str) -> None:
    with pytest.raises(DownloadError, match=r"source\.gwosc\.file_hosts"):
        OURS.require(url)


@given(st.text(max_size=30), st.sampled_from(["https://", "http://", "//", "https:\\\\", ""]))
def test_whatever_is_allowed_is_at_a_configured_host(text: str, start: str) -> None:
    url = start + text
    try:
        OURS.require(url)
    except DownloadError:
        return
    assert urlsplit(url).hostname in ("gwosc.org", "data.example.org", "other.example.org")


def test_http_may_lead_to_https_of_the_same_host() -> None:
    Hosts("http://mirror.example:80").require("http://mirror.example/a")
    Hosts("http://mirror.example", ["mirror.example"]).require("https://mirror.example/a")


@pytest.fixture
def elsewhere() -> Iterator[GwoscReplica]:
    """A server on this machine that nobody configured."""
    with GwoscReplica([]) as running:
        yield running


def unread(folder: Path) -> Path:
    folder.mkdir()
    (folder / NAME).write_text("not read")
    return folder / NAME


def test_a_redirect_to_another_host_is_not_followed(
    elsewhere: GwoscReplica, tmp_path: Path
) -> None:
    with GwoscReplica([unread(tmp_path / "served")], {}) as replica:
        replica.redirect("archive", to=f"{elsewhere.url}/secret")
        url = replica.url + replica.files[0].url_path
        path = tmp_path / "cache" / NAME
        with pytest.raises(DownloadError, match="another is not asked"):
            download(url, path, QUICK, hosts=Hosts(replica.url), check=lambda _: None)
        assert replica.count() == 1
        assert elsewhere.count() == 0
        assert not path.exists()
        # Named in the configuration, it is.
        allowed = Hosts(replica.url, [urlsplit(elsewhere.url).netloc])
        with pytest.raises(DownloadError, match="HTTP 404"):
            download(url, path, QUICK, hosts=allowed, check=lambda _: None)
        assert elsewhere.count() == 1


def test_a_redirect_to_no_address_is_an_error(tmp_path: Path) -> None:
    with GwoscReplica([unread(tmp_path / "served")], {"H1_DATA": [SPAN]}) as replica:
        for what in ("archive", "timelines"):
            replica.redirect(what, to="http://[nowhere/a")
        url = replica.url + replica.files[0].url_path
        path = tmp_path / "cache" / NAME
        with pytest.raises(DownloadError, match=r"http://\[nowhere/a: expected an address at"):
            download(url, path, QUICK, hosts=Hosts(replica.url), check=lambda _: None)
        with pytest.raises(DownloadError, match=r"http://\[nowhere/a: expected an address at"):
            source(replica, tmp_path).segments("H1", *SPAN)


def test_a_redirect_at_the_same_host_is_followed(tmp_path: Path) -> None:
    with GwoscReplica([unread(tmp_path / "served")], {}) as replica:
        replica.redirect("moved", to=replica.files[0].url_path)
        path = tmp_path / "cache" / NAME
        download(f"{replica.url}/moved", path, QUICK, hosts=Hosts(replica.url), check=lambda _: 0)
        assert path.read_text() == "not read"


def source(replica: GwoscReplica, cache: Path, **options: object) -> GwoscSource:
    return GwoscSource(replica.url, "DATA", 4096, cache, 2, 5.0, 0.001, **options)  # type: ignore[arg-type]


def test_a_list_that_is_redirected_elsewhere_is_not_asked_for_there(
    elsewhere: GwoscReplica, tmp_path: Path
) -> None:
    with GwoscReplica([], {"H1_DATA": [SPAN]}) as replica:
        replica.redirect("timelines", to=f"{elsewhere.url}/api")
        with pytest.raises(DownloadError, match="another is not asked"):
            source(replica, tmp_path).segments("H1", *SPAN)
    assert elsewhere.count() == 0


def listing(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    page = {"next": None, "num_pages": 1, "results": [{"hdf5_url": url}]}
    monkeypatch.setattr("replica._Handler._page", lambda *_: page)


def test_files_that_a_list_names_elsewhere_are_refused_when_planning_and_when_fetching(
    elsewhere: GwoscReplica, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"{elsewhere.url}/archive/data/O4a/1367343104/{NAME}"
    with GwoscReplica([unread(tmp_path / "served")], {}) as replica:
        listing(monkeypatch, url)
        asking = source(replica, tmp_path / "cache")
        with pytest.raises(DownloadError, match="another is not asked"):
            asking.files("H1", *SPAN)
        with pytest.raises(DownloadError, match="another is not asked"):
            asking.released("H1", *SPAN)
        with pytest.raises(DownloadError, match="another is not asked"):
            asking.obtain(StrainFile("H1", GPS, 4096, 4096, url))
        named = source(replica, tmp_path / "cache", file_hosts=[urlsplit(elsewhere.url).netloc])
        assert [file.location for file in named.files("H1", *SPAN)] == [url]
    assert elsewhere.count() == 0


@pytest.mark.parametrize(
    "path", ["../..", "a/../..", "..", ".hidden/a", "a/.ssh", "a/b;c", "~root/a", "a/%2e%2e"]
)
def test_no_address_leads_out_of_the_cache(path: str, tmp_path: Path) -> None:
    with GwoscReplica([]) as replica:
        url = f"{replica.url}/archive/{path}/{NAME}"
        with pytest.raises(DownloadError, match="not followed into the cache"):
            source(replica, tmp_path / "cache").obtain(StrainFile("H1", GPS, 4096, 4096, url))
        assert replica.count() == 0
    assert list(tmp_path.iterdir()) == []


def test_no_detector_of_a_list_leads_out_of_the_cache(tmp_path: Path) -> None:
    # What a list is kept under is made of the configuration alone.
    with GwoscReplica([], {"H1_DATA": [SPAN]}) as replica:
        source(replica, tmp_path / "cache").segments("H1", *SPAN)
    (kept,) = (path for path in tmp_path.rglob("*") if path.is_file())
    assert kept.is_relative_to(tmp_path / "cache" / "gwosc" / "segments")
    assert json.loads(kept.read_text())["question"]["host"] == replica.url
