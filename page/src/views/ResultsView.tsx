/** How well the network does; each cell of the confusion matrix opens its images. */

import { useState } from "preact/hooks";

import { percent } from "../arithmetic/formatting";
import { worstFirst } from "../arithmetic/metrics";
import type { Page, Pair, Results } from "../contract";
import { ArticleLink } from "./Article";
import { SheetImage, sheetPixels } from "./canvas";
import { useRoving } from "./roving";

const DEEPEST = 55; // percent of a colour on which numbers stay readable
const MOST_ROWS = 40; // of a list
const MOST_CLASSES = 25; // in a matrix; with more, the most frequent mistakes are listed

interface Props {
  page: Page;
  onImage(image: Blob, name: string, label: number): void;
}

export function ResultsView({ page, onImage }: Props) {
  const { results, classes } = page;
  const [cell, setCell] = useState<Pair | null>(null);
  if (!results) return <p class="waiting">No image has a known class: there are no results.</p>;
  const chosen = cell ?? worst(results);
  const placed = results.shown.map((shown, place) => ({ shown, place }));
  const shown = chosen
    ? placed.filter(({ shown }) => shown.label === chosen[0] && shown.predicted === chosen[1])
    : [];
  return (
    <>
      <p class="lead">
        {results.headline}, on images of {results.data}.{" "}
        {classes.length <= MOST_CLASSES
          ? "Each row is a true class, each column a prediction. Choose a cell to see its images."
          : `With ${classes.length} classes a matrix would be too large: these are the most frequent mistakes. Choose one to see its images.`} <ArticleLink chapter={page.article.results}>How to read this</ArticleLink>
      </p>
      <div class="results">
        {classes.length <= MOST_CLASSES ? (
          <Matrix results={results} classes={classes} chosen={chosen} onCell={setCell} />
        ) : (
          <Pairs results={results} classes={classes} onCell={setCell} />
        )}
        <section class="behind" aria-label="Images of the cell">
          {chosen && (
            <>
              <h2 aria-live="polite">
                {chosen[0] === chosen[1]
                  ? `${classes[chosen[0]]}, classified correctly`
                  : `${classes[chosen[0]]}, classified as ${classes[chosen[1]]}`}
              </h2>
              <p class="aside">
                {results.confusion[chosen[0]][chosen[1]]} images
                {shown.length > 0 && "; the most confident:"}
              </p>
              <div class="examples">
                {shown.map(({ shown: { name, index, probability, label }, place }) => (
                  <figure key={place}>
                    <button
                      type="button"
                      class="tile"
                      title="Look at it in the network"
                      onClick={async () => onImage(await sheetPixels(results.sheet, place), name, label)}
                    >
                      <SheetImage sheet={results.sheet} index={place} label={name} />
                    </button>
                    <figcaption>
                      #{index} · {percent(probability)}
                    </figcaption>
                  </figure>
                ))}
              </div>
            </>
          )}
        </section>
      </div>
      <div class="results">
        <ByClass results={results} classes={classes} />
        <Calibration results={results} />
      </div>
    </>
  );
}

/** What a list shows of all, and in which order. */
function atMost(all: number, what: string, order: string): string {
  return all > MOST_ROWS ? `the first ${MOST_ROWS} of ${all} ${what}, ${order}` : `${all} ${what}, ${order}`;
}

function worst({ confusion }: Results): Pair | null {
  let best: Pair | null = null;
  confusion.forEach((row, t) =>
    row.forEach((count, p) => {
      if (t !== p && count > (best ? confusion[best[0]][best[1]] : 0)) best = [t, p];
    }),
  );
  return best;
}

interface MatrixProps {
  results: Results;
  classes: string[];
  chosen: Pair | null;
  onCell(cell: Pair): void;
}

