/** Runs the network outside the page's main thread. */

import "@tensorflow/tfjs-backend-cpu";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import simd from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url";
import { loadGraphModel, registerOp, type GraphModel } from "@tensorflow/tfjs-converter";
import { abs, add, div, enableProdMode, erf, setBackend, sub, tensor, tidy } from "@tensorflow/tfjs-core";
import type { io, Tensor } from "@tensorflow/tfjs-core";

import type { Network, Pair } from "../contract";
import { unpack, type Values } from "./weights";

export type Request =
  | { what: "start"; network: Network; weights: string; size: Pair; backend: "wasm" | "cpu" }
  | { what: "run"; pixels: Float32Array; nodes: string[] }
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
  if (request.backend === "wasm") setWasmPaths(Object.fromEntries(BINARIES.map((name) => [name, simd])));
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
    else outputs = filter(data.kernel, data.channel, data.channels);
    const buffers = outputs.map((output) => output.buffer as ArrayBuffer);
    self.postMessage({ number: data.number, outputs }, { transfer: buffers });
  } catch (error) {
    self.postMessage({ number: data.number, error: error instanceof Error ? error.message : String(error) });
  }
};
