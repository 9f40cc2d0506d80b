/** The image that the network looks at: chosen, opened or drawn, with what is hidden in it. */

import { useEffect, useRef, useState } from "preact/hooks";

import { areGrey, borderColour, filled, type Colour } from "../arithmetic/pixels";
import type { Page } from "../contract";
import { pixelsOf, resized, sameShape, type Fit } from "../network/imageFiles";

export interface Shown {
  /** Index among the page's images; null for the reader's own. */
  chosen: number | null;
  name: string;
  /** The true class of the original; -1 if unknown. */
  label: number;
  /** Whether something was painted, so that the true class is no longer known. */
  drawn: boolean;
  original: Float32Array;
  /** The image with all patches that a click left on it. */
  kept: Float32Array;
  /** `kept` with the patch under the pointer. */
  shown: Float32Array;
  /** An own image of another aspect ratio, and how it was made to fit. */
  fitted: { bitmap: ImageBitmap; fit: Fit } | null;
}

const MOST_UNDONE = 50;

export function useImage(page: Page) {
  const [image, setImage] = useState<Shown | null>(null);
  const [notice, setNotice] = useState("");
  const [past, setPast] = useState<Shown[]>([]);
  const newest = useRef(0); // number of the image chosen last: an earlier one may take longer to decode

  const show = (original: Float32Array, about: Pick<Shown, "chosen" | "name" | "label"> & Partial<Shown>) =>
    setImage({ drawn: false, fitted: null, ...about, original, kept: original, shown: original });
  const remember = () => image && setPast([...past, image].slice(-MOST_UNDONE));

  const choose = async (index: number) => {
    const number = ++newest.current;
    const { png, name, label } = page.images[index];
    const original = await pixelsOf(png, page.size);
    if (number !== newest.current) return;
    setNotice("");
    setPast([]);
    show(original, { chosen: index, name, label });
  };
  const open = async (file: Blob, name: string, label = -1) => {
    const number = ++newest.current;
    try {
      const bitmap = await createImageBitmap(file);
      if (number !== newest.current) return;
      const fitted = sameShape(bitmap, page.size) ? null : ({ bitmap, fit: "crop" } as const);
      setNotice("");
      setPast([]);
      show(resized(bitmap, page.size, fitted ? "crop" : "stretch"), { chosen: null, name, label, fitted });
    } catch {
      setNotice(`${name} can't be read as an image: choose a PNG, JPEG, WebP, GIF, BMP or AVIF file.`);
    }
  };
  return {
    image,
    /** Whether it is another one than was chosen. */
    changed: image !== null && (image.chosen === null || image.kept !== image.original),
    notice,
    notify: setNotice,
    choose,
    open,
    /** Make the own image fit in another way. */
    refit(fit: Fit) {
      if (!image?.fitted) return;
      const { chosen, name, label, fitted } = image;
      show(resized(fitted.bitmap, page.size, fit), { chosen, name, label, fitted: { ...fitted, fit } });
    },
    /** What is under the pointer, and goes with it. */
    preview: (shown: Float32Array) => image && setImage({ ...image, shown }),
    /** What stays; `joined` to the change before, so that one `undo` takes back both. */
    keep(kept: Float32Array, { drawn, joined = false }: { drawn: boolean; joined?: boolean }) {
      if (!image) return;
      if (!joined) remember();
      setImage({ ...image, drawn: image.drawn || drawn, kept, shown: kept });
    },
    blank(colour: Colour) {
      remember();
      show(filled(page.size, colour), { chosen: null, name: "your drawing", label: -1, drawn: true });
    },
    reset() {
      if (!image) return;
      if (image.kept !== image.original) remember();
      setImage({ ...image, drawn: false, kept: image.original, shown: image.original });
    },
    undo: past.length
      ? () => {
          const before = past.at(-1)!;
          setImage({ ...before, shown: before.kept });
          setPast(past.slice(0, -1));
        }
      : null,
  };
}

export type ImageState = ReturnType<typeof useImage>;

/** On what to draw: the colour along the borders of the page's images, and whether they are all grey. */
export function usePaper(page: Page): { background: Colour; grey: boolean } {
  const [paper, setPaper] = useState<{ background: Colour; grey: boolean }>({ background: [255, 255, 255], grey: false });
  useEffect(() => {
    void Promise.all(page.images.map(({ png }) => pixelsOf(png, page.size))).then((images) =>
      setPaper({ background: borderColour(images, page.size), grey: areGrey(images) }),
    );
  }, [page]);
  return paper;
}
