/** The network's answer to the picture as it is now. */

import { useEffect, useRef, useState } from "preact/hooks";

import type { Engine } from "./engine";

export interface Answer {
  pixels: Float32Array;
  probabilities: Float32Array;
  layers: Float32Array[] | null;
}

const AT_ONCE = 2; // pictures under way; of those that come meanwhile only the newest counts

/** Follows the pixels; `deep` asks for what every layer passes on, too. Older answers never replace newer ones. */
export function useAnswer(
  engine: Engine | null,
  pixels: Float32Array | null,
  deep: boolean,
  onTrouble: (error: Error) => void,
): Answer | null {
  const [answer, setAnswer] = useState<Answer | null>(null);
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
          setAnswer({ pixels, probabilities: outputs[0], layers: deep ? outputs.slice(1) : null });
        }
        pump();
      }, onTrouble);
    };
    pump();
  }, [engine, pixels, deep]);
  return answer;
}

const keys = new WeakMap<Float32Array, number>();
let newest = 0;

function key(pixels: Float32Array): number {
  if (!keys.has(pixels)) keys.set(pixels, ++newest);
  return keys.get(pixels)!;
}
