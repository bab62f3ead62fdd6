// An exported model in JavaScript: node onnx_runtime.mjs model.onnx clip.json
// (npm install onnxruntime-web; in a page the same, with fetch() in place of readFileSync().)
// clip.json: {"keypoint": [M][T][V][2], "score": [M][T][V], "frame_size": [height, width],
//             "classes": [...], "persons": 2, "frames": 16}, the last three as `posec3d export`
// prints them, since onnxruntime-web does not show a file's metadata.
import { readFileSync } from "node:fs";
import * as ort from "onnxruntime-web";

const [model, clipFile] = process.argv.slice(2);
const clip = JSON.parse(readFileSync(clipFile));
const session = await ort.InferenceSession.create(readFileSync(model));

const length = clip.keypoint[0].length;
const joints = clip.keypoint[0][0].length;
const { persons, frames } = clip;
const keypoint = new Float32Array(persons * frames * joints * 2);
const score = new Float32Array(persons * frames * joints);
for (let m = 0; m < Math.min(persons, clip.keypoint.length); m++) {
  for (let t = 0; t < frames; t++) {
    const row = Math.floor(((t + 0.5) * length) / frames); // the middle of each of T parts
    const at = (m * frames + t) * joints;
    keypoint.set(clip.keypoint[m][row].flat(), at * 2);
    score.set(clip.score[m][row], at);
  }
}
const { probabilities } = await session.run({
  keypoint: new ort.Tensor("float32", keypoint, [1, persons, frames, joints, 2]),
  score: new ort.Tensor("float32", score, [1, persons, frames, joints]),
  frame_size: new ort.Tensor("float32", Float32Array.from(clip.frame_size), [1, 2]),
});
const order = [...probabilities.data.keys()].sort((a, b) => probabilities.data[b] - probabilities.data[a]);
for (const k of order.slice(0, 5)) console.log(probabilities.data[k].toFixed(4), clip.classes[k]);
