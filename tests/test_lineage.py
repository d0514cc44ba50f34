from gwmorph.lineage import hashes_of, lineage


def test_lineage_follows_keys_and_inputs(tmp_path):
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    a, b = hashes_of([tmp_path / "a", tmp_path / "b"])
    one = lineage({"x": 1, "y": [2]}, [a, b])
    assert one == lineage({"y": [2], "x": 1}, [a, b])
    other_keys, other_inputs = (
        lineage({"x": 2, "y": [2]}, [a, b]),
        lineage({"x": 1, "y": [2]}, [a]),
    )
    differ = {key for key in one if one[key] != other_keys[key]}
    assert differ == {"gwmorph.config_hash"}
    assert {key for key in one if one[key] != other_inputs[key]} == {"gwmorph.inputs_hash"}
