/** The strongest path from the verdict back to the image, in sentences. */

import type { ComponentChildren } from "preact";

import { short, signed } from "../arithmetic/formatting";
import { atDecimals, decimalsOf } from "../arithmetic/digits";
import type { Node, Step } from "../arithmetic/strongestPath";
import type { Page } from "../contract";
import { channelName } from "../state/selection";

interface Props {
  page: Page;
  steps: Step[] | null;
  onOpen(node: Node): void;
  onClose(): void;
}

export function PathPanel({ page, steps, onOpen, onClose }: Props) {
  const { layers } = page.network;
  const name = ({ layer, channel, position }: Node) =>
    [
      `${layers[layer].name} ${channelName(page, layers, layer, channel)}`,
      layers[layer].shape.length === 3 ? `row ${position[0]}, column ${position[1]}` : "",
    ]
      .filter(Boolean)
      .join(", ");
  const link = (node: Node) => (
    <button type="button" class="link" onClick={() => onOpen(node)}>
      {name(node)}
    </button>
  );
  const end = steps?.at(-1)?.to;
  return (
    <section
      class="path-panel"
      aria-label="The strongest path"
      onKeyDown={(event) => event.key === "Escape" && onClose()}
    >
      <div class="title">
        <h2>Why this verdict? The strongest path</h2>
        <button type="button" class="plain" onClick={onClose}>
          Close the path
        </button>
      </div>
      <p class="hint">
        From the verdict back to the image: of each sum the input that adds most (weight × activation), of each window the
        highest value. It is one of very many paths, and not all of the reason.
      </p>
      {!steps && <p>Following the path …</p>}
      {steps && (
        <ol aria-label="Steps from the verdict to the image">
          {steps
            .filter(({ by }) => by !== "passed on")
            .map((step, index) => (
              <li key={index}>{sentence(step, link)}</li>
            ))}
          {end && (
            <li>
              {layers[end.layer].sources.length === 0 ? (
                <>The path ends in the image: {link(end)}.</>
              ) : (
                <>
                  The path ends at {link(end)}: the page can't look into a layer of the type {layers[end.layer].type}.
                </>
              )}
            </li>
          )}
        </ol>
      )}
    </section>
  );
}

function sentence({ from, to, added, sum, of, by }: Step, link: (node: Node) => ComponentChildren) {
  if (by === "highest")
    return (
      <>
        {link(to)}: {short(added)}, the highest of the {of} values that {link(from)} takes.
      </>
    );
  const decimals = Math.max(decimalsOf(added), decimalsOf(sum));
  return (
    <>
      {link(to)} adds {signed(atDecimals(added, decimals), decimals)} of {signed(atDecimals(sum, decimals), decimals)} to{" "}
      {link(from)}: the most of {of}.
    </>
  );
}
