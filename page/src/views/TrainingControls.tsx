/** Start, pause and reset the training, and what it depends on. */

import type { ComponentChildren } from "preact";

import { USUAL, type Trainer } from "../network/trainer";
import type { Settings } from "../network/trainingLoop";

const RATES = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3];
const BATCHES = [1, 8, 32, 128];
const DECAYS = [0, 0.001, 0.01, 0.1];
const FEW = 50; // digits that it can memorise
const LARGEST_SEED = 9999;

export function TrainingControls({ trainer }: { trainer: Trainer }) {
  const { settings, snapshot } = trainer;
  const running = snapshot?.running ?? false;
  const change = (news: Partial<Settings>) => trainer.change({ ...settings, ...news });
  const anew = (news: Partial<Settings> = {}) => {
    trainer.order({ what: "pause" });
    trainer.reset({ ...settings, ...news });
  };
  const all = trainer.digits?.training ?? settings.digits;
  return (
    <div class="knobs">
      <div class="row">
        <button type="button" class="plain start" disabled={!snapshot} onClick={() => trainer.order({ what: running ? "pause" : "run" })}>
          {running ? "❚❚ Pause" : "▶ Start"}
        </button>
        <button type="button" class="plain" disabled={!snapshot} onClick={() => trainer.order({ what: "advance", steps: 1 })}>
          One step
        </button>
        <button type="button" class="plain" disabled={!snapshot} onClick={() => anew()}>
          Reset
        </button>
        <button
          type="button"
          class="plain"
          disabled={!snapshot}
          title={`${FEW} digits to learn from, and no weight decay`}
          onClick={() => {
            anew({ digits: FEW, weightDecay: 0, learningRate: USUAL.learningRate, batch: USUAL.batch });
            trainer.order({ what: "run" });
          }}
        >
          Make it overfit
        </button>
      </div>
      <fieldset>
        <legend>at any time</legend>
        <Choice name="Learning rate" options={RATES} value={settings.learningRate} onChange={(learningRate) => change({ learningRate })} />
        <Choice name="Batch size" options={BATCHES} value={settings.batch} onChange={(batch) => change({ batch })} />
        <Choice name="Weight decay" options={DECAYS} value={settings.weightDecay} onChange={(weightDecay) => change({ weightDecay })} />
      </fieldset>
      <fieldset>
        <legend>starts anew</legend>
        <Choice name="Training digits" options={[FEW, 200, all]} value={settings.digits} onChange={(digits) => anew({ digits })} />
        <Knob name="Seed">
          <input
            type="number"
            min={0}
            max={LARGEST_SEED}
            value={settings.seed}
            onChange={({ currentTarget }) => anew({ seed: Math.min(LARGEST_SEED, Math.max(0, Math.round(Number(currentTarget.value)))) })}
          />
        </Knob>
      </fieldset>
      {settings.digits === FEW && (
        <p class="hint">
          It can memorise {FEW} digits. Look for this: its training accuracy goes to 100%, the accuracy on
          held-out digits stays behind, and the loss on held-out digits stops falling.
        </p>
      )}
    </div>
  );
}

function Choice(props: { name: string; options: number[]; value: number; onChange(value: number): void }) {
  const { name, options, value, onChange } = props;
  return (
    <Knob name={name}>
      <select value={value} onChange={({ currentTarget }) => onChange(Number(currentTarget.value))}>
        {options.map((option) => (
          <option value={option} key={option}>
            {option.toLocaleString("en")}
          </option>
        ))}
      </select>
    </Knob>
  );
}

function Knob({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <label>
      {name} {children}
    </label>
  );
}
