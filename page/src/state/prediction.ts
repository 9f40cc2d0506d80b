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

type Kind = "probabilities" | "layers";

const AT_ONCE = 2; // requests that run; of the images that arrive meanwhile, only the newest is kept

/**
 * Follows the pixels: first the probabilities and, if `deep`, then the output of every layer.
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
    running: { probabilities: 0, layers: 0 },
    asked: { probabilities: null as Float32Array | null, layers: null as Float32Array | null },
    shown: { probabilities: 0, layers: 0 },
    number: 0,
  });
  wanted.current = { pixels, deep };

  useEffect(() => {
    const { running, asked, shown } = state.current;
    const receive = (kind: Kind, number: number, pixels: Float32Array, outputs: Float32Array[]) => {
      onProblem(null);
      const newer = { probabilities: number > shown.probabilities, layers: kind === "layers" && number > shown.layers };
      if (newer.probabilities) shown.probabilities = number;
      if (newer.layers) shown.layers = number;
      setPrediction((before) => ({
        ...(newer.probabilities || !before
          ? { pixels, probabilities: outputs[0] }
          : { pixels: before.pixels, probabilities: before.probabilities }),
        ...(newer.layers
          ? { layers: outputs.slice(1), layersOf: pixels }
          : { layers: before?.layers ?? null, layersOf: before?.layersOf ?? null }),
      }));
    };
    const ask = (kind: Kind, pixels: Float32Array) => {
      const number = ++state.current.number;
      asked[kind] = pixels;
      running[kind]++;
      const answer =
        kind === "layers" ? engine!.everything(pixels) : engine!.probabilities(pixels).then((found) => [found]);
      void answer.then((outputs) => receive(kind, number, pixels, outputs), onProblem).then(() => {
        running[kind]--;
        pump();
      });
    };
    const pump = () => {
      const { pixels, deep } = wanted.current;
      if (!engine || !pixels) return;
      const free = () => running.probabilities + running.layers < AT_ONCE;
      const most = deep ? 1 : AT_ONCE;
      if (free() && running.probabilities < most && asked.probabilities !== pixels) ask("probabilities", pixels);
      if (free() && deep && !running.layers && asked.layers !== pixels) ask("layers", pixels);
    };
    pump();
  }, [engine, pixels, deep]);
  return prediction;
}
