/** Trains the network for digits: a slice of steps, then a look at what they changed, until it is paused. */

import { FILTERS, SIDE } from "../arithmetic/digitsLayers";
import { balanced, confusion, measured, predictions, type Measured } from "../arithmetic/metrics";
import { shuffled, uniform } from "../arithmetic/random";
import { DigitsNetwork } from "./digitsNetwork";

export interface Settings {
  learningRate: number;
  /** Digits in a step. */
  batch: number;
  weightDecay: number;
  /** Digits to learn from. */
  digits: number;
  seed: number;
}

/** Digits with brightness 0-1; the first `training` are for learning. */
export interface Digits {
  pixels: Float32Array;
  labels: Uint8Array;
  training: number;
}

export interface Snapshot {
  running: boolean;
  step: number;
  /** How often it has seen each of its training digits. */
  epoch: number;
  /** In which it ran. */
  seconds: number;
  /** Images per second, of late. */
  speed: number;
  training: Measured;
  heldOut: Measured;
  /** Of the held-out digits. */
  predicted: Uint8Array;
  confusion: number[][];
  /** Share of the second layer's feature maps that are 0 for every held-out digit. */
  dead: number;
  /** Of the first layer, 3×3×8. */
  filters: Float32Array;
  /** A held-out digit, and what the layers make of it. */
  digit: number;
  first: Float32Array;
  second: Float32Array;
  probabilities: Float32Array;
}

const PIXELS = SIDE ** 2;
const MOST_MEASURED = 360; // training digits: as many as there are held-out ones
const SLICE = 50; // milliseconds without looking for messages
const SHARE = 2; // training takes at least this many times as long as looking

export class TrainingLoop {
  private network!: DigitsNetwork;
  private chosen: number[] = []; // digits to learn from
  private waiting: number[] = []; // those that this epoch has left
  private next!: () => number;
  private running = false;
  private runs = 0;
  private steps = 0;
  private images = 0;
  private milliseconds = 0;
  private speed = 0;
  private digit = 0;

  constructor(
    private digits: Digits,
    private settings: Settings,
    private post: (snapshot: Snapshot) => void,
    private pace: number,
    private schedule: (work: () => void) => void = (work) => void setTimeout(work),
  ) {
    this.reset(settings);
  }

  /** Start anew. */
  reset(settings: Settings): void {
    this.network?.dispose();
    this.settings = settings;
    this.network = new DigitsNetwork(settings.seed, settings.learningRate);
    this.next = uniform(settings.seed + 1);
    this.chosen = balanced(this.digits.labels.subarray(0, this.digits.training), settings.digits, this.next);
    this.waiting = [];
    this.steps = this.images = this.milliseconds = this.speed = 0;
    this.look(this.digit);
  }

  /** Go on with another learning rate, batch size or weight decay. */
  change(settings: Settings): void {
    this.settings = settings;
    this.network.learningRate = settings.learningRate;
  }

  /** Follow another held-out digit. */
  look(digit: number): void {
    this.digit = digit;
    this.post(this.snapshot());
  }

  run(): void {
    if (this.running) return;
    this.running = true;
    const run = ++this.runs;
    let looked = performance.now() - this.pace;
    let looking = 0; // milliseconds that the last look took
    const work = () => {
      if (!this.running || run !== this.runs) return; // paused, or paused and started again
      const [began, before] = [performance.now(), this.images];
      do this.step();
      while (performance.now() - began < SLICE);
      const took = performance.now() - began;
      this.milliseconds += took;
      this.speed = (1000 * (this.images - before)) / took;
      if (performance.now() - looked >= Math.max(this.pace, SHARE * looking)) {
        const start = performance.now();
        this.look(this.digit);
        looked = performance.now();
        looking = looked - start;
        this.milliseconds += looking;
      }
      this.schedule(work);
    };
    this.schedule(work);
  }

  pause(): void {
    this.running = false;
    this.look(this.digit);
  }

  /** Pause after some steps. */
  advance(steps: number): void {
    for (let i = 0; i < steps; i++) this.step();
    this.pause();
  }

  private step(): void {
    const { batch, weightDecay } = this.settings;
    if (!this.waiting.length) this.waiting = shuffled(this.chosen, this.next);
    const taken = this.waiting.splice(0, batch);
    this.network.step(this.pixels(taken), taken.map((i) => this.digits.labels[i]), weightDecay);
    this.steps++;
    this.images += taken.length;
  }

  private pixels(indices: number[]): Float32Array {
    const pixels = new Float32Array(indices.length * PIXELS);
    indices.forEach((i, place) => pixels.set(this.digits.pixels.subarray(i * PIXELS, (i + 1) * PIXELS), place * PIXELS));
    return pixels;
  }

  private snapshot(): Snapshot {
    const { pixels, labels, training } = this.digits;
    const known = this.chosen.slice(0, MOST_MEASURED);
    const heldOut = this.network.outputs(pixels.subarray(training * PIXELS));
    const truth = labels.subarray(training);
    const predicted = predictions(heldOut.probabilities, heldOut.probabilities.length / truth.length);
    const of = (values: Float32Array) => {
      const length = values.length / truth.length;
      return values.slice(this.digit * length, (this.digit + 1) * length);
    };
    return {
      running: this.running,
      step: this.steps,
      epoch: this.images / this.chosen.length,
      seconds: this.milliseconds / 1000,
      speed: this.speed,
      training: measured(this.network.outputs(this.pixels(known)).probabilities, known.map((i) => labels[i])),
      heldOut: measured(heldOut.probabilities, truth),
      predicted,
      confusion: confusion(truth, predicted, 10),
      dead: deadShare(heldOut.second, FILTERS[1]),
      filters: this.network.read()[0],
      digit: this.digit,
      first: of(heldOut.first),
      second: of(heldOut.second),
      probabilities: of(heldOut.probabilities),
    };
  }
}

/** Share of channels that are 0 everywhere. */
function deadShare(values: Float32Array, channels: number): number {
  const alive = new Set<number>();
  for (let i = 0; i < values.length && alive.size < channels; i++) if (values[i] > 0) alive.add(i % channels);
  return 1 - alive.size / channels;
}
