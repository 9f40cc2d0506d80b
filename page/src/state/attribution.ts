/** Heat maps of any image, computed in the browser. */

import { useEffect, useRef, useState } from "preact/hooks";

import {
  averageDrops,
  gradCam,
  meanMap,
  meanOf,
  mostImportant,
  occluded,
  patches,
  resizedMap,
  type Box,
} from "../arithmetic/attribution";
import type { Page } from "../contract";
import type { Engine } from "../network/engine";

export type Method = "occlusion" | "gradcam";

export interface HeatMap {
  method: Method;
  target: number;
  pixels: Float32Array;
  map: Float32Array;
  /** The most important patch, and the probability of the class with and without it. */
  patch: Box;
  probability: number;
  hiddenProbability: number;
}

const AT_ONCE = 4; // images in a request, so that the bar moves and other requests get their turn
const WORKERS = 2;

export function useHeatMap(page: Page, engine: Engine | null, pixels: Float32Array) {
  const [found, setFound] = useState<HeatMap | null>(null);
  const [progress, setProgress] = useState<number | null>(null); // share that is computed; null if nothing runs
  const [problem, setProblem] = useState("");
  const run = useRef(0); // number of the newest run: older ones stop

  const stop = () => {
    run.current++;
    setProgress(null);
  };
  useEffect(() => {
    stop();
    setProblem("");
  }, [pixels]);
  useEffect(() => () => void run.current++, []);

  const start = async (method: Method, target: number) => {
    const number = ++run.current;
    const wanted = () => number === run.current;
    setProblem("");
    setProgress(0);
    try {
      const tell = (share: number) => wanted() && setProgress(share);
      const map =
        method === "gradcam"
          ? await gradCamOf(page, engine!, pixels, target)
          : await occlusionOf(page, engine!, pixels, { target, wanted, tell });
      if (!map || !wanted()) return;
      const { windows } = page.importance.occlusion;
      const patch = mostImportant(map, page.size, windows[windows.length >> 1]);
      const hidden = occluded(pixels, page.size[1], [patch], meanOf(pixels));
      const [before, after] = [await engine!.probabilities(pixels), await engine!.probabilities(hidden)];
      if (!wanted()) return;
      setFound({ method, target, pixels, map, patch, probability: before[target], hiddenProbability: after[target] });
      setProgress(null);
    } catch (error) {
      if (!wanted()) return;
      setProgress(null);
      setProblem(`This map can't be computed in the browser (${(error as Error).message.split("\n")[0]}).`);
    }
  };
  return { found: found?.pixels === pixels ? found : null, progress, problem, start, stop };
}

async function gradCamOf(page: Page, engine: Engine, pixels: Float32Array, target: number): Promise<Float32Array> {
  const place = page.network.gradCam!;
  const layer = page.network.layers[place];
  const [features, gradients] = await engine.featureGradients(pixels, place, target);
  return resizedMap(gradCam(layer, features, gradients), [layer.shape[0], layer.shape[1]], page.size);
}

interface Run {
  target: number;
  wanted(): boolean;
  tell(share: number): void;
}

/** Hides one patch after the other; null if it is stopped. */
async function occlusionOf(page: Page, engine: Engine, pixels: Float32Array, { target, wanted, tell }: Run) {
  const { windows, stride } = page.importance.occlusion;
  const boxes = windows.map((side) => patches(page.size, side, stride));
  const all = boxes.flat();
  const colour = meanOf(pixels);
  const classes = page.classes.length;
  const whole = (await engine.scores(pixels))[target];
  const drops = new Array<number>(all.length);
  let next = 0;
  let done = 0;
  const work = async () => {
    while (wanted() && next < all.length) {
      const start = next;
      const batch = all.slice(start, (next += AT_ONCE));
      const scores = await engine.scores(occluded(pixels, page.size[1], batch, colour));
      batch.forEach((_, n) => (drops[start + n] = whole - scores[n * classes + target]));
      tell((done += batch.length) / all.length);
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  if (!wanted()) return null;
  let first = 0;
  const maps = boxes.map((own) => averageDrops(drops.slice(first, (first += own.length)), own, page.size));
  return meanMap(maps);
}
