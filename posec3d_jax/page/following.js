// Who is who from one picture of a camera to the next: the nearest pose, within reach.

const REACH = 0.5; // of a person's height, between two pictures
const LOST = 1.0; // seconds until somebody is forgotten

export class Following {
  #known = []; // {id, keypoint, time}
  #next = 0;

  // Poses [{keypoint, score}] at a time in seconds, with `id`s.
  follow(poses, time) {
    this.#known = this.#known.filter((one) => time - one.time < LOST);
    const pairs = poses.flatMap((pose, i) =>
      this.#known.map((one) => ({ i, one, far: distance(pose.keypoint, one.keypoint) })),
    );
    const ids = new Map();
    const taken = new Set();
    for (const { i, one, far } of pairs.sort((a, b) => a.far - b.far)) {
      if (far > REACH || ids.has(i) || taken.has(one.id)) continue;
      ids.set(i, one.id);
      taken.add(one.id);
    }
    return poses.map((pose, i) => {
      const id = ids.get(i) ?? this.#next++;
      this.#known = [...this.#known.filter((one) => one.id !== id), { id, keypoint: pose.keypoint, time }];
      return { ...pose, id };
    });
  }
}

const present = ([x, y]) => x !== 0 || y !== 0;

// Mean distance of the joints that both have, in heights of the first.
function distance(some, others) {
  const both = some.map((_, v) => v).filter((v) => present(some[v]) && present(others[v]));
  const rows = some.filter(present).map(([, y]) => y);
  if (!both.length) return Infinity;
  const height = Math.max(...rows) - Math.min(...rows) || 1;
  const far = both.map((v) => Math.hypot(some[v][0] - others[v][0], some[v][1] - others[v][1]));
  return far.reduce((a, b) => a + b, 0) / far.length / height;
}
