/** A small network learns digits while the reader watches. */

import { LAYERS, WEIGHTS } from "../arithmetic/digitsLayers";
import { percent } from "../arithmetic/formatting";
import { seen } from "../arithmetic/learning";
import type { Trainer } from "../network/trainer";
import { useCalm, useTraining } from "../state/training";
import { Confusion } from "./Confusion";
import { Curves } from "./Curves";
import { DigitPath } from "./DigitPath";
import "./training.css";
import { TrainingControls } from "./TrainingControls";

const READ_OUT = 6; // seconds between two sentences

export function TrainingView({ trainer }: { trainer: Trainer }) {
  useTraining(trainer);
  const { snapshot, points, settings, digits, problem } = trainer;
  const sentence = snapshot
    ? seen({ ...snapshot, ...settings, points, all: digits!.training })
    : "Starting …";
  const readOut = useCalm(sentence, READ_OUT);
  if (problem)
    return (
      <p class="waiting" role="alert">
        Training needs a web worker, and this browser refused it ({problem}): open this page in another browser, or from
        a web server.
      </p>
    );
  return (
    <div class="lesson">
      <p class="lead">
        Watch it learn: another network, with only {WEIGHTS.toLocaleString("en")} weights, learns handwritten digits in your
        browser. It starts with random filters. {digits && `It learns from ${settings.digits.toLocaleString("en")} digits; ${digits.labels.length - digits.training} others are held out, to see what it does with digits that it has never seen.`}
      </p>
      <TrainingControls trainer={trainer} />
      <p class="visually-hidden" aria-live="polite">
        {readOut}
      </p>
      {snapshot && (
        <>
          <div class="news">
            <p class="seen">{sentence}</p>
            <dl class="counts">
              <Count name="step" value={snapshot.step.toLocaleString("en")} />
              <Count name="epoch" value={snapshot.epoch.toFixed(1)} />
              <Count name="images per second" value={snapshot.speed.toFixed(0)} />
              <Count name="seconds" value={snapshot.seconds.toFixed(1)} />
            </dl>
          </div>
          <div class="learning">
            <Curves name="Loss" points={points} of={({ loss }) => loss} write={(x) => x.toFixed(2)} guessing={[Math.log(10), "guessing: ln 10 = 2.30"]} />
            <Curves name="Accuracy" points={points} of={({ accuracy }) => accuracy} write={percent} guessing={[0.1, "guessing: 10%"]} highest={1} />
            <Confusion snapshot={snapshot} trainer={trainer} />
          </div>
          <DigitPath snapshot={snapshot} trainer={trainer} />
          <details class="layers">
            <summary>Its layers, and how it learns</summary>
            <div class="scroll">
              <table class="plain-table">
                <tbody>
                  {LAYERS.map(([kind, shape, does], i) => (
                    <tr key={i}>
                      <th scope="row">{kind}</th>
                      <td>{shape}</td>
                      <td>{does}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </details>
        </>
      )}
    </div>
  );
}

function Count({ name, value }: { name: string; value: string }) {
  return (
    <div data-count={name}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
