// Asks the service: its model, its clips, and what is done in the windows of a clip.

export class Explained extends Error {} // an error whose message is for people

const TRIES = 4;

async function ask(path, options = {}) {
  for (let attempt = 1; ; attempt++) {
    let answer;
    try {
      answer = await fetch(path, { ...options, signal: AbortSignal.timeout(60000) });
    } catch (error) {
      throw new Explained(
        error.name === "TimeoutError"
          ? "The service did not answer within a minute. Try again."
          : "The service cannot be reached. Is it still running?",
      );
    }
    if (answer.status === 503 && attempt < TRIES) {
      await new Promise((done) => setTimeout(done, 1000 * attempt));
      continue;
    }
    const content = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Explained(content.error ?? `The service answers ${answer.status}.`);
    return content;
  }
}

export const model = () => ask("v1/model");
export const clipNames = () => ask("v1/clips");
export const builtIn = (name) => ask(`v1/clips/${encodeURIComponent(name)}`);

// A file of keypoints as people have them, or an Explained error that says what is wrong with it.
export async function readFile(file, about) {
  if (file.size > 200e6) throw new Explained(`${file.name} is too large for the page (200 MB).`);
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
  const [joints] = [clip.keypoint[0]?.[0]?.length];
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

const WHOLE = 150; // frames of a clip that is looked at in one piece
const WINDOW = 90;
const STEP = 45;

export function windows(frames) {
  if (frames <= WHOLE) return [[0, frames]];
  const starts = [];
  for (let start = 0; start + WINDOW < frames; start += STEP) starts.push(start);
  return [...starts, frames - WINDOW].map((start) => [start, start + WINDOW]);
}

// Yields {start, end, name, probability} for each window, in order.
export async function* recognise(clip, person) {
  const cut = (rows, start, end) => rows?.map((frames) => frames.slice(start, end));
  const of = (rows) => (person === null || !rows ? rows : [rows[person]]);
  for (const [start, end] of windows(clip.keypoint[0].length)) {
    const body = {
      keypoint: cut(of(clip.keypoint), start, end),
      frame_size: clip.frame_size,
      ...(clip.score && { score: cut(of(clip.score), start, end) }),
    };
    const { classes, warnings } = await ask("v1/recognise", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    yield { start, end, ...classes[0], classes, warnings };
  }
}
