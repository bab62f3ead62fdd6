// What recognises: the exported network, in the browser. Nothing leaves the machine.

import { Explained } from "./explained.js";
import * as ort from "./onnxruntime/ort.wasm.min.mjs";

ort.env.wasm.wasmPaths = new URL("./onnxruntime/", import.meta.url).href;
ort.env.wasm.numThreads = 1; // more would need headers that not every server sends

const FAINT = 0.08; // of the brightest: voxels below it are left out
const sessions = new Map();

async function read(path) {
  const answer = await fetch(path).catch(() => null);
  if (!answer?.ok) throw new Explained(`${path} cannot be read. Was the folder copied as a whole?`);
  return answer;
}

async function session(file) {
  if (!sessions.has(file)) {
    const opened = read(file)
      .then((answer) => answer.arrayBuffer())
      .then((content) => ort.InferenceSession.create(new Uint8Array(content)));
    sessions.set(file, opened);
    opened.catch(() => sessions.delete(file));
  }
  return sessions.get(file);
}

let about = null;
export async function model() {
  about = await (await read("model.json")).json();
  return about;
}
export const clipNames = async () => (await read("clips.json")).json();
export const builtIn = async (name) => (await read(`clips/${name}.json`)).json();
export const setToken = () => {};

// The network's inputs: of each person the middles of as many parts of the clip as it has frames.
function inputs({ keypoint, score, frame_size }) {
  const { persons, frames } = about;
  const joints = about.joints.length;
  const length = keypoint[0].length;
  const [points, scores] = [new Float32Array(persons * frames * joints * 2), new Float32Array(persons * frames * joints)];
  keypoint.slice(0, persons).forEach((person, m) => {
    for (let t = 0; t < frames; t++) {
      const row = Math.floor(((t + 0.5) * length) / frames);
      const at = (m * frames + t) * joints;
      person[row].forEach(([x, y], v) => {
        points.set([x ?? 0, y ?? 0], 2 * (at + v));
        scores[at + v] = (x || y) && (score?.[m][row][v] ?? 1);
      });
    }
  });
  if (!(frame_size[0] > 0 && frame_size[1] > 0)) {
    throw new Explained("frame_size is [height, width] in pixels, each above 0");
  }
  return {
    keypoint: new ort.Tensor("float32", points, [1, persons, frames, joints, 2]),
    score: new ort.Tensor("float32", scores, [1, persons, frames, joints]),
    frame_size: new ort.Tensor("float32", Float32Array.from(frame_size), [1, 2]),
  };
}

// {classes: [{name, probability}], warnings} of {keypoint, score, frame_size}.
export async function recognise(clip) {
  const { probabilities } = await (await session("model.onnx")).run(inputs(clip));
  const named = [...probabilities.data].map((probability, k) => ({ name: about.classes[k], probability }));
  const classes = named.sort((a, b) => b.probability - a.probability);
  return { classes, warnings: [] };
}

// {shape, voxels} of what the network is shown.
export async function volume(clip) {
  const { volume: drawn } = await (await session("volume.onnx")).run(inputs(clip));
  const shape = drawn.dims.slice(1);
  const [, height, width, channels] = shape;
  const brightest = Math.max(drawn.data.reduce((most, x) => Math.max(most, x), 0), 1e-6);
  const voxels = [];
  drawn.data.forEach((value, i) => {
    if (value / brightest <= FAINT) return;
    const c = i % channels;
    const x = Math.floor(i / channels) % width;
    const y = Math.floor(i / (channels * width)) % height;
    voxels.push(Math.floor(i / (channels * width * height)), y, x, c, Math.round((255 * value) / brightest));
  });
  return { shape, voxels };
}

export async function poses() {
  throw new Explained(about.no_videos_because);
}

export async function* video() {
  throw new Explained(about.no_videos_because);
}
