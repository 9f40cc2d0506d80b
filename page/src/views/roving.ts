/** A roving tabindex: many buttons are one stop of the Tab key, and arrow keys move between them. */

import type { TargetedKeyboardEvent } from "preact";
import { useState } from "preact/hooks";

import type { Pair } from "../contract";

const MOVES: Record<string, Pair> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** Properties of the element around the buttons, and of the button with an index. */
export function useRoving() {
  const [current, setCurrent] = useState(0);
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLElement>) => {
    const move = MOVES[event.key];
    const buttons = [...event.currentTarget.querySelectorAll("button")];
    const end = event.key === "Home" ? buttons[0] : event.key === "End" ? buttons.at(-1) : undefined;
    if (!move && !end) return;
    event.preventDefault();
    if (end) end.focus();
    else nearest(buttons, document.activeElement!, move)?.focus();
  };
  const button = (index: number) => ({
    tabIndex: index === current ? 0 : -1,
    onFocus: () => setCurrent(index),
  });
  return { group: { onKeyDown }, button, reset: () => setCurrent(0) };
}

/** The nearest button in a direction, in the same column or row. */
function nearest(buttons: HTMLButtonElement[], from: Element, [down, right]: Pair): HTMLButtonElement | undefined {
  const here = from.getBoundingClientRect();
  const apart = (there: DOMRect) =>
    down ? down * (there.top - here.top) : right * (there.left - here.left);
  const aside = (there: DOMRect) =>
    Math.abs(down ? there.left - here.left : there.top - here.top) < (down ? here.width : here.height) / 2;
  return buttons
    .map((button) => ({ button, box: button.getBoundingClientRect() }))
    .filter(({ box }) => aside(box) && apart(box) > 1)
    .sort((a, b) => apart(a.box) - apart(b.box))[0]?.button;
}
