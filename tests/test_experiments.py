"""The two experiments that do a whole job in one command: the demonstration, cross-validation."""

import json

from experiments.cross_validate import cross_validate
from experiments.demo import demonstrate
from tests.tiny import tiny_config


def _config(folder):
    config = tiny_config(folder)
    config.train.epochs = 1
    config.data.val_split = ""
    return config


def test_the_demonstration_leaves_a_report_with_pictures_and_says_where(tmp_path, capsys):
    demonstrate(_config(tmp_path), tmp_path / "run", str(tmp_path / "record.json"))
    said = capsys.readouterr().out
    for shown in ("2 clips x flip", str(tmp_path / "run" / "report.html"), "is below the 0.95"):
        assert shown in said
    assert len(list((tmp_path / "run" / "pictures").glob("volume_*.png"))) == 4
    assert "data:image/png" in (tmp_path / "run" / "report.html").read_text()
    assert json.loads((tmp_path / "record.json").read_text())["clips"] == 16


def test_folds_are_trained_once_and_averaged(tmp_path, capsys):
    configs = {fold: _config(tmp_path) for fold in ("1", "2")}
    configs["2"].seed = 1
    for _ in range(2):  # the second time nothing is left to train
        cross_validate(configs, tmp_path / "folds", str(tmp_path / "record.json"))
    assert "mean of 2 folds, 2 clips x flip: top-1 " in capsys.readouterr().out
    record = json.loads((tmp_path / "record.json").read_text())
    folds = [fold["2 clips x flip"]["top1"] for fold in record["folds"]]
    assert record["metrics"]["top1"] == sum(folds) / 2 and record["clips"] == 32
    assert [run["done"] for run in record["training"]] == [True, True]
