/** The image that the network looks at: chosen, opened or drawn, with what is hidden in it. */

import { useRef, useState } from "preact/hooks";

import type { Page } from "../contract";
import { pixelsOf } from "../network/imageFiles";

export interface Shown {
  /** Index among the page's images; null for the reader's own. */
  chosen: number | null;
  name: string;
  /** The true class; -1 if unknown. */
  label: number;
  original: Float32Array;
  /** The image with all patches that a click left on it. */
  kept: Float32Array;
  /** `kept` with the patch under the pointer. */
  shown: Float32Array;
}

export function useImage(page: Page) {
  const [image, setImage] = useState<Shown | null>(null);
  const [notice, setNotice] = useState("");
  const newest = useRef(0); // number of the image chosen last: an earlier one may take longer to decode

  const open = async (source: string | Blob, chosen: number | null, name: string, label: number) => {
    const number = ++newest.current;
    try {
      const original = await pixelsOf(source, page.size, page.crop);
      if (number !== newest.current) return;
      setNotice("");
      setImage({ chosen, name, label, original, kept: original, shown: original });
    } catch {
      setNotice(`${name} can't be read as an image.`);
    }
  };
  return {
    image,
    notice,
    choose: (index: number) => open(page.images[index].png, index, page.images[index].name, page.images[index].label),
    open: (file: Blob, name: string, label = -1) => open(file, null, name, label),
    change: (kept: Float32Array, shown: Float32Array) => image && setImage({ ...image, kept, shown }),
    reset: () => image && setImage({ ...image, kept: image.original, shown: image.original }),
  };
}
