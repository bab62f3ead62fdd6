"""From poses to labels over time, with a network that is a rule: raised hands are 'wave'."""

import csv
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from posec3d_jax.commands.recognise import run
from posec3d_jax.commands.table import COMMANDS
from posec3d_jax.flags import read_request
from posec3d_jax.poses.estimator import make_people
from posec3d_jax.poses.sources import open_pose_file
from posec3d_jax.recognise import OVERLAY, Recogniser, recognise
from posec3d_jax.skeletons.skeleton import get_skeleton
from posec3d_jax.video.live import LiveCount
from posec3d_jax.video.windows import PoseFrame, PoseStream

COCO = get_skeleton("coco_17")
WRIST, SHOULDER = COCO.joints.index("left_wrist"), COCO.joints.index("left_shoulder")
SIZE, RATE = (120, 160), 10


class Rule:
    """Stands in for a loaded network."""

    skeleton, class_names, max_persons = COCO, ("stand", "wave"), 2
    needs_frames = False

    def __call__(self, keypoint, score, frame_size):
        assert keypoint.shape[2:] == (17, 2) and len(keypoint) <= 2 and frame_size == SIZE
        up = keypoint[..., WRIST, 1] < keypoint[..., SHOULDER, 1]
        share = np.mean(up[score[..., WRIST] > 0])
        return SimpleNamespace(scores=np.array([1 - share, share], np.float32))


def poses(seconds, waving=lambda person, time: False, persons=1, joints=COCO.joints, start=0.0):
    """Persons beside each other who wave or stand, as frames."""
    for i in range(round(seconds * RATE)):
        time = start + i / RATE
        keypoint = np.full((persons, 17, 2), 60.0, np.float32)
        keypoint[..., 0] += 20 * np.arange(persons)[:, None]
        for person in range(persons):
            keypoint[person, WRIST, 1] = 40 if waving(person, time) else 80
        keypoint = keypoint[:, [COCO.joints.index(name) for name in joints]]
        score = np.ones(keypoint.shape[:2], np.float32)
        yield PoseFrame(time, keypoint, score, np.arange(persons))


def stream(frames, joints=COCO.joints):
    return PoseStream(tuple(joints), SIZE, frames, "test")


def test_every_person_has_labels_of_their_own():
    video = stream(poses(8, lambda person, time: person == 1 and time >= 4, persons=3))
    events = list(Recogniser(Rule(), window=1, step=0.5)(video))
    by_person = {p: [e.class_name for e in events if e.person == p] for p in range(3)}
    assert by_person == {0: ["stand"], 1: ["stand", "wave"], 2: ["stand"]}
    (change,) = (e.start for e in events if e.class_name == "wave")
    assert change == pytest.approx(4, abs=0.51)


def test_the_whole_picture_and_a_short_clip_have_one_label():
    video = stream(poses(8, lambda *_: True, persons=3))
    (event,) = Recogniser(Rule(), whole=True)(video)
    assert event.person is None and event.class_name == "wave" and event.score == 1
    (event,) = Recogniser(Rule())(stream(poses(0.6)))
    assert (event.class_name, event.start, event.end) == ("stand", 0, 0.5)
    empty = PoseFrame(0.0, np.zeros((0, 17, 2)), np.zeros((0, 17)), np.zeros(0, int))
    found = recognise(Recogniser(Rule()), stream([empty] * 3))
    assert found.table() == "nobody in 3 frames" and found.events == ()


def test_joints_are_found_by_name_in_another_order():
    video = stream(poses(2, lambda *_: True, joints=COCO.joints[::-1]), COCO.joints[::-1])
    assert [e.class_name for e in Recogniser(Rule())(video)] == ["wave"]
    with pytest.raises(ValueError, match="no name in common"):
        list(Recogniser(Rule())(stream(poses(2), [f"point_{i}" for i in range(17)])))


def test_an_endless_stream_gives_its_events_on_the_way():
    def endless():
        start = 0.0
        while True:  # somebody waves every 20 seconds
            frames = poses(20, lambda _, time: (time % 20) < 3, start=start)
            yield from frames
            start += 20

    events = Recogniser(Rule(), window=1, step=0.5)(stream(endless()))
    waves = [event for event, _ in zip(events, range(100), strict=False) if event.label == 1]
    assert len(waves) == 50


def test_what_is_written(tmp_path):
    video = stream(poses(4, lambda _, time: time >= 2))
    found = recognise(Recogniser(Rule(), window=1), video, tmp_path / "out")
    contents = json.loads((tmp_path / "out" / "events.json").read_text())
    assert contents["persons"] == 1 and contents["frames"] == 40
    assert [event["class"] for event in contents["events"]] == ["stand", "wave"]
    with open(tmp_path / "out" / "events.csv") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["start"]) for row in rows] == [event.start for event in found.events]
    assert (tmp_path / "out" / "timeline.png").read_bytes()[:4] == b"\x89PNG"
    assert not (tmp_path / "out" / OVERLAY).exists(), "there is no video"
    assert found.table().splitlines()[1].endswith("person 1: wave (0.94)")


def test_poses_of_files(tmp_path):
    frames = list(poses(3, lambda *_: True))
    arrays = dict(keypoint=np.stack([f.keypoint[0] for f in frames])[None], frame_size=SIZE)
    np.savez(tmp_path / "clip.npz", **arrays)
    opened = open_pose_file(tmp_path / "clip.npz", rate=RATE)
    (event,) = Recogniser(Rule())(opened)
    assert event.class_name == "wave" and event.end == pytest.approx(2.9)
    with pytest.raises(FileNotFoundError, match="no such"):
        open_pose_file(tmp_path / "absent.npz")
    (tmp_path / "odd.json").write_text('{"what": 1}')
    with pytest.raises(ValueError, match=r"odd.json.*name the tool"):
        open_pose_file(tmp_path / "odd.json")


