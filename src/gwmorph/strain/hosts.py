"""Which servers may be asked: those that the configuration names.

What a server lists, and where it redirects to, is text from outside. Followed blindly, it would
let whoever wrote it make this machine ask any address that it can reach.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

import requests

from gwmorph.errors import DownloadError

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Hosts:
    """The configured server, and what else may be asked for it.

    Parameters
    ----------
    address : of the server, as ``https://gwosc.org``; from https nothing leads to http.
    others : further hosts, as ``data.example.org`` or ``data.example.org:8443``.
    key : the configuration's name of ``others``, for errors.
    """

    address: str
    others: Sequence[str] = ()
    key: str = "source.gwosc.file_hosts"

    def require(self, url: str) -> None:
        """Check that an address is of one of the hosts.

        Raises
        ------
        DownloadError
            It is not, or it is none of http or https.
        """
        if not self._allows(url):
            hosts = ", ".join([urlsplit(self.address).netloc, *self.others])
            raise DownloadError(
                f"{url}: expected an address at {hosts}"
                f"{' by https' if self.address.startswith('https:') else ''}; another is not "
                f"asked. If files are to come from there, add its host to {self.key}."
            )

    def follow(self, response: requests.Response, *_: object, **__: object) -> None:
        """Check where a response redirects to; a hook of requests, run before it is followed.

        Raises
        ------
        DownloadError
            It leads to another host.
        """
        if response.is_redirect:
            location = response.headers["location"]
            with suppress(ValueError):  # no address at all, which is not allowed
                location = urljoin(response.url, location)
            self.require(location)

    def _allows(self, url: str) -> bool:
        try:
            asked, ours = urlsplit(url), urlsplit(self.address)
            if asked.scheme not in _PORTS or (ours.scheme, asked.scheme) == ("https", "http"):
                return False
            others = [urlsplit(f"{asked.scheme}://{host}") for host in self.others]
            # What stands before an @ may look like a host.
            named = asked.netloc == ours.netloc or "@" not in asked.netloc
            return named and _place(asked) in map(_place, [ours, *others])
        except ValueError:  # no host or port at all
            return False


def _place(address: SplitResult) -> tuple[str, int]:
    return (address.hostname or "").lower(), address.port or _PORTS[address.scheme]
