/** A formula and its numbers: pointing at a symbol lights up the numbers that it stands for, and the other way round. */

import type { ComponentChildren, TargetedFocusEvent, TargetedKeyboardEvent, TargetedPointerEvent } from "preact";
import { useState } from "preact/hooks";

import "./linked.css";

/** A part of a formula: plain text, or a symbol and what it stands for. */
export type Part = string | { symbol: string; written: string; means: string };

const MOVES: Record<string, number> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

const symbolOf = (target: EventTarget | null) =>
  target instanceof Element ? (target.closest<HTMLElement>("[data-symbol]")?.dataset.symbol ?? null) : null;

export function Linked({ formula, note, children }: { formula: Part[]; note?: ComponentChildren; children: ComponentChildren }) {
  const [pointed, setPointed] = useState<string | null>(null);
  const [focused, setFocused] = useState<string | null>(null);
  const active = pointed ?? focused;
  const symbols = formula.filter((part) => typeof part !== "string");
  const meant = symbols.find(({ symbol }) => symbol === active);
  const point = (event: TargetedPointerEvent<HTMLElement>) => setPointed(symbolOf(event.target));
  const keys = (event: TargetedKeyboardEvent<HTMLElement>) => {
    const all = [...event.currentTarget.querySelectorAll<HTMLElement>("[data-symbol]")];
    const here = all.indexOf(document.activeElement as HTMLElement);
    if (here < 0) return;
    const to = event.key === "Home" ? 0 : event.key === "End" ? all.length - 1 : here + (MOVES[event.key] ?? NaN);
    if (!all[to]) return;
    event.preventDefault();
    event.stopPropagation();
    setPointed(null);
    all[to].focus();
  };
  const first = formula.findIndex((part) => typeof part !== "string");
  return (
    <div
      class="linked"
      data-active={active}
      onPointerOver={(event) => event.pointerType === "mouse" && point(event)}
      onPointerDown={point}
      onPointerLeave={(event) => event.pointerType === "mouse" && setPointed(null)}
      onFocusIn={(event: TargetedFocusEvent<HTMLElement>) => setFocused(symbolOf(event.target))}
      onFocusOut={() => (setFocused(null), setPointed(null))}
      onKeyDown={keys}
    >
      <p class="formula-line">
        <span class="symbols" role="group" aria-label="Formula. Arrow keys move through its symbols and their numbers.">
          {formula.map((part, k) =>
            typeof part === "string" ? (
              <span key={k}>{part}</span>
            ) : (
              <button
                type="button"
                class="symbol"
                data-symbol={part.symbol}
                aria-label={`${part.written}: ${part.means}`}
                tabIndex={k === first ? 0 : -1}
                key={k}
              >
                {part.written}
              </button>
            ),
          )}
        </span>
        {note && <span class="hint">{note}</span>}
        <span class="hint meaning">{meant ? <><b>{meant.written}</b> {meant.means}</> : "Point at a symbol or a number."}</span>
      </p>
      {children}
    </div>
  );
}
