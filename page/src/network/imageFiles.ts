/** Image files to arrays of pixels, (height, width, 3), 0-255. */

import { fromRgba } from "../arithmetic/pixels";
import type { Pair } from "../contract";

/**
 * A PNG, or any image that the browser can read, resized to (height, width).
 * If `crop`, it keeps its aspect ratio, and loses what is too much in equal parts on both sides.
 */
export async function pixelsOf(source: string | Blob, size: Pair, crop = false): Promise<Float32Array> {
  const blob = typeof source === "string" ? asBlob(source) : source;
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: typeof source === "string" ? "none" : "default" });
  const [height, width] = size;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.fillStyle = "white"; // behind transparent pixels, as explore.py does
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  const image = shrunk(bitmap, width, height);
  const [across, down] = [width / image.width, height / image.height];
  const [x, y] = crop ? [Math.max(across, down) * image.width, Math.max(across, down) * image.height] : [width, height];
  context.drawImage(image, (width - x) / 2, (height - y) / 2, x, y);
  return fromRgba(context.getImageData(0, 0, width, height).data);
}

/** An image of at most twice the size, halved step by step: one large step would skip pixels. */
function shrunk(bitmap: ImageBitmap, width: number, height: number): ImageBitmap | OffscreenCanvas {
  let image: ImageBitmap | OffscreenCanvas = bitmap;
  while (image.width >= 2 * width && image.height >= 2 * height) {
    const half: OffscreenCanvas = new OffscreenCanvas(Math.ceil(image.width / 2), Math.ceil(image.height / 2));
    half.getContext("2d")!.drawImage(image, 0, 0, half.width, half.height);
    image = half;
  }
  return image;
}

function asBlob(url: string): Blob {
  const bytes = Uint8Array.from(atob(url.slice(url.indexOf(",") + 1)), (letter) => letter.charCodeAt(0));
  return new Blob([bytes], { type: "image/png" });
}
