/** Unpacks the weights that are embedded in the page. */

import type { Weight } from "../contract";

export type Values = Float32Array | Int32Array | Uint8Array;

const BYTES = { float16: 2, float32: 4, int32: 4, bool: 1 };

export async function unpack(weights: Weight[], base64: string): Promise<Map<string, Values>> {
  const bytes = await gunzip(fromBase64(base64));
  const values = new Map<string, Values>();
  let start = 0;
  for (const weight of weights) {
    const count = weight.shape.reduce((a, b) => a * b, 1);
    const width = BYTES[weight.stored];
    values.set(weight.name, numbers(joined(bytes.subarray(start, start + count * width), count, width), weight));
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

export async function gunzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Byte planes (all lowest bytes, then all second ones, …) to the bytes of each number. */
function joined(planes: Uint8Array, count: number, width: number): ArrayBuffer {
  const bytes = new Uint8Array(count * width);
  for (let plane = 0; plane < width; plane++)
    for (let i = 0; i < count; i++) bytes[i * width + plane] = planes[plane * count + i];
  return bytes.buffer;
}

function numbers(buffer: ArrayBuffer, weight: Weight): Values {
  if (weight.stored === "float16") {
    const halves = new Uint16Array(buffer);
    const floats = new Float32Array(halves.length);
    for (let i = 0; i < halves.length; i++) floats[i] = fromHalf(halves[i]) * weight.scale;
    return floats;
  }
  if (weight.stored === "float32") return new Float32Array(buffer);
  return weight.stored === "int32" ? new Int32Array(buffer) : new Uint8Array(buffer);
}

/** IEEE 754 binary16 -> number. */
export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * POWERS[exponent];
}

const POWERS = Array.from({ length: 32 }, (_, exponent) => 2 ** (exponent - 25));
