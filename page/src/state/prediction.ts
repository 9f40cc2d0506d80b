/** The network's prediction for the image as it is now. */

import { useEffect, useRef, useState } from "preact/hooks";

import type { Engine } from "../network/engine";

export interface Prediction {
  pixels: Float32Array;
  probabilities: Float32Array;
  layers: Float32Array[] | null;
}

const AT_ONCE = 2; // images being computed; of those that arrive meanwhile, only the newest is kept

/** Follows the pixels; `deep` asks for the output of every layer, too. Older predictions never replace newer ones. */
export function usePrediction(
  engine: Engine | null,
  pixels: Float32Array | null,
  deep: boolean,
  onProblem: (error: Error) => void,
): Prediction | null {
  const [prediction, setPrediction] = useState<Prediction | null>(null);
  const wanted = useRef({ pixels, deep });
  const state = useRef({ running: 0, asked: 0, shown: 0, last: null as unknown });
  wanted.current = { pixels, deep };

  useEffect(() => {
    const { current } = state;
    const pump = () => {
      const { pixels, deep } = wanted.current;
      if (!engine || !pixels || current.running >= AT_ONCE || current.last === `${deep}` + key(pixels)) return;
      current.last = `${deep}` + key(pixels);
      current.running++;
      const number = ++current.asked;
      void (deep ? engine.everything(pixels) : engine.probabilities(pixels).then((p) => [p])).then((outputs) => {
        current.running--;
        if (number > current.shown) {
          current.shown = number;
          setPrediction({ pixels, probabilities: outputs[0], layers: deep ? outputs.slice(1) : null });
        }
        pump();
      }, onProblem);
    };
    pump();
  }, [engine, pixels, deep]);
  return prediction;
}

const keys = new WeakMap<Float32Array, number>();
let newest = 0;

function key(pixels: Float32Array): number {
  if (!keys.has(pixels)) keys.set(pixels, ++newest);
  return keys.get(pixels)!;
}
