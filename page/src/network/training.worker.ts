/** Trains the network for digits outside the page's main thread. */

import { TrainingLoop, type Digits, type Settings } from "./trainingLoop";

export type Order =
  | { what: "open"; digits: Digits; settings: Settings; pace: number }
  | { what: "reset" | "change"; settings: Settings }
  | { what: "run" | "pause" }
  | { what: "advance"; steps: number }
  | { what: "look"; digit: number };

let loop: TrainingLoop;

function obey(order: Order): void {
  if (order.what === "open")
    loop = new TrainingLoop(order.digits, order.settings, (snapshot) => self.postMessage({ snapshot }), order.pace);
  else if (order.what === "look") loop.look(order.digit);
  else if (order.what === "advance") loop.advance(order.steps);
  else if (order.what === "reset" || order.what === "change") loop[order.what](order.settings);
  else loop[order.what]();
}

self.onmessage = ({ data }: MessageEvent<Order>) => {
  try {
    obey(data);
  } catch (error) {
    self.postMessage({ error: error instanceof Error ? error.message : String(error) });
  }
};
