/** Runs the network outside the page's main thread. */

import "@tensorflow/tfjs-backend-cpu";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import simd from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?gzip";
import { loadGraphModel, registerOp, type GraphModel } from "@tensorflow/tfjs-converter";
import { abs, add, div, enableProdMode, erf, getBackend, grad, setBackend, slice, sub, sum, tensor, tidy } from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/register_all_gradients";
import type { io, NamedTensorMap, Tensor } from "@tensorflow/tfjs-core";

import type { Network, Pair } from "../contract";
import { fromBase64, gunzip, unpack, type Values } from "./weights";

export type Request =
  | { what: "start"; network: Network; weights: string; size: Pair; backend: "wasm" | "cpu" }
  | { what: "run"; pixels: Float32Array; nodes: string[] }
  | { what: "gradients"; pixels: Float32Array; place: number; target: number }
  | { what: "filter"; kernel: string; channel: number; channels: number };

export type Outputs = Float32Array[];

// Every browser with DecompressionStream has SIMD, and a page from disk has no threads: one binary is enough.
const BINARIES = ["", "-simd", "-threaded-simd"].map((kind) => `tfjs-backend-wasm${kind}.wasm`);

// Operations of Keras's activations that TensorFlow.js does not know.
registerOp("Erfc", ({ inputs: [x] }) => sub(1, erf(x)));
registerOp("Softsign", ({ inputs: [x] }) => div(x, add(1, abs(x))));

let model: GraphModel;
let values: Map<string, Values>;
let network: Network;
let size: Pair;

async function start(request: Extract<Request, { what: "start" }>): Promise<void> {
  enableProdMode();
  if (request.backend === "wasm") {
    const binary = URL.createObjectURL(new Blob([await gunzip(fromBase64(simd))], { type: "application/wasm" }));
    setWasmPaths(Object.fromEntries(BINARIES.map((name) => [name, binary])));
  }
  if (!(await setBackend(request.backend))) throw new Error(`${request.backend} can't be used here`);
  ({ network, size } = request);
  values ??= await unpack(network.weights, request.weights);
  const specs = network.weights.map(({ name, shape, dtype }) => ({ name, shape, dtype }));
  const weightData = network.weights.map(({ name }) => asBuffer(values.get(name)!));
  const artifacts: io.ModelArtifacts = {
    modelTopology: network.graph,
    weightSpecs: specs,
    weightData,
    format: "graph-model",
  };
  model = await loadGraphModel({ load: async () => artifacts });
}

function asBuffer(numbers: Values): ArrayBuffer {
  return numbers.buffer.slice(numbers.byteOffset, numbers.byteOffset + numbers.byteLength) as ArrayBuffer;
}

function run(pixels: Float32Array, nodes: string[]): Outputs {
  let outputs: Outputs = [];
  tidy(() => {
    const images = tensor(pixels, [pixels.length / (size[0] * size[1] * 3), ...size, 3]);
    const tensors = model.execute({ [network.input]: images }, nodes) as Tensor | Tensor[];
    // Not the result of this function: tidy would look at every one of these numbers, in search of tensors.
    outputs = [tensors].flat().map((output) => new Float32Array(output.dataSync()));
  });
  return outputs;
}

/** The output of a layer for one image, and the gradients of a class's score with respect to it. */
async function gradients(pixels: Float32Array, place: number, target: number): Promise<Outputs> {
  const before = network.layers.slice(0, place + 1);
  const known = run(pixels, before.map(({ node }) => node)); // so that only what follows has to be computed again
  const backend = getBackend();
  await setBackend("cpu"); // which has all gradients; after those of WebAssembly, feature maps had other values in a corner
  try {
    return [known.at(-1)!, slopes(pixels, known, target)];
  } finally {
    await setBackend(backend);
  }
}

function slopes(pixels: Float32Array, known: Outputs, target: number): Float32Array {
  let found = new Float32Array();
  tidy(() => {
    const given: NamedTensorMap = { [network.input]: tensor(pixels, [1, ...size, 3]) };
    const nodes = known.map((_, place) => maker(network.layers[place].node));
    known.forEach((values, place) => (given[nodes[place]] = tensor(values, [1, ...network.layers[place].shape])));
    const source = nodes.at(-1)!;
    const score = (x: Tensor) => {
      const scores = model.execute({ ...given, [source]: x }, network.scores) as Tensor;
      return sum(slice(scores, [0, target], [1, 1]));
    };
    found = new Float32Array(grad(score)(given[source]).dataSync());
  });
  return found;
}

/** The node whose output a node passes on: the scores are computed from that one. */
function maker(name: string): string {
  const node = network.graph.node.find((other) => other.name === name)!;
  return node.op === "Identity" ? maker(node.input![0]) : name;
}

/** The filter of one channel: kernel[..., channel]. */
function filter(kernel: string, channel: number, channels: number): Outputs {
  const all = values.get(kernel)!;
  const chosen = new Float32Array(all.length / channels);
  for (let i = 0; i < chosen.length; i++) chosen[i] = all[i * channels + channel];
  return [chosen];
}

self.onmessage = async ({ data }: MessageEvent<Request & { number: number }>) => {
  try {
    let outputs: Outputs = [];
    if (data.what === "start") await start(data);
    else if (data.what === "run") outputs = run(data.pixels, data.nodes);
    else if (data.what === "gradients") outputs = await gradients(data.pixels, data.place, data.target);
    else outputs = filter(data.kernel, data.channel, data.channels);
    const buffers = outputs.map((output) => output.buffer as ArrayBuffer);
    self.postMessage({ number: data.number, outputs }, { transfer: buffers });
  } catch (error) {
    self.postMessage({ number: data.number, error: error instanceof Error ? error.message : String(error) });
  }
};
