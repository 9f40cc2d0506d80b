/** The confusion matrix of the held-out digits, while the network learns; a cell opens one of its digits. */

import { useRef } from "preact/hooks";

import { CLASSES } from "../arithmetic/digitsLayers";
import type { Trainer } from "../network/trainer";
import type { Snapshot } from "../network/trainingLoop";
import { useRoving } from "./roving";

const DEEPEST = 55; // percent of a colour on which numbers stay readable
const DIGITS = Array.from({ length: CLASSES }, (_, k) => k);

export function Confusion({ snapshot, trainer }: { snapshot: Snapshot; trainer: Trainer }) {
  const roving = useRoving();
  const turn = useRef(0); // so that choosing a cell again shows another of its digits
  const { confusion, predicted, digit } = snapshot;
  const { label } = trainer.heldOut(digit);
  const choose = (truth: number, column: number) => {
    const inCell = Array.from(predicted, (_, i) => i).filter((i) => predicted[i] === column && trainer.heldOut(i).label === truth);
    if (inCell.length) trainer.order({ what: "look", digit: inCell[turn.current++ % inCell.length] });
  };
  const right = DIGITS.reduce((sum, k) => sum + confusion[k][k], 0);
  return (
    <figure class="confusion">
      <figcaption>
        <strong>Confusion matrix</strong> <span data-right={right}>{right} of {predicted.length} held out are right</span>
      </figcaption>
      <table class="matrix small" {...roving.group}>
        <caption class="visually-hidden">
          Held-out digits by true digit (rows) and predicted digit (columns). Arrow keys move between cells; a cell shows one
          of its digits below.
        </caption>
        <thead>
          <tr>
            <td />
            {DIGITS.map((k) => (
              <th scope="col" key={k}>
                {k}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {confusion.map((row, truth) => {
            const all = row.reduce((a, b) => a + b, 0);
            return (
              <tr key={truth}>
                <th scope="row">{truth}</th>
                {row.map((count, column) => {
                  const share = count / all;
                  const strength = Math.min(DEEPEST, Math.round(100 * (truth === column ? share : 2 * share)));
                  const tint = truth === column ? "--right" : "--wrong";
                  return (
                    <td key={column}>
                      <button
                        type="button"
                        class={truth === column ? "diagonal" : ""}
                        aria-pressed={truth === label && column === predicted[digit]}
                        aria-label={`${truth}, predicted ${column}: ${count}`}
                        style={{ background: `color-mix(in srgb, var(${tint}) ${strength}%, var(--sunk))` }}
                        {...roving.button(truth * CLASSES + column)}
                        onClick={() => choose(truth, column)}
                      >
                        {count || "·"}
                      </button>
                    </td>
                  );
                })}
              </tr>
            );
          })}
        </tbody>
      </table>
      <p class="hint">
        Row: the true digit. Column: the prediction. Right ones are on the diagonal (green), mistakes beside it (red). Choose a
        cell to follow one of its digits.
      </p>
    </figure>
  );
}
