/** The network as the page uses it: two workers that answer with promises, checked against Keras at the start. */

import type { Page } from "../contract";
import { pixelsOf } from "./imageFiles";
import type { Outputs, Request } from "./inference.worker";
import InferenceWorker from "./inference.worker?worker&inline";

export const TOLERANCE = 1e-4; // largest difference between a probability and Keras's
const LARGEST = 1e-2; // that a network in half precision may have, of which the page says so; beyond it, something is wrong
const CHECKED = 4; // images compared at the start
const WORKERS = 2; // a page from disk has no shared memory, hence no threads: each worker has its own network

class Runner {
  private worker = new InferenceWorker();
  private waiting = new Map<number, { resolve: (outputs: Outputs) => void; reject: (error: Error) => void }>();
  private number = 0;

  constructor() {
    this.worker.onmessage = ({ data }) => {
      const promise = this.waiting.get(data.number);
      this.waiting.delete(data.number);
      if (data.error) promise?.reject(new Error(data.error));
      else promise?.resolve(data.outputs);
    };
    this.worker.onerror = (event) => {
      for (const { reject } of this.waiting.values()) reject(new Error(event.message || "the worker stopped"));
      this.waiting.clear();
    };
  }

  get load(): number {
    return this.waiting.size;
  }

  ask(request: Request): Promise<Outputs> {
    return new Promise((resolve, reject) => {
      this.waiting.set(++this.number, { resolve, reject });
      this.worker.postMessage({ ...request, number: this.number });
    });
  }
}

export class Engine {
  /** The largest difference from Keras's probabilities that was found at the start. */
  difference = 0;

  private constructor(
    private page: Page,
    private runners: Runner[],
    readonly backend: "wasm" | "cpu",
  ) {}

  /** Whether it has all of the network's layers. */
  get predicts(): boolean {
    return !this.page.network.upTo;
  }

  /** Start, and check the probabilities of some images; use the slower backend if the faster one is wrong. */
  static async start(page: Page, weights: string): Promise<Engine> {
    if (page.network.problem) throw new Error(page.network.problem);
    const runners = Array.from({ length: WORKERS }, () => new Runner());
    let reason = "";
    for (const backend of ["wasm", "cpu"] as const) {
      try {
        const start: Request = { what: "start", network: page.network, weights, size: page.size, backend };
        // Wait for both: a worker that starts again before it has failed mixes up the two backends.
        const started = await Promise.allSettled(runners.map((runner) => runner.ask(start)));
        const failed = started.find((answer) => answer.status === "rejected");
        if (failed) throw failed.reason;
        const engine = new Engine(page, runners, backend);
        engine.difference = await engine.compared(page.images.slice(0, CHECKED));
        if (engine.difference <= LARGEST) return engine;
        reason = `its probabilities differ from Keras's by ${engine.difference.toPrecision(2)}`;
      } catch (error) {
        reason = `${await culprit(page, runners[0])} (${firstSentence(error as Error)})`;
      }
    }
    throw new Error(reason);
  }

  /** The largest difference between a probability and the one that Keras computed. */
  private async compared(images: Page["images"]): Promise<number> {
    if (!this.predicts) return 0;
    let largest = 0;
    for (const image of images) {
      const probabilities = await this.probabilities(await pixelsOf(image.png, this.page.size));
      for (const [k, p] of image.probabilities.entries()) {
        const apart = Math.abs(p - probabilities[k]);
        if (!(apart <= largest)) largest = apart;
      }
    }
    return largest;
  }

  /** Empty if the page has only the first layers. */
  async probabilities(pixels: Float32Array): Promise<Float32Array> {
    if (!this.predicts) return new Float32Array();
    return (await this.run(pixels, [this.page.network.probabilities]))[0];
  }

  /** The probabilities, then the output of every layer. */
  async everything(pixels: Float32Array): Promise<Outputs> {
    const { probabilities, layers } = this.page.network;
    const nodes = layers.map((layer) => layer.node);
    return this.predicts ? this.run(pixels, [probabilities, ...nodes]) : [new Float32Array(), ...(await this.run(pixels, nodes))];
  }

  /** The scores of one image in which something else is hidden each time. */
  async scores(pixels: Float32Array): Promise<Float32Array> {
    return (await this.run(pixels, [this.page.network.scores]))[0];
  }

  /** The output of a layer, and the gradients of a class's score with respect to it. */
  featureGradients(pixels: Float32Array, place: number, target: number): Promise<Outputs> {
    return this.least().ask({ what: "gradients", pixels, place, target });
  }

  /** The filter of one channel, in a layer with `channels` channels. */
  filter(kernel: string, channel: number, channels: number): Promise<Float32Array> {
    return this.least()
      .ask({ what: "filter", kernel, channel, channels })
      .then(([weights]) => weights);
  }

  /** Predictions per second, with all workers busy for some seconds. */
  async speed(seconds = 3): Promise<number> {
    const pixels = await pixelsOf(this.page.images[0].png, this.page.size);
    const nodes = [this.page.network.probabilities];
    const until = performance.now() + 1000 * seconds;
    const work = this.runners.map(async (runner) => {
      await runner.ask({ what: "run", pixels, nodes });
      const began = performance.now();
      let count = 0;
      for (; performance.now() < until; count++) await runner.ask({ what: "run", pixels, nodes });
      return (1000 * count) / (performance.now() - began);
    });
    return (await Promise.all(work)).reduce((a, b) => a + b, 0);
  }

  private run(pixels: Float32Array, nodes: string[]): Promise<Outputs> {
    return this.least().ask({ what: "run", pixels, nodes });
  }

  private least(): Runner {
    return this.runners.reduce((a, b) => (b.load < a.load ? b : a));
  }
}

/** A message that names the first layer that fails. */
async function culprit(page: Page, runner: Runner): Promise<string> {
  const pixels = new Float32Array(page.size[0] * page.size[1] * 3);
  let before = "";
  for (const { name, type, node, sources } of page.network.layers) {
    try {
      await runner.ask({ what: "run", pixels, nodes: [node] });
    } catch {
      const advice = before && `; explore.py --up-to ${before} makes a page of those before it`;
      return `TensorFlow.js can't compute its layer ${name} (${type}), or one before it${advice}`;
    }
    if (sources.length) before = name;
  }
  return "TensorFlow.js can't compute it";
}

function firstSentence({ message }: Error): string {
  return message.split(/\.\s/)[0].replace(/\.$/, "");
}
