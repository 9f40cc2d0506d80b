/** Unpacks the weights that are embedded in the page. */

import type { Weight } from "../contract";

export type Values = Float32Array | Int32Array | Uint8Array;

const BYTES = { float24: 3, float32: 4, int32: 4, bool: 1 };

export async function unpack(weights: Weight[], base64: string): Promise<Map<string, Values>> {
  const bytes = await gunzip(fromBase64(base64));
  const values = new Map<string, Values>();
  let start = 0;
  for (const weight of weights) {
    const count = weight.shape.reduce((a, b) => a * b, 1);
    const width = BYTES[weight.stored];
    values.set(weight.name, numbers(joined(bytes.subarray(start, start + count * width), count, width), weight.stored));
    start += count * width;
  }
  return values;
}

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

export async function gunzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Byte planes (all lowest bytes, then all second ones, …) to the bytes of each number; the lowest may be left out. */
function joined(planes: Uint8Array, count: number, width: number): ArrayBuffer {
  const whole = width === 3 ? 4 : width;
  const bytes = new Uint8Array(count * whole);
  for (let plane = 0; plane < width; plane++)
    for (let i = 0; i < count; i++) bytes[i * whole + plane + whole - width] = planes[plane * count + i];
  return bytes.buffer;
}

function numbers(buffer: ArrayBuffer, stored: Weight["stored"]): Values {
  if (stored === "int32") return new Int32Array(buffer);
  return stored === "bool" ? new Uint8Array(buffer) : new Float32Array(buffer);
}
