/** One held-out digit on its way through the network: filters, feature maps and probabilities. */

import { useMemo } from "preact/hooks";

import { CLASSES, FILTERS, SIDE, WINDOW } from "../arithmetic/digitsLayers";
import { percent, short } from "../arithmetic/formatting";
import { channelOf } from "../arithmetic/layers";
import type { Trainer } from "../network/trainer";
import type { Snapshot } from "../network/trainingLoop";
import { ChannelMap } from "./canvas";
import { Legend } from "./Legend";

const DIGITS = Array.from({ length: CLASSES }, (_, k) => k);

export function DigitPath({ snapshot, trainer }: { snapshot: Snapshot; trainer: Trainer }) {
  const { digit, filters, first, second, probabilities } = snapshot;
  const { pixels, label } = trainer.heldOut(digit);
  const largest = Math.max(...filters.map(Math.abs));
  const best = probabilities.indexOf(Math.max(...probabilities));
  const choices = useMemo(() => DIGITS.map((k) => firstOf(trainer, k)), [trainer]);
  return (
    <section class="path" aria-label="One digit on its way through the network">
      <div class="station">
        <h2>One held-out digit: {label}</h2>
        <ChannelMap values={pixels as Float32Array} height={SIDE} width={SIDE} palette="grey" scale={[0, 1]} label={`the digit ${label}`} class="digit" />
        <div class="choice" role="group" aria-label="Follow another digit">
          {DIGITS.map((k) => (
            <button type="button" key={k} aria-pressed={digit === choices[k]} onClick={() => trainer.order({ what: "look", digit: choices[k] })}>
              {k}
            </button>
          ))}
        </div>
      </div>
      <div class="station">
        <h2>CONV + RELU: {FILTERS[0]} filters, and their feature maps</h2>
        <div class="maps">
          {Array.from({ length: FILTERS[0] }, (_, k) => (
            <div key={k}>
              <ChannelMap values={channel(filters, WINDOW, FILTERS[0], k)} height={WINDOW} width={WINDOW} palette="diverging" scale={[-largest, largest]} label={`filter ${k}`} />
              <ChannelMap values={channel(first, SIDE, FILTERS[0], k)} height={SIDE} width={SIDE} scale={[0, Math.max(...first)]} label={`feature map ${k}`} />
            </div>
          ))}
        </div>
        <p class="legends">
          <Legend palette="diverging" low={`weight ${short(-largest)}`} high={short(largest)} />
          <Legend palette="outputs" low="value 0" high={short(Math.max(...first))} />
        </p>
      </div>
      <div class="station">
        <h2>CONV + RELU: {FILTERS[1]} feature maps</h2>
        <div class="maps">
          {Array.from({ length: FILTERS[1] }, (_, k) => (
            <ChannelMap key={k} values={channel(second, SIDE / 2, FILTERS[1], k)} height={SIDE / 2} width={SIDE / 2} scale={[0, Math.max(...second)]} label={`feature map ${k} of the second layer`} />
          ))}
        </div>
        <p class="legends">
          <Legend palette="outputs" low="value 0" high={short(Math.max(...second))} />
        </p>
      </div>
      <div class="station">
        <h2>
          FC + SOFTMAX: {Number.isNaN(probabilities[0]) ? "no number any more" : `${best}, ${percent(probabilities[best])}`}
          {best === label ? " ✓" : ""}
        </h2>
        <ol class="columns" aria-label="Probability of each digit">
          {DIGITS.map((k) => (
            <li key={k} class={k === best ? "best" : ""} aria-label={`${k}: ${percent(probabilities[k])}`}>
              <i style={{ height: `${100 * (probabilities[k] || 0)}%` }} />
              <b>{k}</b>
            </li>
          ))}
        </ol>
        <p class="hint">Height: probability, from 0 to 100%. {best === label ? "" : `It should say ${label}.`}</p>
      </div>
    </section>
  );
}

function channel(values: Float32Array, side: number, channels: number, which: number): Float32Array {
  return channelOf({ values, height: side, width: side, channels }, which);
}

/** The first held-out digit of a class. */
function firstOf(trainer: Trainer, label: number): number {
  const { labels, training } = trainer.digits!;
  return labels.subarray(training).indexOf(label);
}
