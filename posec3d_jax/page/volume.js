// Draws what the network is shown, turning: time runs into the picture, each joint in its colour.

const SIDES = { left: [90, 180, 255], right: [255, 170, 70], middle: [140, 230, 140] };

// Voxels for networks that are shown joints and no volume.
export function cloud(clip) {
  const frames = Math.min(clip.keypoint[0].length, 32);
  const points = [];
  for (const person of clip.keypoint) {
    for (let t = 0; t < frames; t++) {
      const row = Math.floor(((t + 0.5) * person.length) / frames);
      person[row].forEach(([x, y], c) => (x || y) && points.push([t, y, x, c]));
    }
  }
  if (!points.length) return { shape: [1, 1, 1, 1], voxels: [] };
  const low = [1, 2].map((i) => points.reduce((least, p) => Math.min(least, p[i]), Infinity));
  const high = [1, 2].map((i) => points.reduce((most, p) => Math.max(most, p[i]), -Infinity));
  const reach = Math.max(high[0] - low[0], high[1] - low[1], 1);
  const place = (p, i) => 4 + (56 * (p[i + 1] - low[i])) / reach;
  const voxels = points.flatMap((p) => [p[0], place(p, 0), place(p, 1), p[3], 255]);
  return { shape: [frames, 64, 64, clip.keypoint[0][0].length], voxels };
}

// The names of the channels: joints, or limbs (the side of both ends), or both.
export function channelSides(channels, joints, limbs) {
  const side = (name) => ["left", "right"].find((word) => name.includes(word)) ?? "middle";
  const ofJoints = joints.map(side);
  const ofLimbs = limbs.map(([a, b]) => (ofJoints[a] === ofJoints[b] ? ofJoints[a] : "middle"));
  return channels === joints.length ? ofJoints : channels === limbs.length ? ofLimbs : [...ofJoints, ...ofLimbs];
}

// {shape, voxels} turned by `angle`; `share` 0 to 1 is where the recording is now, null for nowhere.
export function drawVolume(canvas, volume, sides, angle, share) {
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, canvas.width, canvas.height);
  const [frames, height, width] = volume?.shape ?? [1, 1, 1];
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
  const size = canvas.width * 0.3;
  const place = (x, y, z) => [
    canvas.width / 2 + size * (x * cos + z * sin),
    canvas.height / 2 + size * (y + 0.35 * (z * cos - x * sin)),
  ];
  drawBox(pen, place);
  if (!volume) return;
  pen.globalCompositeOperation = "lighter";
  const side = Math.max(height, width);
  const dot = Math.max((2 * size) / side, 2);
  const now = share === null ? -1 : Math.min(Math.floor(share * frames), frames - 1);
  const { voxels } = volume;
  for (let i = 0; i < voxels.length; i += 5) {
    const [t, y, x, c, bright] = [voxels[i], voxels[i + 1], voxels[i + 2], voxels[i + 3], voxels[i + 4]];
    const [left, top] = place((2 * x + 1 - width) / side, (2 * y + 1 - height) / side, (2.4 * (t + 0.5)) / frames - 1.2);
    const [r, g, b] = t === now ? [255, 255, 255] : SIDES[sides[c] ?? "middle"];
    pen.fillStyle = `rgba(${r}, ${g}, ${b}, ${((bright / 255) * (t === now ? 0.9 : 0.3)).toFixed(3)})`;
    pen.fillRect(left - dot / 2, top - dot / 2, dot, dot);
  }
  pen.globalCompositeOperation = "source-over";
}

function drawBox(pen, place) {
  const corners = [[-1, -1], [1, -1], [1, 1], [-1, 1]];
  pen.strokeStyle = "#444a54";
  pen.lineWidth = 1;
  pen.beginPath();
  for (const z of [-1.2, 1.2]) {
    corners.forEach(([x, y], i) => (i ? pen.lineTo(...place(x, y, z)) : pen.moveTo(...place(x, y, z))));
    pen.closePath();
  }
  for (const [x, y] of corners) {
    pen.moveTo(...place(x, y, -1.2));
    pen.lineTo(...place(x, y, 1.2));
  }
  pen.stroke();
}
