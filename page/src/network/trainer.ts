/** The training as the page sees it: orders go to a worker, and what it shows comes back. */

import { extended, type Point } from "../arithmetic/curves";
import { SIDE } from "../arithmetic/digitsLayers";
import type { StoredDigits } from "../contract";
import TrainingWorker from "./training.worker?worker&inline";
import type { Order } from "./training.worker";
import type { Digits, Settings, Snapshot } from "./trainingLoop";
import { fromBase64, gunzip } from "./weights";

export const USUAL: Settings = { learningRate: 0.03, batch: 32, weightDecay: 0.001, digits: 1437, seed: 1 };
const BRIGHTEST = 16;

export async function unpackDigits({ pixels, labels, training }: StoredDigits): Promise<Digits> {
  const levels = await gunzip(fromBase64(pixels));
  return { pixels: Float32Array.from(levels, (level) => level / BRIGHTEST), labels: Uint8Array.from(labels, Number), training };
}

export class Trainer {
  digits: Digits | null = null;
  settings: Settings;
  snapshot: Snapshot | null = null;
  points: Point[] = [];
  problem = "";
  /** Called when anything above has changed. */
  onChange: () => void = () => {};
  private worker: Worker | null = null;

  constructor(private stored: StoredDigits) {
    this.settings = { ...USUAL, digits: stored.training };
  }

  /** Start the worker, unless it runs; it looks at what has changed every `pace` milliseconds. */
  async open(pace: number): Promise<void> {
    if (this.worker || this.problem) return;
    try {
      this.worker = new TrainingWorker();
      this.worker.onerror = (event) => this.fail(event.message || "it stopped");
      this.worker.onmessage = ({ data }: MessageEvent<{ snapshot?: Snapshot; error?: string }>) =>
        data.snapshot ? this.receive(data.snapshot) : this.fail(data.error!);
      this.digits = await unpackDigits(this.stored);
      this.order({ what: "open", digits: this.digits, settings: this.settings, pace });
    } catch (error) {
      this.fail((error as Error).message);
    }
  }

  order(order: Order): void {
    this.worker?.postMessage(order);
  }

  reset(settings: Settings): void {
    this.settings = settings;
    this.points = [];
    this.order({ what: "reset", settings });
    this.onChange();
  }

  change(settings: Settings): void {
    this.settings = settings;
    this.order({ what: "change", settings });
    this.onChange();
  }

  /** The pixels of a held-out digit, and its class. */
  heldOut(digit: number): { pixels: Float32Array; label: number } {
    const { pixels, labels, training } = this.digits!;
    const start = (training + digit) * SIDE ** 2;
    return { pixels: pixels.subarray(start, start + SIDE ** 2), label: labels[training + digit] };
  }

  private receive(snapshot: Snapshot): void {
    const { step, training, heldOut } = snapshot;
    if (step < (this.points.at(-1)?.step ?? 0)) this.points = [];
    this.points = extended(this.points, { step, training, heldOut });
    this.snapshot = snapshot;
    this.onChange();
  }

  private fail(reason: string): void {
    this.problem = reason;
    this.worker?.terminate();
    this.worker = null;
    this.onChange();
  }
}