def write_video(path, frames, rate=RATE):
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        track = container.add_stream("libx264", rate=rate)
        track.width, track.height, track.pix_fmt = SIZE[1], SIZE[0], "yuv420p"
        for _ in range(frames):
            picture = av.VideoFrame.from_ndarray(np.full((*SIZE, 3), 90, np.uint8), "rgb24")
            container.mux(track.encode(picture))
        container.mux(track.encode())
    return path


def test_the_overlay_has_the_videos_frames_and_times(tmp_path):
    video = write_video(tmp_path / "clip.mp4", 30)
    source = replace(stream(poses(3, lambda *_: True)), video=video)
    recognise(Recogniser(Rule()), source, tmp_path / "out")
    from posec3d_jax.video.decoding import decode

    drawn = list(decode(tmp_path / "out" / OVERLAY))
    assert [round(f.time, 2) for f in drawn] == [round(i / RATE, 2) for i in range(30)]
    assert np.ptp(drawn[10].image.astype(int)) > 100, "somebody is drawn on the grey picture"


class Known:
    """Stands in for an estimator: the people of a list, a picture after the other."""

    skeleton = COCO

    def __init__(self, frames):
        self._frames, self.searched = list(frames), 0
        self._next = iter(self._frames)

    def __call__(self, image, known=None):
        self.searched += known is None
        frame = next(self._next)
        return make_people(frame.keypoint, frame.score)


def test_a_video_is_followed_and_labelled(tmp_path):
    video = write_video(tmp_path / "clip.mp4", 30)
    estimator = Known(poses(3, lambda person, _: person == 1, persons=2))
    recogniser = Recogniser(Rule(), estimator)
    events = sorted(recogniser(video), key=lambda event: event.person)
    assert [e.class_name for e in events] == ["stand", "wave"]
    assert estimator.searched == 3, "every tenth picture; the others only look again"


def test_live_labels_come_from_the_newest_frames(tmp_path):
    video = write_video(tmp_path / "clip.mp4", 40, rate=40)
    recogniser = Recogniser(Rule(), Known(poses(4, lambda *_: True)), window=0.5)
    count = LiveCount()
    labels = list(recogniser.live(video, count, rate=5))
    assert count.arrived == 40 and not count.error
    assert {label.class_name for label in labels} == {"wave"} and 2 <= len(labels) <= 6
    assert all(label.latency >= 0 and label.person == 0 for label in labels)
    with pytest.raises(ValueError, match="no such video"):
        list(recogniser.live(tmp_path / "no.mp4", LiveCount()))


def test_what_stops_the_search_for_people_is_told_to_who_waits_for_labels(tmp_path):
    video = write_video(tmp_path / "clip.mp4", 20, rate=40)

    def broken(image, known=None):
        raise ValueError("no memory is left")

    broken.skeleton = COCO
    with pytest.raises(ValueError, match="no memory is left"):
        list(Recogniser(Rule(), broken).live(video, LiveCount()))


def command(*arguments):
    """What the command line asks for."""
    named = next(command for command in COMMANDS if command.name == "recognise")
    return run(read_request(named, list(arguments)))


def test_the_command_prints_and_writes(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("posec3d_jax.predict.load_predictor", lambda *_: Rule())
    keypoint = np.stack([frame.keypoint[0] for frame in poses(3, lambda *_: True)])[None]
    np.savez(tmp_path / "clip.npz", keypoint=keypoint)
    named = [f"{tmp_path}/clip.npz", "--workdir=runs/mine", f"--out={tmp_path}/out"]
    with pytest.raises(ValueError, match="how large the frames are"):
        command(*named)
    command(*named, "--frame_size=120x160", "--rate=10", "--window=1000ms", "--step=0.5")
    assert "0:00.0 - 0:02.9  person 1: wave (1.00)" in capsys.readouterr().out
    assert (tmp_path / "out" / "events.json").exists()
    for wrong, message in [("--window=long", "no time"), ("--frame_size=5", "height x width")]:
        with pytest.raises(ValueError, match=message):
            command(*named, wrong)
    with pytest.raises(FileNotFoundError, match=r"none.mp4: no such file"):
        command("none.mp4", "--workdir=runs/mine")
    with pytest.raises(ValueError, match="expected one source"):
        command("--workdir=runs/mine")


def test_the_command_plays_a_file_live(tmp_path, monkeypatch, capsys):
    video = write_video(tmp_path / "clip.mp4", 20, rate=40)
    monkeypatch.setattr("posec3d_jax.predict.load_predictor", lambda *_: Rule())
    known = Known(poses(2, lambda *_: True))
    monkeypatch.setattr("posec3d_jax.recognise.open_estimator", lambda *_: known)
    command(str(video), "--workdir=runs/mine", "--stream", "--window=0.2s", f"--out={tmp_path}/o")
    said = capsys.readouterr().out.splitlines()
    assert "person 1: wave (1.00)" in said[0] and said[1].startswith("20 frames arrived")
    lines = (tmp_path / "o" / "labels.jsonl").read_text().splitlines()
    assert f"{len(lines)} labels" in said[2] and json.loads(lines[0])["class"] == "wave"
