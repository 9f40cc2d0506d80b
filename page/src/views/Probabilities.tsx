/** The probability of each class, for the image now and for the original. */

import { percent } from "../arithmetic/formatting";
import { Announcement } from "./announcement";

const MOST_COMPACT = 3; // beside the image of a phone

interface Props {
  classes: string[];
  now: ArrayLike<number>;
  before: ArrayLike<number>;
  label: number;
  /** Whether the probabilities are up to date with the image. */
  live: boolean;
  most?: number;
}

export function Probabilities({ classes, now, before, label, live, most = 10 }: Props) {
  const order = classes
    .map((_, k) => k)
    .sort((a, b) => Math.max(now[b], before[b]) - Math.max(now[a], before[a]) || a - b)
    .slice(0, most);
  const shown = classes.length <= most ? classes.map((_, k) => k) : order;
  const lesser = order.slice(MOST_COMPACT);
  const best = Array.from(now).indexOf(Math.max(...Array.from(now)));
  return (
    <section class="panel" aria-label="Probabilities" aria-busy={!live}>
      <p class="verdict">
        <strong>{classes[best]}</strong> {percent(now[best])}
        {label >= 0 && label !== best && <span class="aside"> true class: {classes[label]}</span>}
      </p>
      <table class="bars" aria-label="Probability of each class">
        <tbody>
          {shown.map((k) => (
            <tr key={k} class={k === best ? "best" : lesser.includes(k) ? "lesser" : ""} data-class={k} data-value={now[k]}>
              <th scope="row" title={classes[k]}>
                {classes[k]}
                {k === label && <span class="true" role="img" aria-label="the true class"> ✓</span>}
              </th>
              <td>
                <span class="track">
                  <span class="bar" style={{ width: `${100 * now[k]}%` }} />
                  <span class="was" style={{ left: `${100 * before[k]}%` }} title={`original: ${percent(before[k])}`} />
                </span>
              </td>
              <td class="number">{percent(now[k])}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="hint">
        {shown.length < classes.length && `The ${shown.length} highest of ${classes.length} classes. `}Thin line: the original
        image.
      </p>
      <Announcement text={`${classes[best]}, ${percent(now[best])}`} />
    </section>
  );
}
