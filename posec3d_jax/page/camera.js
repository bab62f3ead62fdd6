// The camera: pictures are taken, the engine finds people in them, labels follow twice a second.

import { Explained } from "./explained.js";
import { Following } from "./following.js";
import { cut } from "./recording.js";

const SIDE = 320; // pixels of the longer side of what the engine is shown
const WINDOW = 2; // seconds of one label
const EVERY = 0.5; // seconds between labels
const KEPT = 30; // seconds that are remembered

// The camera's stream in the video element, or an Explained error.
export async function openCamera(element) {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new Explained("Browsers give pages the camera only over https, or on this machine (localhost).");
  }
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480 }, audio: false });
  } catch (error) {
    const reasons = {
      NotAllowedError: "The browser was not allowed to use the camera. Allow it beside the address, and try again.",
      NotFoundError: "There is no camera. Connect one, and try again.",
      NotReadableError: "The camera is in use by another program. Close it, and try again.",
    };
    throw new Explained(reasons[error.name] ?? `The camera cannot be used: ${error.message}`);
  }
  element.srcObject = stream;
  await element.play();
  return () => {
    stream.getTracks().forEach((track) => track.stop());
    element.srcObject = null;
  };
}

// Yields {frame, events} for each picture until the signal is aborted; `recording` grows by frames.
export async function* watch(element, recording, engine, signal) {
  const picture = document.createElement("canvas");
  const scale = SIDE / Math.max(element.videoWidth, element.videoHeight);
  picture.width = Math.max(Math.round(element.videoWidth * scale), 16);
  picture.height = Math.max(Math.round(element.videoHeight * scale), 16);
  recording.size = [picture.height, picture.width];
  const pen = picture.getContext("2d", { willReadFrequently: true });
  const following = new Following();
  const began = performance.now();
  let due = EVERY;
  while (!signal.aborted) {
    pen.drawImage(element, 0, 0, picture.width, picture.height);
    const time = (performance.now() - began) / 1000;
    const found = await engine.poses(pen.getImageData(0, 0, picture.width, picture.height));
    if (signal.aborted) return;
    recording.frames.push({ time, persons: following.follow(found, time) });
    recording.duration = time;
    while (recording.frames[0].time < time - KEPT) recording.frames.shift();
    const events = time >= due ? await label(recording, time, engine) : [];
    if (events.length) due = time + EVERY;
    yield { time, events };
    await new Promise((done) => requestAnimationFrame(done));
  }
}

async function label(recording, time, engine) {
  const start = Math.max(time - WINDOW, recording.frames[0].time);
  const now = recording.frames.at(-1).persons.map(({ id }) => id);
  const events = [];
  for (const person of now) {
    const clip = cut(recording, person, start, Infinity);
    if (!clip || time - start < WINDOW / 2) continue;
    const { classes } = await engine.recognise(clip);
    events.push({ person, start: time - EVERY, end: time, ...classes[0] });
  }
  return events;
}
