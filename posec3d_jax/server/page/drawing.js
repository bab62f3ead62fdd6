// Draws skeletons, the joints over time and the timeline. Nothing here knows of the network.

const PEOPLE = ["#5ab4ff", "#ffb454", "#7ee787", "#ff7b9c", "#c69cff", "#f2e06e"];
export const personColour = (m) => PEOPLE[m % PEOPLE.length];

const present = (p) => p && p[0] !== null && p[1] !== null && (p[0] !== 0 || p[1] !== 0);

// One frame's people, in the clip's own frame fitted into the canvas.
export function drawSkeletons(canvas, clip, limbs, frame, chosen) {
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, canvas.width, canvas.height);
  if (!clip) return;
  const [height, width] = clip.frame_size;
  const scale = Math.min(canvas.width / width, canvas.height / height);
  const left = (canvas.width - width * scale) / 2;
  const top = (canvas.height - height * scale) / 2;
  pen.strokeStyle = "#444a54";
  pen.lineWidth = 1;
  pen.strokeRect(left + 0.5, top + 0.5, width * scale - 1, height * scale - 1);
  clip.keypoint.forEach((person, m) => {
    if (chosen !== null && chosen !== m) return;
    const joints = person[frame];
    const score = clip.score?.[m]?.[frame];
    const at = (v) => [left + joints[v][0] * scale, top + joints[v][1] * scale];
    const seen = (v) => present(joints[v]) && !(score && score[v] <= 0.05);
    pen.strokeStyle = pen.fillStyle = personColour(m);
    pen.lineWidth = 4;
    pen.lineCap = "round";
    for (const [a, b] of limbs) {
      if (!seen(a) || !seen(b)) continue;
      pen.beginPath();
      pen.moveTo(...at(a));
      pen.lineTo(...at(b));
      pen.stroke();
    }
    joints.forEach((_, v) => {
      if (!seen(v)) return;
      pen.beginPath();
      pen.arc(...at(v), 4, 0, 2 * Math.PI);
      pen.fill();
    });
  });
}

// The joints of all frames around the people as a cloud: time into the picture, turned by `angle`.
export function drawVolume(canvas, clip, frame, angle, chosen) {
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, canvas.width, canvas.height);
  if (!clip) return;
  const people = clip.keypoint.filter((_, m) => chosen === null || chosen === m);
  const points = people.flatMap((person) => person.flatMap((joints) => joints.filter(present)));
  if (!points.length) return;
  const low = [0, 1].map((i) => points.reduce((n, p) => Math.min(n, p[i]), Infinity));
  const high = [0, 1].map((i) => points.reduce((n, p) => Math.max(n, p[i]), -Infinity));
  const reach = Math.max(high[0] - low[0], high[1] - low[1], 1) / 2;
  const middle = [0, 1].map((i) => (low[i] + high[i]) / 2);
  const frames = clip.keypoint[0].length;
  const shown = 32;
  const size = canvas.width * 0.3;
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
  const place = (x, y, z) => [
    canvas.width / 2 + size * (x * cos + z * sin),
    canvas.height / 2 + size * (y + 0.35 * (z * cos - x * sin)),
  ];
  pen.strokeStyle = "#444a54";
  const corners = [[-1, -1], [1, -1], [1, 1], [-1, 1]];
  for (const z of [-1.2, 1.2]) {
    pen.beginPath();
    corners.forEach(([x, y], i) => (i ? pen.lineTo(...place(x, y, z)) : pen.moveTo(...place(x, y, z))));
    pen.closePath();
    pen.stroke();
  }
  for (const [x, y] of corners) {
    pen.beginPath();
    pen.moveTo(...place(x, y, -1.2));
    pen.lineTo(...place(x, y, 1.2));
    pen.stroke();
  }
  for (let i = 0; i < shown; i++) {
    const t = Math.floor(((i + 0.5) * frames) / shown);
    const z = (2.4 * (i + 0.5)) / shown - 1.2;
    const now = Math.abs(t - frame) <= frames / shown / 2;
    for (const person of people) {
      person[t].forEach((joint, v) => {
        if (!present(joint)) return;
        const [x, y] = place((joint[0] - middle[0]) / reach, (joint[1] - middle[1]) / reach, z);
        pen.fillStyle = now ? "#fff" : `hsl(${(v * 360) / person[t].length} 80% 60% / 0.55)`;
        pen.beginPath();
        pen.arc(x, y, now ? 4 : 3, 0, 2 * Math.PI);
        pen.fill();
      });
    }
  }
}

// Actions as coloured bars over the frames, and where the clip is just now.
export function drawTimeline(canvas, events, frames, frame, classes) {
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, canvas.width, canvas.height);
  if (!frames) return;
  const x = (t) => (t / frames) * canvas.width;
  pen.font = "20px system-ui, sans-serif";
  pen.textBaseline = "middle";
  for (const { start, end, name } of events) {
    pen.fillStyle = `hsl(${(classes.indexOf(name) * 360) / classes.length} 60% 40%)`;
    pen.fillRect(x(start) + 1, 8, x(end) - x(start) - 2, canvas.height - 16);
    pen.save();
    pen.beginPath();
    pen.rect(x(start), 0, x(end) - x(start) - 6, canvas.height);
    pen.clip();
    pen.fillStyle = "#fff";
    pen.fillText(name.replaceAll("_", " "), x(start) + 10, canvas.height / 2);
    pen.restore();
  }
  pen.fillStyle = getComputedStyle(canvas).color;
  pen.fillRect(x(frame + 0.5) - 1.5, 0, 3, canvas.height);
}