function Matrix({ results: { confusion }, classes, chosen, onCell }: MatrixProps) {
  const roving = useRoving();
  return (
    <div class="scroll">
      <table class="matrix" {...roving.group}>
        <caption class="visually-hidden">
          Images by true class (rows) and predicted class (columns). Arrow keys move between cells.
        </caption>
        <thead>
          <tr>
            <td />
            {classes.map((name, k) => (
              <th scope="col" key={k} title={name}>
                <span>{name}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {confusion.map((row, t) => {
            const all = row.reduce((a, b) => a + b, 0);
            return (
              <tr key={t}>
                <th scope="row" title={classes[t]}>
                  {classes[t]}
                </th>
                {row.map((count, p) => {
                  const share = all ? count / all : 0;
                  const strength = Math.min(DEEPEST, Math.round(100 * (t === p ? share : 4 * share)));
                  const tint = t === p ? "--right" : "--wrong";
                  return (
                    <td key={p}>
                      <button
                        type="button"
                        class={count ? "" : "none"}
                        aria-pressed={chosen?.[0] === t && chosen[1] === p}
                        aria-label={`${classes[t]} classified as ${classes[p]}: ${count}`}
                        style={{ background: `color-mix(in srgb, var(${tint}) ${strength}%, var(--sunk))` }}
                        onClick={() => onCell([t, p])}
                        {...roving.button(t * classes.length + p)}
                      >
                        {count || ""}
                      </button>
                    </td>
                  );
                })}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Pairs({ results: { confusion }, classes, onCell }: Omit<MatrixProps, "chosen">) {
  const pairs = confusion
    .flatMap((row, t) => row.map((count, p) => ({ count, t, p })))
    .filter(({ count, t, p }) => count && t !== p)
    .sort((a, b) => b.count - a.count);
  return (
    <section aria-label="Mistakes">
      <h2>{atMost(pairs.length, "kinds of mistakes", "the most frequent first")}</h2>
      <ol class="pairs">
        {pairs.slice(0, MOST_ROWS).map(({ count, t, p }) => (
          <li key={`${t},${p}`}>
            <button type="button" class="link" onClick={() => onCell([t, p])}>
              {classes[t]} classified as {classes[p]}
            </button>{" "}
            {count}
          </li>
        ))}
      </ol>
    </section>
  );
}

function ByClass({ results: { byClass }, classes }: { results: Results; classes: string[] }) {
  const order = worstFirst(byClass);
  const images = (k: number) => byClass[k][3];
  return (
    <section aria-label="By class">
      <h2>By class: {atMost(order.length, "classes", "worst first")}</h2>
      <table class="plain-table" aria-label="Precision, recall and F1 of each class">
        <thead>
          <tr>
            {["class", "precision", "recall", "F1", "images"].map((name) => (
              <th scope="col" key={name}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {order.slice(0, MOST_ROWS).map((k) => (
            <tr key={k}>
              <th scope="row" title={classes[k]}>
                {classes[k]}
              </th>
              {byClass[k].map((number, column) => (
                <td key={column}>{column === 3 ? number : images(k) ? percent(number) : "–"}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** Accuracy against confidence. */
function Calibration({ results: { calibration } }: { results: Results }) {
  const points = calibration.count
    .map((count, bin) => ({ count, x: calibration.confidence[bin], y: calibration.accuracy[bin] }))
    .filter((point) => point.count > 0);
  const most = Math.max(...calibration.count);
  return (
    <section aria-label="Calibration">
      <h2>Calibration: is it as confident as it is accurate?</h2>
      <svg class="chart" viewBox="-34 -12 252 244" role="img" aria-label={calibration.sentence}>
        <path d="M0 200V0M0 200H200" class="axis" />
        <path d="M0 200L200 0" class="ideal" />
        {points.map(({ count, x, y }) => (
          <circle cx={200 * x!} cy={200 - 200 * y!} r={2.5 + 6 * Math.sqrt(count / most)} class="point" />
        ))}
        <text x="100" y="226" text-anchor="middle">
          confidence
        </text>
        <text transform="translate(-20 100) rotate(-90)" text-anchor="middle">
          accuracy
        </text>
        <text x="0" y="213">0</text>
        <text x="200" y="213" text-anchor="end">
          100%
        </text>
      </svg>
      <p class="aside">{calibration.sentence}.</p>
    </section>
  );
}
