/** What every input adds to a value: all of them, in a grid. */

import { useState } from "preact/hooks";

import { css, inkOn, signedShare } from "../arithmetic/colours";
import { decimalsOf, digitsFor } from "../arithmetic/digits";
import { digits, fixed, short } from "../arithmetic/formatting";
import { bySize, type Term } from "../arithmetic/layers";
import { Legend } from "./Legend";
import { useRoving } from "./roving";

const MOST = 1024;

interface Props {
  terms: Term[];
  nameOf(channel: number): string;
  onOpen(channel: number): void;
}

export function Contributions({ terms, nameOf, onOpen }: Props) {
  const [shown, setShown] = useState<number | null>(null);
  const roving = useRoving();
  const sorted = bySize(terms);
  const largest = Math.abs(sorted[0].sum);
  const cells = sorted.slice(0, MOST).sort((a, b) => a.channel - b.channel);
  const chosen = terms.find(({ channel }) => channel === shown);
  return (
    <div class="everything">
      <p class="row">
        <span class="hint">
          {terms.length > MOST && `The ${MOST} largest of ${terms.length}. `}What each adds. Choose one to see how it is computed.
        </span>
        <Legend palette="diverging" low={short(-largest)} high={`+${short(largest)}`} />
      </p>
      <p class="one" aria-live="polite">
        {chosen ? `${nameOf(chosen.channel)}: ${workedOut(chosen)}` : " "}
      </p>
      <div class="contributions" role="group" aria-label="What each input adds" {...roving.group}>
        {cells.map(({ channel, sum }, index) => {
          const { onFocus, tabIndex } = roving.button(index);
          const share = signedShare(sum, largest);
          return (
            <button
              type="button"
              tabIndex={tabIndex}
              style={{ background: css("diverging", share), color: inkOn("diverging", share) }}
              aria-label={`${nameOf(channel)}, ${short(sum)}`}
              onFocus={() => (onFocus(), setShown(channel))}
              onPointerEnter={() => setShown(channel)}
              onClick={() => onOpen(channel)}
              key={channel}
            >
              {short(sum)}
            </button>
          );
        })}
      </div>
    </div>
  );
}

/** Of an FC layer input × weight = product, as a calculator has it; of a CONV layer the sum alone. */
function workedOut({ inputs, weights, sum }: Term): string {
  const decimals = decimalsOf(sum);
  if (inputs.length * inputs[0].length > 1) return fixed(sum, decimals);
  const [x, weight] = [inputs[0][0], weights[0][0]];
  const count = digitsFor([x, weight], ([x, weight]) => x * weight, sum, decimals);
  return `${digits(x, count)} × ${digits(weight, count)} = ${fixed(sum, decimals)}`;
}
