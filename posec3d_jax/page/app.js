// The page: something is picked and recognised; what is seen and what is said stay in step.

import { openCamera, watch } from "./camera.js";
import { drawSkeletons, drawTimeline, spoken } from "./drawing.js";
import * as engine from "./engine.js";
import { Explained } from "./explained.js";
import { WHOLE, addEvent, cut, frameAt, fromClip, personsOf, readClip, windows } from "./recording.js";
import { channelSides, cloud, drawVolume } from "./volume.js";

const $ = (id) => document.getElementById(id);
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
const VOLUME = 2; // seconds of a long recording that the volume shows
const BEHIND = 15; // seconds of the timeline that a camera's labels have
const state = {
  about: null, recording: null, events: [], time: 0, playing: false, live: false, angle: 0.6,
  volume: null, shown: [0, 0], // what the volume is of, seconds
  job: new AbortController(), closeCamera: null,
};

const say = (text) => {
  $("status").textContent = text;
};

function fail(error) {
  if (error.name === "AbortError") return;
  $("error").textContent = error instanceof Explained ? error.message : `Something went wrong: ${error.message}`;
  $("access").hidden = error.status !== 401;
  say("");
}

// Drawing

function draw() {
  const { recording, about, time, events, shown, live, angle, volume } = state;
  const duration = recording?.duration ?? 0;
  drawSkeletons($("skeleton"), recording, recording ? frameAt(recording, time) : 0, chosenPerson());
  const share = shown[1] > shown[0] && time >= shown[0] && time < shown[1] ? (time - shown[0]) / (shown[1] - shown[0]) : null;
  const sides = about && volume ? channelSides(volume.shape[3], recording.joints, recording.limbs) : [];
  drawVolume($("volume"), volume, sides, angle, live ? null : share);
  const range = live ? [Math.max(duration - BEHIND, 0), Math.max(duration, BEHIND)] : [0, duration];
  drawTimeline($("timeline"), events, range, time, about?.classes ?? []);
  $("frame").value = time;
  $("time").textContent = `${time.toFixed(1)} / ${duration.toFixed(1)} s`;
}

function showRows() {
  const cells = (texts) => {
    const row = document.createElement("tr");
    for (const text of texts) row.appendChild(document.createElement("td")).textContent = text;
    return row;
  };
  const rows = state.events.map(({ person, start, end, name, probability }) =>
    cells([
      person === null ? "all" : `${person + 1}`,
      `${start.toFixed(1)} to ${end.toFixed(1)}`,
      spoken(name),
      `${(100 * probability).toFixed(0)} %`,
    ]),
  );
  if (state.live) rows.reverse();
  $("rows").replaceChildren(...(rows.length ? rows : [cells(["", "", "Nothing yet.", ""])]));
}

const chosen = () => $("person").value;
const chosenPerson = () => (["each", "all"].includes(chosen()) ? null : Number(chosen()));

function offerPersons() {
  const known = [...$("person").options].slice(2).map((option) => Number(option.value));
  const persons = personsOf(state.recording).filter((id) => !known.includes(id));
  for (const id of persons) $("person").add(new Option(`person ${id + 1}'s`, id));
  $("person").disabled = state.live || $("person").options.length < 4;
}

// The volume of what is seen just now; asked for anew when that has gone by.
async function showVolume(start, end) {
  const { recording, job, about } = state;
  const person = chosenPerson() ?? (chosen() === "all" ? null : (personsOf(recording)[0] ?? null));
  const clip = cut(recording, person, start, end, about.persons);
  if (!clip) return;
  const volume = about.volume ? await engine.volume(clip) : cloud(clip);
  if (job.signal.aborted) return;
  Object.assign(state, { volume, shown: [start, end] });
  draw();
}

function followVolume() {
  const { recording, time, shown, live, asking } = state;
  if (!recording?.frames.length || live || asking) return;
  const whole = recording.duration <= WHOLE;
  if (shown[1] > shown[0] && (whole || (time >= shown[0] && time < shown[1]))) return;
  const start = whole ? 0 : Math.floor(time / VOLUME) * VOLUME;
  state.asking = showVolume(start, whole ? recording.duration : start + VOLUME)
    .catch(fail)
    .finally(() => (state.asking = null));
}

// Time

const seen = () => $("video").classList.contains("shown") && !state.live;

function goTo(time) {
  const duration = state.recording?.duration ?? 0;
  if (!duration) return;
  state.time = ((time % duration) + duration) % duration;
  if (seen() && Math.abs($("video").currentTime - state.time) > 0.2) $("video").currentTime = state.time;
  draw();
  followVolume();
}

