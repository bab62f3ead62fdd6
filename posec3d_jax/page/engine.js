// What recognises: the service. `posec3d export --format=page` puts another engine.js in its place.

import { Explained } from "./explained.js";

const TRIES = 4;
const PATIENCE = 60000; // ms
let token = "";

export const setToken = (text) => {
  token = text;
};

const headers = (kind) => ({
  ...(kind && { "Content-Type": kind }),
  ...(token && { Authorization: `Bearer ${token}` }),
});

async function send(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Explained(
      error.name === "TimeoutError"
        ? "The service did not answer within a minute. Try again."
        : "The service cannot be reached. Is it still running?",
    );
  }
  if (answer.ok) return answer;
  const { error } = await answer.json().catch(() => ({}));
  const fault = new Explained(error ?? `The service answers ${answer.status}.`);
  fault.status = answer.status;
  throw fault;
}

async function ask(path, body, kind = "application/json") {
  for (let attempt = 1; ; attempt++) {
    const options = { headers: headers(body && kind), signal: AbortSignal.timeout(PATIENCE) };
    if (body) Object.assign(options, { method: "POST", body });
    try {
      return await (await send(path, options)).json();
    } catch (error) {
      if (error.status !== 503 || attempt === TRIES) throw error;
      await new Promise((done) => setTimeout(done, 1000 * attempt));
    }
  }
}

// {name, classes, layout, joints, limbs, persons, volume, videos, no_videos_because}
export const model = () => ask("v1/model");
export const clipNames = () => ask("v1/clips");
export const builtIn = (name) => ask(`v1/clips/${encodeURIComponent(name)}`);

// {name, classes: [{name, probability}], warnings} of {keypoint, score, frame_size}.
export const recognise = (clip) => ask("v1/recognise", JSON.stringify(clip));

// {shape: [T, H, W, C], voxels: [t, y, x, c, brightness, ...]}: what the network is shown of it.
export const volume = (clip) => ask("v1/volume", JSON.stringify(clip));

// [{keypoint, score}] of a picture's pixels.
export async function poses({ data, width, height }) {
  const path = `v1/poses?width=${width}&height=${height}`;
  return (await ask(path, data, "application/octet-stream")).persons;
}

// Yields what is found in a video as it is found: {video}, {frame}, {window}, {event}, {end}.
export async function* video(file, signal) {
  const answer = await send("v1/videos?details=true", {
    method: "POST",
    body: file,
    headers: { ...headers("application/octet-stream"), Accept: "application/x-ndjson" },
    signal,
  });
  const lines = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let ended = false;
  for (;;) {
    const { value, done } = await lines.read().catch((error) => {
      if (signal.aborted) throw error;
      throw new Explained("The connection broke while the video was looked at. Try again.");
    });
    rest += value ?? "";
    const whole = rest.split("\n");
    rest = whole.pop();
    for (const text of whole) {
      const line = JSON.parse(text);
      if (line.error) throw new Explained(line.error);
      ended ||= "end" in line;
      yield line;
    }
    if (done && ended) return;
    if (done) throw new Explained("The answer ended before the video did. Try again.");
  }
}
