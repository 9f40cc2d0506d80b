/** The image: hide a patch in it, or draw. */

import type { TargetedKeyboardEvent, TargetedPointerEvent } from "preact";
import { useRef, useState } from "preact/hooks";

import { contrasting, line, meanColour, withPatches, type Colour } from "../arithmetic/pixels";
import type { Field } from "../arithmetic/receptiveField";
import type { Page, Pair } from "../contract";
import type { Fit } from "../network/imageFiles";
import { usePaper, type ImageState, type Shown } from "../state/image";
import { Brush } from "./Brush";
import { PixelCanvas } from "./canvas";

type Tool = "hide" | "draw";

interface Props {
  page: Page;
  image: Shown;
  state: ImageState;
  /** Whether a file hangs over the page. */
  over: boolean;
  /** What a value of the network sees of it. */
  field: Field | null;
  /** Whether a small screen shows the tools. */
  tools: boolean;
  onTools(): void;
}

const FITS: [Fit, string][] = [
  ["crop", "cropped to its middle"],
  ["whole", "whole, with borders"],
  ["stretch", "stretched"],
];

export function ImagePanel({ page, image, state, over, field, tools, onTools }: Props) {
  const [height, width] = page.size;
  const unit = Math.min(height, width) / 32;
  const paper = usePaper(page);
  const [tool, setTool] = useState<Tool>("hide");
  const [hidden, setHidden] = useState(10); // side of the patch, in 1/32 of the image
  const [brush, setBrush] = useState(2);
  const [chosenColour, setColour] = useState<Colour | null>(null);
  const colour = chosenColour ?? contrasting(paper.background);
  const [position, setPosition] = useState<Pair>([Math.floor(height / 2), Math.floor(width / 2)]);
  const stroke = useRef<{ last: Pair; pixels: Float32Array } | null>(null);
  const side = Math.max(1, Math.round((tool === "hide" ? hidden : brush) * unit));
  const { kept, shown } = image;
  const drawn = tool === "draw";

  const paint = (base: Float32Array, centres: Pair[]) =>
    withPatches(base, page.size, centres, side, drawn ? colour : meanColour(kept));
  const hover = (at: Pair) => {
    setPosition(at);
    state.preview(paint(kept, [at]));
  };
  const stamp = (at: Pair) => {
    const pixels = paint(kept, [at]);
    stroke.current = { last: at, pixels };
    state.keep(pixels, { drawn });
  };
  const extend = (at: Pair) => {
    const before = stroke.current!;
    const pixels = paint(before.pixels, line(before.last, at));
    stroke.current = { last: at, pixels };
    setPosition(at);
    state.keep(pixels, { drawn, joined: true });
  };
  const positionOf = (event: TargetedPointerEvent<HTMLElement>): Pair => {
    const box = event.currentTarget.getBoundingClientRect();
    const inside = (share: number, length: number) => Math.min(length - 1, Math.max(0, Math.floor(share * length)));
    return [inside((event.clientY - box.top) / box.height, height), inside((event.clientX - box.left) / box.width, width)];
  };
  const keys = (event: TargetedKeyboardEvent<HTMLElement>) => {
    const step = Math.max(1, Math.round(unit)) * (event.shiftKey ? 4 : 1);
    const moves: Record<string, Pair> = {
      ArrowUp: [-step, 0],
      ArrowDown: [step, 0],
      ArrowLeft: [0, -step],
      ArrowRight: [0, step],
    };
    const move = moves[event.key];
    if (move)
      hover([
        Math.min(height - 1, Math.max(0, position[0] + move[0])),
        Math.min(width - 1, Math.max(0, position[1] + move[1])),
      ]);
    else if (event.key === "Enter" || event.key === " ") stamp(position);
    else if (event.key === "Escape") state.reset();
    else if (event.key === "z" && (event.ctrlKey || event.metaKey)) state.undo?.();
    else return;
    event.preventDefault();
  };

  return (
    <section class="panel" aria-label="Image">
      <div class={`drop ${over ? "over" : ""}`}>
        <div
          class="stage"
          role="application"
          tabIndex={0}
          aria-label={
            drawn
              ? "The image. Arrow keys move the brush, Enter paints, Escape resets the image."
              : "The image. Arrow keys move the hidden patch, Enter keeps it hidden, Escape resets the image."
          }
          style={{ aspectRatio: `${width} / ${height}`, ...(drawn && { touchAction: "none" }) }} // else a swipe scrolls
          onPointerMove={(event) => {
            if (drawn && event.buttons && stroke.current) extend(positionOf(event));
            else hover(positionOf(event));
          }}
          onPointerDown={(event) => {
            if (drawn) stamp(positionOf(event));
            else hover(positionOf(event));
          }}
          onPointerUp={() => (stroke.current = null)}
          onClick={(event) => !drawn && event.detail > 0 && stamp(position)}
          onPointerLeave={() => {
            stroke.current = null;
            state.preview(kept);
          }}
          onBlur={() => state.preview(kept)}
          onKeyDown={keys}
        >
          <PixelCanvas pixels={shown} size={page.size} />
          {field && (
            <span
              class="frame field"
              style={{
                top: `${(100 * field.rows[0]) / height}%`,
                left: `${(100 * field.columns[0]) / width}%`,
                height: `${(100 * (field.rows[1] - field.rows[0] + 1)) / height}%`,
                width: `${(100 * (field.columns[1] - field.columns[0] + 1)) / width}%`,
              }}
            />
          )}
        </div>
      </div>
      <button type="button" class="plain unfold" aria-expanded={tools} onClick={onTools}>
        {tools ? "Fold" : "Tools"}
      </button>
      {image.fitted && (
        <label class="hint">
          {image.name} has {image.fitted.bitmap.width}×{image.fitted.bitmap.height} pixels:{" "}
          <select value={image.fitted.fit} onChange={(event) => state.refit(event.currentTarget.value as Fit)}>
            {FITS.map(([fit, words]) => (
              <option value={fit} key={fit}>
                {words}
              </option>
            ))}
          </select>
        </label>
      )}
      <p class="hint">
        {drawn
          ? "Paint on the image, or start with a blank one."
          : "Move over the image to hide a patch; click to keep it hidden."}
      </p>
      <div class="row tools">
        <div class="choice" role="group" aria-label="Tool">
          <button type="button" aria-pressed={!drawn} onClick={() => setTool("hide")}>
            Hide
          </button>
          <button type="button" aria-pressed={drawn} onClick={() => setTool("draw")}>
            Draw
          </button>
        </div>
        <div class="row">
          <button type="button" class="plain" aria-disabled={!state.undo} onClick={() => state.undo?.()}>
            Undo
          </button>
          <button type="button" class="plain" onClick={state.reset}>
            Reset
          </button>
        </div>
      </div>
      <div class="row">
        <label class="grow">
          {drawn ? "Brush size" : "Patch size"}
          <input
            type="range"
            min={1}
            max={drawn ? 8 : 24}
            value={drawn ? brush : hidden}
            onInput={(event) => (drawn ? setBrush : setHidden)(Number(event.currentTarget.value))}
          />
        </label>
        {drawn && (
          <>
            <Brush colour={colour} grey={paper.grey} onColour={setColour} />
            <button type="button" class="plain" onClick={() => state.blank(paper.background)}>
              Blank
            </button>
          </>
        )}
      </div>
    </section>
  );
}
