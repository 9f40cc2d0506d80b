/** The tour: which step is shown, and what the reader had chosen before it. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { meanColour, withPatches } from "../arithmetic/pixels";
import { indexOfMost, type Seen } from "../arithmetic/seen";
import { tourOf, type Hidden } from "../arithmetic/tour";
import type { Page, Pair } from "../contract";
import type { Engine } from "../network/engine";
import type { ImageState } from "./image";
import type { Prediction } from "./prediction";
import type { Selection } from "./selection";

const GRID = 4; // patches are tried in this many rows and columns
const PATCH = 10 / 32; // side of a patch, in sides of the image
const RUN_UP = 6; // positions over which a filter slides to the one that the step speaks of

interface Given<View> {
  page: Page;
  engine: Engine | null;
  prediction: Prediction | null;
  state: ImageState;
  selection: Selection | null;
  onSelect(selection: Selection | null): void;
  view: View;
  onView(view: View): void;
  /** The view that the tour is about. */
  home: View;
}

interface Found extends Hidden {
  image: Float32Array;
  pixels: Float32Array;
}

export function useTour<View>({ page, engine, prediction, state, selection, onSelect, view, onView, home }: Given<View>) {
  const [number, setNumber] = useState<number | null>(null);
  const [seen, setSeen] = useState<(Seen & { image: Float32Array }) | null>(null);
  const [found, setFound] = useState<Found | null>(null);
  const [failed, setFailed] = useState(false);
  const before = useRef<{ view: View; selection: Selection | null } | null>(null);
  const { image } = state;
  const kept = image?.kept ?? null;

  useEffect(() => {
    if (number === null || !image || !prediction?.layers) return;
    const settled = prediction.layersOf === kept && prediction.pixels === kept;
    if (!settled || seen?.image === kept) return; // numbers of a moved patch are not those of the image
    const { layers, colours } = page.network;
    const label = image.drawn ? -1 : image.label;
    setSeen({ layers, colours, classes: page.classes, label, outputs: prediction.layers, probabilities: prediction.probabilities, image: kept! });
  }, [number, prediction, kept]);

  const current = seen && seen.image === kept ? seen : null;
  const hidden = found && found.image === kept ? found : null;
  const steps = useMemo(() => current && tourOf(current, hidden), [current, hidden]);
  const last = steps !== null && number === steps.length - 1;
  const step = steps && number !== null ? steps[number] : null;
  const moves = !matchMedia("(prefers-reduced-motion: reduce)").matches;
  const slide = step?.slides && moves ? step.place.position : null;

  useEffect(() => {
    if (!step || !kept) return;
    onView(home);
    onSelect(slide ? { ...step.place, position: [slide[0], Math.max(0, slide[1] - RUN_UP)] } : step.place);
  }, [number, current]);

  useEffect(() => {
    if (!last || !engine || !kept || hidden) return;
    let wanted = true;
    setFailed(false);
    void mostImportantPatch(engine, page.size, kept, current!.probabilities).then(
      (patch) => wanted && setFound({ ...patch, image: kept }),
      () => wanted && setFailed(true),
    );
    return () => {
      wanted = false;
    };
  }, [last, current, hidden]);
  useEffect(() => {
    if (last && hidden) state.preview(hidden.pixels);
  }, [last, hidden]);

  const go = (to: number) => {
    if (last && kept) state.preview(kept);
    setNumber(to);
  };
  return {
    step: step && failed && last && !hidden ? { ...step, text: ["The patches could not be computed. Move over the image to hide one yourself."] } : step,
    number,
    count: steps?.length ?? 0,
    /** Where the window of the chosen layer is to slide by itself. */
    slide,
    start() {
      before.current = { view, selection };
      setNumber(0);
    },
    next: () => number !== null && go(number + 1),
    back: () => number !== null && number > 0 && go(number - 1),
    /** Everything is as it was before the tour, but for an image that was chosen in it. */
    end() {
      if (last && kept) state.preview(kept);
      setNumber(null);
      if (!before.current) return;
      onSelect(before.current.selection);
      onView(before.current.view);
    },
  };
}

export type TourState = ReturnType<typeof useTour>;

/** Of the patches in a grid, the one without which the verdict is least probable. */
async function mostImportantPatch(engine: Engine, size: Pair, image: Float32Array, probabilities: ArrayLike<number>) {
  const verdict = indexOfMost(probabilities);
  const side = Math.max(1, Math.round(PATCH * Math.min(...size)));
  const colour = meanColour(image);
  const middle = (index: number, length: number) => Math.floor(((index + 0.5) * length) / GRID);
  const images = Array.from({ length: GRID * GRID }, (_, i) => {
    const centre: Pair = [middle(Math.floor(i / GRID), size[0]), middle(i % GRID, size[1])];
    return withPatches(image, size, [centre], side, colour);
  });
  const answers = await Promise.all(images.map((pixels) => engine.probabilities(pixels)));
  const best = indexOfMost(answers.map((answer) => -answer[verdict]));
  return { size: [side, side] as Pair, tried: images.length, probabilities: answers[best], pixels: images[best] };
}
