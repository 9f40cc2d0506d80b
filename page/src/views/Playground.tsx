/** Try out the size, stride, padding and dilation of a filter. */

import { useState } from "preact/hooks";

import { times } from "../arithmetic/formatting";
import { extent, formula, impossible, inputAt, outputSize, readsOf, remarks, summed, weightAt, type Sizes } from "../arithmetic/sliding";
import type { Layer, Page, Pair } from "../contract";
import { Announcement } from "./announcement";
import { ArticleLink } from "./Article";
import { Cells } from "./Cells";
import "./playground.css";
import { Player } from "./Player";

const CONTROLS: [keyof Sizes, string, string, number, number][] = [
  ["input", "Input size", "n", 1, 12],
  ["filter", "Filter size", "f", 1, 7],
  ["stride", "Stride", "s", 1, 4],
  ["padding", "Padding", "p", 0, 4],
  ["dilation", "Dilation", "d", 1, 3],
];
const USUAL: Sizes = { input: 7, filter: 3, stride: 1, padding: 1, dilation: 1 };
const minus = (x: number) => String(x).replace("-", "−");

export function Playground({ page }: { page: Page }) {
  const [sizes, setSizes] = useState(USUAL);
  const [chosen, setChosen] = useState<Pair>([0, 0]);
  const problem = impossible(sizes);
  const size = outputSize(sizes);
  const position: Pair = [Math.min(chosen[0], Math.max(0, size - 1)), Math.min(chosen[1], Math.max(0, size - 1))];
  const read = problem ? [] : readsOf(sizes, position);
  const like = likeLayers(page.network.layers);
  const { input, filter, padding } = sizes;
  const isRead = new Set(read.map(({ row, column }) => `${row},${column}`));
  const steps = formula(sizes);
  return (
    <div class="playground">
      <p class="lead">
        A filter reads as many numbers at once as it has weights, moves on by its stride, and reads again. How large is the
        output? <ArticleLink chapter={page.article.network}>More in the article</ArticleLink>
      </p>
      <div class="row settings">
        {CONTROLS.map(([name, words, symbol, low, high]) => (
          <label key={name}>
            <span>
              {words} <i>{symbol}</i> = <b>{sizes[name]}</b>
            </span>
            <input
              type="range"
              min={low}
              max={high}
              value={sizes[name]}
              aria-label={words}
              onInput={(event) => setSizes({ ...sizes, [name]: Number(event.currentTarget.value) })}
            />
          </label>
        ))}
        {like.length > 0 && (
          <label>
            <span>As in a layer of this network</span>
            <select
              value=""
              onChange={(event) => {
                const found = like[Number(event.currentTarget.value)];
                setSizes({ ...sizes, ...found.sizes });
                event.currentTarget.value = "";
              }}
            >
              <option value="">choose …</option>
              {like.map(({ name }, k) => (
                <option value={k} key={name}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        )}
      </div>
      <div class="formula" role="status">
        <p>
          output = floor((n + 2p − f) ÷ s) + 1, where floor rounds down
          {sizes.dilation > 1 && "; with dilation d the filter covers d·(f − 1) + 1 positions, which replace f"}
        </p>
        {steps.map((line) => (
          <p key={line}>{line}</p>
        ))}
        {problem && <p class="notice">{problem}</p>}
        {remarks(sizes).map((line) => (
          <p class="hint" key={line}>
            {line}
          </p>
        ))}
      </div>
      {!problem && (
        <>
          <div class="grids">
            <Cells
              title={`Input ${times([input, input])}${padding ? `, padded to ${times([input + 2 * padding, input + 2 * padding])}` : ""}`}
              from={-padding}
              count={input + 2 * padding}
              written={(r, c) => (r < 0 || c < 0 || r >= input || c >= input ? "0" : String(inputAt(r, c)))}
              kind={(r, c) =>
                `${r < 0 || c < 0 || r >= input || c >= input ? "padding" : ""} ${isRead.has(`${r},${c}`) ? "read" : ""}`
              }
            />
            <Cells
              title={`Filter ${times([filter, filter])}${extent(sizes) > filter ? `, covers ${times([extent(sizes), extent(sizes)])}` : ""}`}
              from={0}
              count={extent(sizes)}
              written={(r, c) => (r % sizes.dilation || c % sizes.dilation ? "" : minus(weightAt(r / sizes.dilation, c / sizes.dilation)))}
              kind={(r, c) => (r % sizes.dilation || c % sizes.dilation ? "gap" : "read")}
            />
            <Cells
              title={`Output ${times([size, size])}`}
              from={0}
              count={size}
              written={(r, c) => minus(summed(readsOf(sizes, [r, c])))}
              kind={(r, c) => (r === position[0] && c === position[1] ? "read" : "")}
              onChoose={setChosen}
            />
          </div>
          <Player size={[size, size]} position={position} onPosition={setChosen} />
          <p class="worked">
            Row {position[0]}, column {position[1]} of the output:{" "}
            {read
              .filter(({ padding }) => !padding)
              .map(({ value, weight }) => `${value}·${weight < 0 ? `(${minus(weight)})` : weight}`)
              .join(" + ") || "0"}{" "}
            = <strong>{minus(summed(read))}</strong>
            {read.some(({ padding }) => padding) && <span class="hint"> Padding counts as 0.</span>}
          </p>
          <Announcement text={`Row ${position[0]}, column ${position[1]} of the output: ${minus(summed(read))}`} />
        </>
      )}
    </div>
  );
}

/** The windows of the network's layers that can be set here, each once. */
function likeLayers(layers: Layer[]): { name: string; sizes: Partial<Sizes> }[] {
  const found = new Map<string, { name: string; sizes: Partial<Sizes> }>();
  for (const { name, shape, arithmetic, sources } of layers) {
    if (!arithmetic || !("size" in arithmetic) || shape.length !== 3) continue;
    const [[filter, other], [stride, across], [dilation], [padding, left]] = [
      arithmetic.size, arithmetic.strides, arithmetic.dilation, arithmetic.padding,
    ];
    const sizes = { filter, stride, padding, dilation };
    const fits = CONTROLS.every(([key, , , low, high]) => key === "input" || (sizes[key] >= low && sizes[key] <= high));
    const alike = filter === other && stride === across && padding === left;
    const [height] = layers[sources[0]].shape;
    if (!fits || !alike || outputSize({ input: height, ...sizes }) !== shape[0]) continue; // padded on one side only
    const key = JSON.stringify(sizes);
    if (!found.has(key)) found.set(key, { name: `${name} (${times([filter, filter])})`, sizes });
  }
  return [...found.values()];
}
