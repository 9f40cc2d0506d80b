/** Softmax: scores become probabilities. */

import { digits, fixed, percent } from "../arithmetic/formatting";
import { workedSoftmax } from "../arithmetic/softmax";
import type { Layer, Page } from "../contract";
import { Linked, type Part } from "./Linked";

const MOST = 10; // rows

export function Softmax({ page, layer, scores, channel }: { page: Page; layer: Layer; scores: number[]; channel: number }) {
  const named = layer.shape[0] === page.classes.length;
  const order = scores
    .map((_, k) => k)
    .sort((a, b) => scores[b] - scores[a] || a - b)
    .slice(0, MOST);
  if (!order.includes(channel)) order.push(channel);
  const { subtracted, powers, others, total, probabilities, digits: count, decimals } = workedSoftmax(scores, order);
  const left = scores.length - order.length;
  const power = subtracted ? "eˣ⁻ᵐ" : "eˣ";
  const name = named ? page.classes[channel] : `unit ${channel}`;
  const formula: Part[] = [
    { symbol: "p", written: "p", means: `the probability of ${name}` },
    " = ",
    { symbol: "e", written: power, means: `e to the power of the score of ${name}` },
    " ÷ ",
    { symbol: "sum", written: `Σ ${power}`, means: "the sum of these powers over all classes" },
    ", ",
    { symbol: "x", written: "x", means: `the score of ${name}${subtracted ? ", less the highest score m" : ""}` },
  ];
  const linked = (chosen: boolean, symbol: string | undefined) => (chosen && symbol ? { "data-symbol": symbol, tabIndex: -1 } : {});
  return (
    <Linked formula={formula}>
    <table class="softmax" aria-label="Scores and probabilities">
      <caption>
        {order.length < scores.length && `The ${order.length} highest of ${scores.length}. `}
        {subtracted > 0 && `m is the highest score; without it, eˣ would be too large a number.`}
      </caption>
      <thead>
        <tr>
          <th scope="col">{named ? "class" : "unit"}</th>
          <th scope="col">score x{subtracted ? " − m" : ""}</th>
          <th scope="col">{power}</th>
          <th scope="col">{power} ÷ sum of all</th>
        </tr>
      </thead>
      <tbody>
        {order.map((k) => (
          <tr class={k === channel ? "chosen" : ""} key={k}>
            <th scope="row">{named ? page.classes[k] : k}</th>
            <td {...linked(k === channel, "x")}>{fixed(scores[k] - subtracted, decimals)}</td>
            <td {...linked(true, k === channel ? "e" : "sum")}>{digits(powers[k], count)}</td>
            <td {...linked(k === channel, "p")}>{percent(probabilities[k])}</td>
          </tr>
        ))}
        {left > 0 && (
          <tr class="others">
            <th scope="row">{left > 1 ? `the ${left} others` : "the other one"}</th>
            <td />
            <td {...linked(true, "sum")}>{digits(others, count)}</td>
            <td>{percent(others / total)}</td>
          </tr>
        )}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row">sum of all {scores.length}</th>
          <td />
          <td {...linked(true, "sum")}>{digits(total, count)}</td>
          <td>100%</td>
        </tr>
      </tfoot>
    </table>
    </Linked>
  );
}