function play(on) {
  state.playing = on && Boolean(state.recording) && !state.live;
  $("play").textContent = state.playing ? "Pause" : "Play";
  $("play").setAttribute("aria-pressed", String(state.playing));
  if (seen()) state.playing ? $("video").play().catch(() => {}) : $("video").pause();
}

function step(frames) {
  const { recording, time } = state;
  if (!recording?.frames.length) return;
  play(false);
  const count = recording.frames.length;
  goTo(recording.frames[(frameAt(recording, time) + frames + count) % count].time);
}

function animate() {
  let last = performance.now();
  const tick = (now) => {
    const passed = Math.min((now - last) / 1000, 0.1);
    last = now;
    if (state.live || state.playing) {
      if (!still) state.angle += 0.3 * passed;
      if (state.live) draw();
      else goTo(seen() ? $("video").currentTime : state.time + passed);
    }
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}

// Looking

// Ends what was going on; gives what the new work is known by.
function begin(recording, live = false) {
  state.job.abort();
  state.closeCamera?.();
  if (state.recording?.url) URL.revokeObjectURL(state.recording.url);
  const job = new AbortController();
  Object.assign(state, { job, recording, events: [], time: 0, live, volume: null, shown: [0, 0], closeCamera: null });
  $("error").textContent = "";
  $("person").replaceChildren(...[...$("person").options].slice(0, 2));
  $("person").disabled = true;
  $("person").value = "each";
  $("camera").setAttribute("aria-pressed", String(live));
  $("camera").textContent = live ? "Stop the camera" : "Use the camera";
  showVideo(recording?.url ?? "");
  play(false);
  $("play").disabled = $("frame").disabled = live || !recording;
  $("frame").max = recording?.duration || 1;
  showRows();
  draw();
  return job;
}

function showVideo(url) {
  const video = $("video");
  video.classList.toggle("shown", Boolean(url) || state.live);
  if (!url) return video.removeAttribute("src");
  video.src = url;
  video.loop = true;
  // Not every browser plays what the service reads; the skeletons are shown all the same.
  video.onerror = () => video.classList.remove("shown");
}

async function working(job, work) {
  $("stop").disabled = false;
  try {
    await work();
  } catch (error) {
    if (!job.signal.aborted) fail(error);
  } finally {
    if (state.job === job) $("stop").disabled = true;
  }
}

// Looks at a recording that is there, person by person or as the page says.
async function look(job) {
  const { recording, about } = state;
  const persons = chosen() === "each" ? personsOf(recording) : [chosenPerson()];
  state.events = [];
  showRows();
  say("Recognising …");
  const odd = new Set();
  for (const [start, end] of windows(recording)) {
    for (const person of persons) {
      const clip = cut(recording, person, start, end, about.persons);
      if (!clip) continue;
      const { classes, warnings } = await engine.recognise(clip);
      if (job.signal.aborted) return;
      warnings.forEach((warning) => odd.add(warning));
      addEvent(state.events, { person, start, end, ...classes[0] });
      showRows();
      draw();
    }
  }
  const first = state.events[0];
  const single = state.events.length === 1 ? `: ${spoken(first.name)}` : `: ${state.events.length} actions`;
  say(`Done${first ? single : ", but nobody is there"}.${odd.size ? ` (${[...odd].join("; ")})` : ""}`);
}

function take(clip) {
  const job = begin(fromClip(clip, state.about));
  offerPersons();
  play(!still);
  followVolume();
  working(job, () => look(job));
}

async function takeBuiltIn(name) {
  const job = begin(null);
  say("Loading the clip …");
  await working(job, async () => {
    const clip = await engine.builtIn(name);
    if (!job.signal.aborted) take(clip);
  });
}

async function takeFile(file) {
  if (!file) return;
  const video = !/\.json$/i.test(file.name) && !file.type.includes("json");
  if (video) return takeVideo(file);
  const job = begin(null);
  say(`Reading ${file.name} …`);
  await working(job, async () => {
    const clip = await readClip(file, state.about);
    if (!job.signal.aborted) take(clip);
  });
}

async function takeVideo(file) {
  const { about } = state;
  if (!about.videos) {
    begin(null);
    return fail(new Explained(`Videos cannot be looked at here: ${about.no_videos_because}`));
  }
  const empty = { size: [3, 4], limbs: about.limbs, joints: about.joints, frames: [], duration: 0 };
  const job = begin({ ...empty, url: URL.createObjectURL(file) });
  say(`Sending ${file.name} (${(file.size / 1e6).toFixed(1)} MB) …`);
  await working(job, async () => {
    for await (const line of engine.video(file, job.signal)) {
      if (job.signal.aborted) return;
      hear(line, state.recording);
    }
    say(`Done: ${state.events.length} actions.`);
    play(!still);
  });
}

// One line of what the service says of a video.
function hear({ video, frame, window: seconds, event }, recording) {
  if (video) {
    Object.assign(recording, { size: video.size, duration: video.duration, joints: video.joints, limbs: video.limbs });
    $("frame").max = video.duration;
  }
  if (frame) {
    const persons = frame.persons.map((id, n) => ({ id, keypoint: frame.keypoint[n], score: frame.score[n] }));
    recording.frames.push({ time: frame.time, persons });
    recording.duration = Math.max(recording.duration, frame.time);
    if (!state.playing) goTo(frame.time);
    say(`Looking: ${frame.time.toFixed(1)} of ${recording.duration.toFixed(1)} seconds …`);
    offerPersons();
  }
  // What a window says is for now; the event that comes of it takes its place.
  if (seconds) addEvent(state.events, { ...seconds, ...seconds.classes[0] });
  if (event) settle(event);
  if (seconds || event) showRows();
  draw();
}

function settle({ person, start, end, class: name, score }) {
  const kept = state.events.filter((one) => one.person !== person || one.sure || one.end > end + 0.01);
  kept.forEach((one) => {
    if (one.person === person && !one.sure) one.start = Math.max(one.start, end);
  });
  const mine = { person, start, end, name, probability: score, sure: true };
  state.events = [...kept.filter((one) => one.sure), mine, ...kept.filter((one) => !one.sure)];
}

async function useCamera() {
  const { about } = state;
  const frames = { size: [3, 4], limbs: about.limbs, joints: about.joints, frames: [], duration: 0, url: "" };
  const job = begin(frames, true);
  say("Asking for the camera …");
  await working(job, async () => {
    const close = await openCamera($("video"));
    if (job.signal.aborted) return close();
    state.closeCamera = close;
    say("Looking through the camera. Pictures go to the service that this page came from, and are not kept.");
    for await (const { time, events } of watch($("video"), frames, engine, job.signal)) {
      state.time = time;
      events.forEach((event) => addEvent(state.events, event));
      state.events = state.events.slice(-100);
      if (!events.length) continue;
      showRows();
      showVolume(Math.max(time - VOLUME, 0), Infinity).catch(() => {});
    }
  });
}

function stop() {
  const { live } = state;
  state.job.abort();
  state.closeCamera?.();
  state.closeCamera = null;
  $("stop").disabled = true;
  say("Stopped.");
  if (live) begin(null);
}

function listen() {
  $("clips").addEventListener("change", () => takeBuiltIn($("clips").value));
  $("file").addEventListener("change", () => {
    takeFile($("file").files[0]);
    $("file").value = ""; // the same file may be chosen again
  });
  $("camera").addEventListener("click", () => (state.live ? stop() : useCamera()));
  $("stop").addEventListener("click", stop);
  $("person").addEventListener("change", () => {
    state.shown = [0, 0];
    followVolume();
    if (state.recording.url) return draw(); // a video's people were all looked at
    state.job.abort();
    const job = (state.job = new AbortController());
    working(job, () => look(job));
  });
  $("play").addEventListener("click", () => play(!state.playing));
  $("frame").addEventListener("input", () => {
    play(false);
    goTo(Number($("frame").value));
  });
  $("access").addEventListener("submit", (event) => {
    event.preventDefault();
    engine.setToken($("token").value);
    start();
  });
  for (const kind of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      event.preventDefault();
      $("drop").classList.toggle("over", kind === "dragover");
      if (kind === "drop" && state.about) takeFile(event.dataTransfer.files[0]);
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("select, input, button, a, .scroll") || event.ctrlKey || event.metaKey || event.altKey) return;
    const moves = { ArrowLeft: -1, ArrowRight: 1 };
    if (event.key === " ") play(!state.playing);
    else if (event.key in moves) step(moves[event.key]);
    else return;
    event.preventDefault();
  });
}

async function start() {
  $("error").textContent = "";
  $("access").hidden = true;
  try {
    state.about = await engine.model();
    const { name, classes, layout, volume, videos, no_videos_because: reason } = state.about;
    $("model").textContent = `${name}: ${classes.length} actions, joints of ${layout}.`;
    $("camera").disabled = !videos;
    if (!videos) $("takes").textContent = "Or drop keypoints (JSON) here.";
    if (!videos) $("takes").title = reason;
    if (!volume) $("caption").textContent = "The joints over time, which this network is shown as a graph.";
    const names = await engine.clipNames();
    $("clips").replaceChildren(...names.map((name) => new Option(spoken(name), name)));
    $("clips").disabled = layout !== "coco_17";
    if (layout === "coco_17") return await takeBuiltIn($("clips").value);
    $("clips").replaceChildren(new Option("none for this layout"));
    say("Drop a file to begin.");
  } catch (error) {
    fail(error);
  }
}

listen();
animate();
draw();
start();
