/** The network's prediction for the image as it is now. */

import { useEffect, useRef, useState } from "preact/hooks";

import type { Engine } from "../network/engine";

/** The newest answers. `layers` are those of `layersOf`, which may be older than `pixels`. */
export interface Prediction {
  pixels: Float32Array;
  probabilities: Float32Array;
  layers: Float32Array[] | null;
  layersOf: Float32Array | null;
}

const AT_ONCE = 2; // requests that run, one for each worker; of the images that arrive meanwhile, only the newest is kept

/**
 * Follows the pixels: their probabilities and, if `deep`, the output of every layer, from one pass through the network.
 * Older answers never replace newer ones. A request that fails is not repeated; the next image is asked for again.
 */
export function usePrediction(
  engine: Engine | null,
  pixels: Float32Array | null,
  deep: boolean,
  onProblem: (error: Error | null) => void,
): Prediction | null {
  const [prediction, setPrediction] = useState<Prediction | null>(null);
  const wanted = useRef({ pixels, deep });
  const state = useRef({
    running: 0,
    asked: { pixels: null as Float32Array | null, deep: false },
    shown: { probabilities: 0, layers: 0 },
    number: 0,
  });
  wanted.current = { pixels, deep };

  useEffect(() => {
    const { shown } = state.current;
    const receive = (number: number, pixels: Float32Array, [probabilities, ...layers]: Float32Array[]) => {
      onProblem(null);
      const newer = { probabilities: number > shown.probabilities, layers: layers.length > 0 && number > shown.layers };
      if (newer.probabilities) shown.probabilities = number;
      if (newer.layers) shown.layers = number;
      setPrediction((before) => ({
        ...(newer.probabilities || !before
          ? { pixels, probabilities }
          : { pixels: before.pixels, probabilities: before.probabilities }),
        ...(newer.layers
          ? { layers, layersOf: pixels }
          : { layers: before?.layers ?? null, layersOf: before?.layersOf ?? null }),
      }));
    };
    const pump = () => {
      const { pixels, deep } = wanted.current;
      const { running, asked } = state.current;
      if (!engine || !pixels || running === AT_ONCE) return;
      if (asked.pixels === pixels && (asked.deep || !deep)) return;
      const number = ++state.current.number;
      state.current.asked = { pixels, deep };
      state.current.running++;
      const answer = deep ? engine.everything(pixels) : engine.probabilities(pixels).then((found) => [found]);
      void answer.then((outputs) => receive(number, pixels, outputs), onProblem).then(() => {
        state.current.running--;
        pump();
      });
    };
    pump();
  }, [engine, pixels, deep]);
  return prediction;
}
