import pytest

from nba_ml.errors import ArtefactError
from nba_ml.registry import in_force, provenance, releases
from nba_ml.registry.log import ReleaseLog

BY = {"actor": "test", "reason": "because", "verify": lambda version: None}


def release(context, version="v1"):
    return releases.release(ReleaseLog(context.store, "points", "dev"), version, share=1.0, **BY)


def test_the_released_model_loads_and_predicts(context, tiny):
    sha256 = tiny.publish(context.store)
    entry = release(context)
    loaded = in_force.load_released(context)
    assert (loaded.serving.version, loaded.rollout.number, loaded.serving.manifest_sha256) == ("v1", entry.number, sha256)
    assert loaded.serving.panel.weights.tolist() == [0.5, 0.25, 0.125]


def test_nothing_released_is_an_error_with_the_next_step(context, tiny):
    tiny.publish(context.store)
    with pytest.raises(ArtefactError, match=r"no model is released in dev.*nba-ml release show"):
        in_force.load_released(context)


@pytest.mark.parametrize("file", ["model.ubj", "golden.parquet", "report.html", "manifest.json"])
def test_a_flipped_byte_is_found_even_by_a_process_that_had_loaded_the_model(context, tiny, file):
    tiny.publish(context.store)
    release(context)
    in_force.load_released(context)
    path = context.store.folder / "models/points/v1" / file
    whole = path.read_bytes()
    path.write_bytes(whole[:-3] + bytes([whole[-3] ^ 4]) + whole[-2:])
    with pytest.raises(ArtefactError, match="sha256 is"):
        in_force.load_released(context)


def test_the_panel_is_parsed_once(context, tiny):
    tiny.publish(context.store)
    tiny.publish(context.store, "v2", weights=(1, 2, 3))
    release(context)
    first = in_force.load_released(context)
    assert in_force.load_released(context).serving.panel is first.serving.panel
    release(context, "v2")
    assert in_force.load_released(context).serving.panel.weights.tolist() == [1, 2, 3]


def test_features_in_another_order_are_refused(context, tiny):
    turned = [{"name": name, "dtype": "float64"} for name in reversed(tiny.FEATURES)]
    tiny.publish(context.store, feature_schema=turned)
    release(context)
    with pytest.raises(ArtefactError, match=rf"feature 0 is '{tiny.FEATURES[-1]}' in the manifest and '{tiny.FEATURES[0]}'"):
        in_force.load_released(context)


def test_unknown_repeated_and_retyped_features_are_refused(context, tiny):
    names = [{"name": name, "dtype": "float64"} for name in tiny.FEATURES]
    wrong = {
        "a": ([*names, {"name": "gone", "dtype": "float64"}], "'gone' is none of those that this code builds"),
        "b": ([*names, names[-1]], "feature 3"),
        "c": ([{**names[0], "dtype": "int64"}, *names[1:]], "was int64 in training"),
    }
    for version, (features, message) in wrong.items():
        tiny.publish(context.store, version, feature_schema=features)
        release(context, version)
        with pytest.raises(ArtefactError, match=message):
            in_force.load_released(context)


def test_other_feature_definitions_are_refused(context, tiny):
    tiny.publish(context.store, feature_version="0000")
    release(context)
    with pytest.raises(ArtefactError, match="was trained on features 0000"):
        in_force.load_released(context)


@pytest.mark.parametrize(("shift", "holds"), [(0.0, True), (5e-7, True), (2e-6, False), (8.6, False), (float("nan"), False)])
def test_golden_vectors(context, tiny, shift, holds):
    tiny.publish(context.store, shift=shift)
    release(context)
    if holds:
        in_force.load_released(context)
    else:
        with pytest.raises(ArtefactError, match=r"golden\.parquet: predictions differ"):
            in_force.load_released(context)


def test_golden_rows_of_other_features_are_refused(context, tiny, monkeypatch):
    fewer = [{"name": name, "dtype": "float64"} for name in tiny.FEATURES[:2]]
    tiny.publish(context.store, feature_schema=fewer)
    release(context)
    with pytest.raises(ArtefactError, match="other columns than the manifest's 2 features"):
        in_force.load_released(context)


def test_another_xgboost_is_refused(context, tiny, monkeypatch):
    tiny.publish(context.store)
    release(context)
    monkeypatch.setattr(provenance, "xgboost_version", lambda: "2.1.4")
    with pytest.raises(ArtefactError, match=r"this is xgboost 2\.1\.4"):
        in_force.load_released(context)


def test_verified_files_that_cannot_be_parsed_are_an_artefact_error(context, tiny):
    from nba_ml.registry import versions

    versions.write_file(context.store, "points", "v1", "model.ubj", b"not json")
    versions.write_file(context.store, "points", "v1", "golden.parquet", tiny.golden((1, 1, 1)))
    versions.publish(context.store, "points", "v1", tiny.manifest())
    release(context)
    with pytest.raises(ArtefactError, match="this code can't read"):
        in_force.load_released(context)
