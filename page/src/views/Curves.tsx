/** A number that changes while a network learns, on training and on held-out digits. */

import { path, ticks, type Point } from "../arithmetic/curves";
import type { Measured } from "../arithmetic/metrics";

const [WIDTH, HEIGHT] = [320, 170];
const FIRST_STEPS = 100; // the axis of steps is never shorter

interface Props {
  name: string;
  points: readonly Point[];
  of(measured: Measured): number;
  write(value: number): string;
  /** What a network that knows nothing gets, and its label. */
  guessing: [number, string];
  /** The end of the axis, if it is fixed. */
  highest?: number;
}

export function Curves({ name, points, of, write, guessing, highest }: Props) {
  const values = points.flatMap(({ training, heldOut }) => [of(training), of(heldOut)]).filter(Number.isFinite);
  const marks = ticks(highest ?? Math.max(guessing[0], ...values), 5);
  const steps = ticks(Math.max(FIRST_STEPS, points.at(-1)?.step ?? 0), 4);
  const x = (step: number) => (step / steps.at(-1)!) * WIDTH;
  const y = (value: number) => HEIGHT - (value / marks.at(-1)!) * HEIGHT;
  const last = points.at(-1);
  const lines = [
    { key: "training", label: "training" },
    { key: "heldOut", label: "held out" },
  ] as const;
  const said = last ? lines.map(({ key, label }) => `${label} ${write(of(last[key]))}`).join(", ") : "";
  return (
    <figure class="curves">
      <figcaption>
        <strong>{name}</strong>
        {lines.map(({ key, label }) => (
          <span key={key} class={key} data-value={last ? of(last[key]) : ""}>
            <svg viewBox="0 0 22 8" width="22" height="8" aria-hidden="true">
              <path d="M0 4H22" />
            </svg>{" "}
            {label} <b>{last ? write(of(last[key])) : ""}</b>
          </span>
        ))}
      </figcaption>
      <svg viewBox={`-36 -8 ${WIDTH + 48} ${HEIGHT + 44}`} role="img" aria-label={`${name} after ${last?.step ?? 0} steps: ${said}`}>
        {marks.map((mark) => (
          <g key={mark}>
            <path d={`M0 ${y(mark)}H${WIDTH}`} class="grid" />
            <text x={-6} y={y(mark) + 4} text-anchor="end">
              {highest ? `${Math.round(100 * mark)}%` : mark}
            </text>
          </g>
        ))}
        {steps.map((step) => (
          <text x={x(step)} y={HEIGHT + 15} text-anchor="middle" key={step}>
            {step.toLocaleString("en")}
          </text>
        ))}
        <text x={WIDTH / 2} y={HEIGHT + 31} text-anchor="middle">
          step
        </text>
        <path d={`M0 0V${HEIGHT}H${WIDTH}`} class="axis" />
        <path d={`M0 ${y(guessing[0])}H${WIDTH}`} class="guessing" />
        <text x={WIDTH} y={y(guessing[0]) - 4} text-anchor="end" class="guess">
          {guessing[1]}
        </text>
        {lines.map(({ key }) => (
          <path key={key} d={path(points.map((point) => [x(point.step), y(of(point[key]))] as const))} class={`line ${key}`} />
        ))}
      </svg>
    </figure>
  );
}
