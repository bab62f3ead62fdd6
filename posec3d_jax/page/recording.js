// A recording: people over time, whatever it came from, and what is cut out of it.
//
// {size: [height, width], limbs, joints, frames: [{time, persons: [{id, keypoint, score}]}],
//  duration, url (of a video, or "")}

import { Explained } from "./explained.js";

export const RATE = 30; // frames a second of clips that do not say
export const WHOLE = 5; // seconds of a recording that is looked at in one piece
const [WINDOW, STEP] = [3, 1.5]; // seconds, of longer ones
const MOST = 200e6; // bytes of a file of keypoints

// Of a clip as the service takes it: {keypoint [M][T][V][2], score, frame_size}.
export function fromClip(clip, about) {
  const frames = clip.keypoint[0].map((_, t) => ({
    time: t / RATE,
    persons: clip.keypoint.map((person, id) => ({
      id,
      keypoint: person[t],
      score: clip.score?.[id]?.[t] ?? person[t].map(() => 1),
    })),
  }));
  const duration = frames.length / RATE;
  return { size: clip.frame_size, limbs: about.limbs, joints: about.joints, frames, duration, url: "" };
}

// A file of keypoints as people have them, or an Explained error that says what is wrong with it.
export async function readClip(file, about) {
  if (file.size > MOST) throw new Explained(`${file.name} is too large for the page (200 MB).`);
  let clip;
  try {
    clip = JSON.parse(await file.text());
  } catch {
    throw new Explained(`${file.name} is no JSON. Expected {"keypoint": …, "frame_size": [height, width]}.`);
  }
  if (!Array.isArray(clip?.keypoint) || !Array.isArray(clip?.frame_size)) {
    throw new Explained(`${file.name} lacks keypoint or frame_size ([height, width] in pixels).`);
  }
  if (typeof clip.keypoint[0]?.[0]?.[0] === "number") clip.keypoint = [clip.keypoint];
  if (typeof clip.score?.[0]?.[0] === "number") clip.score = [clip.score];
  const joints = clip.keypoint[0]?.[0]?.length;
  if (joints !== about.joints.length) {
    throw new Explained(
      `${file.name} has ${joints ?? "no"} joints; the network knows ${about.joints.length} (${about.layout}).`,
    );
  }
  const frames = clip.keypoint[0].length;
  const regular = clip.keypoint.every((person) => person.length === frames);
  if (!frames || !regular) throw new Explained(`${file.name}: every person needs the same frames.`);
  return { keypoint: clip.keypoint, score: clip.score, frame_size: clip.frame_size };
}

// The numbers of the people in it, in the order in which they come.
export function personsOf(recording) {
  return [...new Set(recording.frames.flatMap(({ persons }) => persons.map(({ id }) => id)))];
}

// [start, end] in seconds of each piece that is looked at.
export function windows({ duration }) {
  if (duration <= WHOLE) return [[0, duration]];
  const starts = [];
  for (let start = 0; start + WINDOW < duration; start += STEP) starts.push(start);
  return [...starts, duration - WINDOW].map((start) => [start, start + WINDOW]);
}

// A clip of one person, or of all (null), in those seconds; null where nobody is there.
export function cut(recording, person, start, end, most = 10) {
  const frames = recording.frames.filter(({ time }) => time >= start - 1e-6 && time < end - 1e-6);
  const there = new Set(frames.flatMap(({ persons }) => persons.map(({ id }) => id)));
  const ids = person === null ? [...there].slice(0, most) : [person].filter((id) => there.has(id));
  if (!ids.length) return null;
  const absent = { keypoint: recording.joints.map(() => [0, 0]), score: recording.joints.map(() => 0) };
  const rows = (key) =>
    ids.map((id) => frames.map(({ persons }) => (persons.find((p) => p.id === id) ?? absent)[key]));
  return { keypoint: rows("keypoint"), score: rows("score"), frame_size: recording.size };
}

// The frame that is seen at a time, by halving.
export function frameAt({ frames }, time) {
  let [low, high] = [0, frames.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (frames[middle].time <= time + 1e-6) low = middle;
    else high = middle - 1;
  }
  return low;
}

// Neighbouring windows of one name become one event; `sure` ones replace what is under them.
export function addEvent(events, { person, start, end, name, probability }) {
  const last = events.findLast((event) => event.person === person);
  if (last && last.name === name && start <= last.end + 0.5) {
    const count = last.count ?? 1;
    last.probability = (last.probability * count + probability) / (count + 1);
    last.count = count + 1;
    last.end = Math.max(last.end, end);
    return;
  }
  events.push({ person, start: last ? Math.max(start, Math.min(last.end, end)) : start, end, name, probability });
}
