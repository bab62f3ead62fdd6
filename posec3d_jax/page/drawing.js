// Draws skeletons over a picture, and actions over time. Nothing here knows of the network.

const PEOPLE = ["#5ab4ff", "#ffb454", "#7ee787", "#ff7b9c", "#c69cff", "#f2e06e"];
const LANES = 6;
const NAMES = 84; // pixels of the timeline that tell whose lane it is
export const personColour = (id) => PEOPLE[id % PEOPLE.length];
export const spoken = (name) => name.replaceAll("_", " ");

const present = (p) => p && p[0] !== null && p[1] !== null && (p[0] !== 0 || p[1] !== 0);

// The people of a frame, in the recording's own picture fitted into the canvas.
export function drawSkeletons(canvas, recording, frame, chosen) {
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, canvas.width, canvas.height);
  if (!recording) return;
  const [height, width] = recording.size;
  const scale = Math.min(canvas.width / width, canvas.height / height);
  const left = (canvas.width - width * scale) / 2;
  const top = (canvas.height - height * scale) / 2;
  pen.strokeStyle = "#444a54";
  pen.lineWidth = 1;
  pen.strokeRect(left + 0.5, top + 0.5, width * scale - 1, height * scale - 1);
  pen.lineCap = "round";
  for (const { id, keypoint, score } of recording.frames[frame]?.persons ?? []) {
    if (chosen !== null && chosen !== id) continue;
    const at = (v) => [left + keypoint[v][0] * scale, top + keypoint[v][1] * scale];
    const seen = (v) => present(keypoint[v]) && score[v] > 0.05;
    pen.strokeStyle = pen.fillStyle = personColour(id);
    pen.lineWidth = 5;
    for (const [a, b] of recording.limbs) {
      if (!seen(a) || !seen(b)) continue;
      pen.beginPath();
      pen.moveTo(...at(a));
      pen.lineTo(...at(b));
      pen.stroke();
    }
    keypoint.forEach((_, v) => {
      if (!seen(v)) return;
      pen.beginPath();
      pen.arc(...at(v), 5, 0, 2 * Math.PI);
      pen.fill();
    });
  }
}

// Each person's actions as bars in a lane of their own; and where the recording is just now.
export function drawTimeline(canvas, events, [from, to], time, classes) {
  const pen = canvas.getContext("2d");
  const style = getComputedStyle(canvas);
  pen.clearRect(0, 0, canvas.width, canvas.height);
  if (to <= from) return;
  const persons = [...new Set(events.map(({ person }) => person))].slice(0, LANES);
  const lane = canvas.height / Math.max(persons.length, 2);
  const x = (t) => NAMES + ((t - from) / (to - from)) * (canvas.width - NAMES);
  pen.font = "18px system-ui, sans-serif";
  pen.textBaseline = "middle";
  pen.fillStyle = style.color;
  persons.forEach((id, row) => pen.fillText(id === null ? "all" : `person ${id + 1}`, 4, (row + 0.5) * lane, NAMES - 8));
  for (const { person, start, end, name } of events) {
    const row = persons.indexOf(person);
    const [left, right] = [Math.max(x(start), NAMES), x(end)];
    if (row < 0 || right <= NAMES) continue;
    pen.fillStyle = `hsl(${(classes.indexOf(name) * 360) / classes.length} 55% 35%)`;
    pen.fillRect(left + 1, row * lane + 3, right - left - 2, lane - 6);
    pen.save();
    pen.beginPath();
    pen.rect(left, row * lane, right - left - 6, lane);
    pen.clip();
    pen.fillStyle = "#fff";
    pen.fillText(spoken(name), left + 8, (row + 0.5) * lane);
    pen.restore();
  }
  pen.fillStyle = style.color;
  pen.fillRect(x(time) - 1.5, 0, 3, canvas.height);
}
