import json

import pytest

from nba_ml.errors import ArtefactError
from nba_ml.registry import provenance, versions

FOLDER = "models/points/v1/"


def path_of(store, name):
    return store.folder / name


def test_a_published_version_opens_whole(store, tiny):
    sha256 = tiny.publish(store)
    opened = versions.open_version(store, "points", "v1", sha256)
    assert sorted(opened.files) == ["golden.parquet", "model.ubj", "report.html"]
    assert opened.manifest_sha256 == sha256
    assert [feature["name"] for feature in opened.manifest["feature_schema"]] == list(tiny.FEATURES)
    assert opened.manifest["packages"]["xgboost"] == provenance.xgboost_version()
    assert opened.manifest["files"]["model.ubj"]["size"] == len(opened.files["model.ubj"])
    assert versions.list_versions(store, "points") == ["v1"]


def test_publishing_again_changes_nothing_whatever_the_hour_and_commit(store, tiny, monkeypatch):
    sha256 = tiny.publish(store)
    before = store.read(FOLDER + "manifest.json")
    monkeypatch.setattr(provenance, "git_commit", lambda: "another")
    assert tiny.publish(store) == sha256
    assert store.read(FOLDER + "manifest.json") == before


def test_other_content_under_the_same_version_is_refused(store, tiny):
    tiny.publish(store)
    with pytest.raises(ArtefactError, match=r"'parameters'.*never changes.*nba-ml train"):
        tiny.publish(store, parameters={"depth": 5})
    with pytest.raises(ArtefactError, match=r"model\.ubj is there with sha256"):
        versions.write_file(store, "points", "v1", "model.ubj", b"[1, 1, 1]")
    with pytest.raises(ArtefactError, match="has no such file"):
        versions.write_file(store, "points", "v1", "late.json", b"{}")
    versions.open_version(store, "points", "v1")


def test_an_unfinished_publication_is_no_version(store):
    versions.write_file(store, "points", "v1", "model.ubj", b"x")
    versions.write_file(store, "points", "v1", "model.ubj", b"x")
    assert versions.list_versions(store, "points") == []
    with pytest.raises(ArtefactError, match=r"models/points/v1/manifest\.json does not exist"):
        versions.open_version(store, "points", "v1")


def test_a_manifest_says_exactly_what_it_has_to(store, tiny):
    lacking = tiny.manifest()
    del lacking["gates"]
    with pytest.raises(ValueError, match="gates"):
        versions.publish(store, "points", "v1", lacking)


@pytest.mark.parametrize("name", ["../v1", "a/b", "", ".hidden", "v 1"])
def test_names_that_leave_the_folder_are_refused(store, name):
    with pytest.raises(ArtefactError, match="no name"):
        versions.open_version(store, "points", name)
    with pytest.raises(ArtefactError, match="can't be the name"):
        versions.write_file(store, "points", "v1", name, b"")


@pytest.mark.parametrize("file", ["model.ubj", "golden.parquet", "report.html"])
def test_one_flipped_byte_anywhere_is_found(store, tiny, file):
    tiny.publish(store)
    path = path_of(store, FOLDER + file)
    whole = path.read_bytes()
    for place in (0, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(ArtefactError, match=rf"{file}: sha256 is \w+, the manifest says \w+\. Go back"):
            versions.open_version(store, "points", "v1")
    path.write_bytes(whole)
    versions.open_version(store, "points", "v1")


def test_any_flipped_byte_of_the_manifest_is_found_even_before_a_release_names_its_hash(store, tiny):
    sha256 = tiny.publish(store)
    path = path_of(store, FOLDER + "manifest.json")
    whole = path.read_bytes()
    for place in range(0, len(whole), 3):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(ArtefactError, match="altered"):
            versions.open_version(store, "points", "v1")
        with pytest.raises(ArtefactError, match="the release entry says"):
            versions.open_version(store, "points", "v1", sha256)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ArtefactError, match="cut short"):
        versions.open_version(store, "points", "v1")


def test_a_missing_file_an_extra_file_and_another_size_are_found(store, tiny):
    tiny.publish(store)
    store.create(FOLDER + "extra.json", b"{}")
    with pytest.raises(ArtefactError, match=r"extra\.json is not in the manifest"):
        versions.open_version(store, "points", "v1")
    path_of(store, FOLDER + "extra.json").unlink()
    path = path_of(store, FOLDER + "model.ubj")
    whole = path.read_bytes()
    path.write_bytes(whole + b" ")
    with pytest.raises(ArtefactError, match=rf"{len(whole) + 1} bytes, the manifest says {len(whole)}"):
        versions.open_version(store, "points", "v1")
    path.unlink()
    with pytest.raises(ArtefactError, match=r"model\.ubj is in the manifest and missing"):
        versions.open_version(store, "points", "v1")


def test_a_model_of_another_xgboost_is_refused(store, tiny, monkeypatch):
    tiny.publish(store)
    monkeypatch.setattr(provenance, "xgboost_version", lambda: "2.1.4")
    with pytest.raises(ArtefactError, match=r"made with xgboost 3\.\S+, this is xgboost 2\.1\.4.*make env"):
        versions.open_version(store, "points", "v1")


def test_an_unknown_format_and_a_moved_manifest_are_refused(store, tiny):
    from nba_ml.registry.sealed import seal

    tiny.publish(store)
    manifest = json.loads(store.read(FOLDER + "manifest.json"))
    del manifest["checksum"]
    store.create("models/points/v2/manifest.json", seal(manifest | {"format": 99}))
    store.create("models/points/v3/manifest.json", seal(manifest))
    with pytest.raises(ArtefactError, match="format 99, this code reads 1"):
        versions.open_version(store, "points", "v2")
    with pytest.raises(ArtefactError, match="is the manifest of points/v1, moved here"):
        versions.open_version(store, "points", "v3")


def test_the_commit_is_told_by_the_environment_where_there_is_no_repository(monkeypatch):
    monkeypatch.setenv("NBA_ML_COMMIT", "abc123")
    provenance.git_commit.cache_clear()
    try:
        assert provenance.code()["commit"] == "abc123"
    finally:
        provenance.git_commit.cache_clear()
