/** The values of a channel: as numbers, in a window, and under the pointer. */

import type { TargetedKeyboardEvent, TargetedPointerEvent } from "preact";

import { css, inkOn, signedShare, type Palette } from "../arithmetic/colours";
import { digits, times } from "../arithmetic/formatting";
import { channelOf, range, windowPositions, type Block } from "../arithmetic/layers";
import type { Pair, Window } from "../contract";
import { ChannelMap } from "./canvas";

interface NumbersProps {
  lines: number[][];
  label: string;
  /** Significant digits. */
  count: number;
  /** What stands for padding (NaN). */
  padding: string;
  palette: Palette;
  marked?: number;
  /** What they are called in the formula. */
  symbol: string;
}

/** A grid of numbers on their colours. */
export function Numbers({ lines, label, count, padding, palette, marked, symbol }: NumbersProps) {
  const known = lines.flat().filter((x) => !Number.isNaN(x));
  const [low, high] = known.length ? range(known) : [0, 1];
  const largest = Math.max(Math.abs(low), Math.abs(high));
  const written = (x: number) => (Number.isNaN(x) ? padding : digits(x, count));
  const alone = lines.flat().length === 1; // a colour would mean nothing
  const share = (x: number) => (palette === "diverging" ? signedShare(x, largest) : high > low ? (x - low) / (high - low) : 0);
  return (
    <table class={alone ? "numbers alone" : "numbers"} aria-label={label} data-symbol={symbol} tabIndex={-1}>
      <tbody>
        {lines.map((line, r) => (
          <tr key={r}>
            {line.map((x, c) => (
              <td
                key={c}
                class={Number.isNaN(x) ? "padding" : x === marked ? "marked" : ""}
                style={{
                  "--length": written(x).length,
                  ...(alone || Number.isNaN(x) ? {} : { background: css(palette, share(x)), color: inkOn(palette, share(x)) }),
                }}
              >
                {written(x)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A channel with a frame around a window. */
export function WindowMap(props: { whole: Block; channel: number; window: Window; position: Pair; name: string; palette: Palette }) {
  const { whole, channel, window, position, name, palette } = props;
  const positions = windowPositions(window, position).flat();
  const rows = range(positions.map(([r]) => r));
  const columns = range(positions.map(([, c]) => c));
  const { height, width } = whole;
  const box = {
    top: `${(100 * Math.max(0, rows[0])) / height}%`,
    left: `${(100 * Math.max(0, columns[0])) / width}%`,
    height: `${(100 * (Math.min(height, rows[1] + 1) - Math.max(0, rows[0]))) / height}%`,
    width: `${(100 * (Math.min(width, columns[1] + 1) - Math.max(0, columns[0]))) / width}%`,
  };
  return (
    <span class="framed">
      <ChannelMap values={channelOf(whole, channel)} height={height} width={width} palette={palette} label={`${name}, channel ${channel}`} />
      <span class="frame" style={box} />
    </span>
  );
}

/** A channel in which the pointer or the arrow keys choose a position. */
export function ValueMap(props: {
  whole: Block;
  channel: number;
  scale?: Pair;
  palette: Palette;
  position: Pair;
  label: string;
  onPosition(position: Pair): void;
}) {
  const { whole, channel, scale, palette, position, label, onPosition } = props;
  const { height, width } = whole;
  const clamp = ([r, c]: Pair): Pair => [
    Math.min(height - 1, Math.max(0, r)),
    Math.min(width - 1, Math.max(0, c)),
  ];
  const move = (event: TargetedPointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const row = Math.floor(((event.clientY - box.top) / box.height) * height);
    const column = Math.floor(((event.clientX - box.left) / box.width) * width);
    const [r, c] = clamp([row, column]);
    if (r !== position[0] || c !== position[1]) onPosition([r, c]);
  };
  const keys = (event: TargetedKeyboardEvent<HTMLElement>) => {
    const moves: Record<string, Pair> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const step = moves[event.key];
    if (!step) return;
    event.preventDefault();
    onPosition(clamp([position[0] + step[0], position[1] + step[1]]));
  };
  const box = {
    top: `${(100 * position[0]) / height}%`,
    left: `${(100 * position[1]) / width}%`,
    height: `${100 / height}%`,
    width: `${100 / width}%`,
  };
  const many = height * width > 1;
  return (
    <div
      class={`framed ${many ? "large" : "single"}`}
      role={many ? "application" : undefined}
      tabIndex={many ? 0 : undefined}
      aria-label={many ? `Output of ${label}, ${times([height, width])} values. Arrow keys choose a value.` : undefined}
      onPointerMove={move}
      onPointerDown={move}
      onKeyDown={keys}
    >
      <ChannelMap values={channelOf(whole, channel)} height={height} width={width} scale={scale} palette={palette} />
      <span class="frame" style={box} />
    </div>
  );
}
