"""What an atlas says of how vectors are made is followed, and of whom to ask and tell is not."""

import yaml

from gwmorph.config import Config
from gwmorph.scanner import preparing

ASKED = "http://169.254.169.254/latest"


def test_an_atlas_does_not_say_whom_to_ask_or_to_tell(tmp_path, monkeypatch):
    monkeypatch.setattr(preparing, "read_manifest", lambda _: None)
    said = Config().model_dump(mode="json")
    said["source"]["gwosc"] |= {"host": ASKED, "file_hosts": ["evil.example"], "flag": "CBC_CAT1"}
    said["encoder"]["weights"] |= {"endpoint": ASKED, "hosts": ["example"], "revision": "a" * 40}
    said["scan"]["receiver"] |= {"address": ASKED, "links": ASKED}
    said["events"]["snr"] = 8.25
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(said))
    found = preparing.atlas_config(tmp_path)
    assert "169.254" not in found.model_dump_json()
    assert "example" not in found.model_dump_json()
    assert found.source.gwosc.host == "https://gwosc.org"
    assert found.scan.receiver.address is None
    # All else is as the atlas's run was made with.
    assert found.events.snr == 8.25
    assert found.source.gwosc.flag == "CBC_CAT1"
    assert found.encoder.weights.revision == "a" * 40
