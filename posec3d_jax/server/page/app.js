// The page: a clip is picked, played and recognised; what is seen and what is said stay in step.

import { drawSkeletons, drawTimeline, drawVolume } from "./drawing.js";
import { Explained, builtIn, clipNames, model, readFile, recognise } from "./recognising.js";

const $ = (id) => document.getElementById(id);
const FPS = 30;
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
const state = { about: null, clip: null, events: [], frame: 0, playing: false, person: null, angle: 0.6, job: 0 };

function say(text) {
  $("status").textContent = text;
}

function fail(error) {
  $("error").hidden = false;
  $("error").textContent = error instanceof Explained ? error.message : `Something went wrong: ${error.message}`;
  say("");
}

function draw() {
  const { clip, about, frame, angle, person, events } = state;
  const frames = clip?.keypoint[0].length ?? 0;
  drawSkeletons($("skeleton"), clip, about?.limbs ?? [], frame, person);
  drawVolume($("volume"), clip, frame, angle, person);
  drawTimeline($("timeline"), events, frames, frame, about?.classes ?? []);
  $("frame").value = frame;
  $("time").textContent = `${frames ? frame + 1 : 0} / ${frames}`;
}

function goTo(frame) {
  const frames = state.clip?.keypoint[0].length ?? 0;
  if (!frames) return;
  state.frame = (frame + frames) % frames;
  draw();
}

function play(on) {
  state.playing = on && Boolean(state.clip);
  $("play").textContent = state.playing ? "Stop" : "Play";
  $("play").setAttribute("aria-pressed", String(state.playing));
}

function showRows() {
  const cells = (texts) => {
    const row = document.createElement("tr");
    for (const text of texts) row.appendChild(document.createElement("td")).textContent = text;
    return row;
  };
  const rows = state.events.map(({ start, end, name, probability }) =>
    cells([`${start + 1} to ${end}`, name.replaceAll("_", " "), `${(100 * probability).toFixed(1)} %`]),
  );
  $("rows").replaceChildren(...(rows.length ? rows : [cells(["", "Nothing yet.", ""])]));
}

async function look() {
  const job = ++state.job;
  state.events = [];
  showRows();
  draw();
  $("error").hidden = true;
  say("Recognising …");
  try {
    for await (const event of recognise(state.clip, state.person)) {
      if (job !== state.job) return; // another clip was picked meanwhile
      state.events.push(event);
      showRows();
      draw();
    }
    const [first] = state.events;
    const odd = first.warnings.length ? ` (${first.warnings.join("; ")})` : "";
    say(state.events.length > 1 ? `Done: ${state.events.length} windows.` : `Done: ${first.name.replaceAll("_", " ")}.${odd}`);
  } catch (error) {
    if (job === state.job) fail(error);
  }
}

function take(clip) {
  state.clip = clip;
  state.frame = 0;
  state.person = null;
  const frames = clip.keypoint[0].length;
  $("frame").max = frames - 1;
  $("frame").disabled = $("play").disabled = false;
  const people = clip.keypoint.map((_, m) => new Option(`person ${m + 1}`, m));
  $("person").replaceChildren(new Option("everybody together", ""), ...people);
  $("person").disabled = clip.keypoint.length < 2;
  play(!still);
  look();
}

async function takeFile(file) {
  if (!file) return;
  $("error").hidden = true;
  say(`Reading ${file.name} …`);
  try {
    take(await readFile(file, state.about));
  } catch (error) {
    fail(error);
  }
}

async function takeBuiltIn(name) {
  $("error").hidden = true;
  say("Loading the clip …");
  try {
    take(await builtIn(name));
  } catch (error) {
    fail(error);
  }
}

function listen() {
  $("clips").addEventListener("change", () => takeBuiltIn($("clips").value));
  $("file").addEventListener("change", () => takeFile($("file").files[0]));
  $("person").addEventListener("change", () => {
    state.person = $("person").value === "" ? null : Number($("person").value);
    look();
  });
  $("play").addEventListener("click", () => play(!state.playing));
  $("frame").addEventListener("input", () => {
    play(false);
    goTo(Number($("frame").value));
  });
  for (const kind of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      event.preventDefault();
      $("drop").classList.toggle("over", kind === "dragover");
      if (kind === "drop") takeFile(event.dataTransfer.files[0]);
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("select, input, button, a") || event.ctrlKey || event.metaKey || event.altKey) return;
    const moves = { ArrowLeft: -1, ArrowRight: 1 };
    if (event.key === " ") play(!state.playing);
    else if (event.key in moves) {
      play(false);
      goTo(state.frame + moves[event.key]);
    } else return;
    event.preventDefault();
  });
}

function animate() {
  let last = performance.now();
  const tick = (now) => {
    const passed = now - last;
    if (state.playing && passed >= 1000 / FPS) {
      last = now;
      state.angle += 0.01;
      goTo(state.frame + 1);
    }
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}

async function start() {
  listen();
  animate();
  draw();
  try {
    state.about = await model();
    const { name, classes, layout } = state.about;
    $("model").textContent = `${name}: ${classes.length} actions, joints of ${layout}.`;
    const names = await clipNames();
    const options = names.map((name) => new Option(name.replaceAll("_", " "), name));
    $("clips").replaceChildren(...options);
    if (layout === "coco_17") {
      $("clips").disabled = false;
      await takeBuiltIn($("clips").value);
    } else {
      $("clips").replaceChildren(new Option("none for this layout"));
      say("Drop a file to begin.");
    }
  } catch (error) {
    fail(error);
  }
}

start();
