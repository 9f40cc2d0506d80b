/** The image: choose one, open your own, hide a patch, or draw. */

import type { TargetedKeyboardEvent, TargetedPointerEvent } from "preact";
import { useRef, useState } from "preact/hooks";

import { meanColour, withPatch } from "../arithmetic/pixels";
import type { Page, Pair } from "../contract";
import { PixelCanvas } from "./canvas";

type Tool = "hide" | "draw";

interface Props {
  page: Page;
  kept: Float32Array;
  shown: Float32Array;
  onFile(file: Blob, name: string): void;
  /** `kept` is the image with all patches that a click left on it; `shown` also has the one under the pointer. */
  onChange(kept: Float32Array, shown: Float32Array): void;
  onReset(): void;
}

export function ImagePanel({ page, kept, shown, onFile, onChange, onReset }: Props) {
  const [height, width] = page.size;
  const unit = Math.min(height, width) / 32;
  const [tool, setTool] = useState<Tool>("hide");
  const [hidden, setHidden] = useState(10); // side of the patch, in 1/32 of the image
  const [brush, setBrush] = useState(2);
  const [colour, setColour] = useState("#c8553d");
  const [position, setPosition] = useState<Pair>([Math.floor(height / 2), Math.floor(width / 2)]);
  const [over, setOver] = useState(false);
  const side = Math.max(1, Math.round((tool === "hide" ? hidden : brush) * unit));

  const paint = (base: Float32Array, at: Pair, sides = side) =>
    withPatch(base, page.size, at, sides, tool === "hide" ? meanColour(kept) : rgb(colour));
  const hover = (at: Pair) => {
    setPosition(at);
    onChange(kept, paint(kept, at));
  };
  const stamp = (at: Pair) => {
    const changed = paint(kept, at);
    onChange(changed, changed);
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
    else if (event.key === "Escape") onReset();
    else return;
    event.preventDefault();
  };

  return (
    <section class="panel" aria-label="Image">
      <div
        class={`drop ${over ? "over" : ""}`}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          const file = event.dataTransfer?.files[0];
          if (file) onFile(file, file.name);
        }}
      >
        <div
          class="stage"
          role="application"
          tabIndex={0}
          aria-label={
            tool === "hide"
              ? "The image. Arrow keys move the hidden patch, Enter keeps it hidden, Escape resets the image."
              : "The image. Arrow keys move the brush, Enter paints, Escape resets the image."
          }
          style={{ aspectRatio: `${width} / ${height}` }}
          onPointerMove={(event) => {
            const at = positionOf(event);
            if (tool === "draw" && event.buttons) {
              setPosition(at);
              stamp(at);
            } else hover(at);
          }}
          onPointerDown={(event) => {
            if (tool === "draw") stamp(positionOf(event));
            else hover(positionOf(event));
          }}
          onClick={(event) => tool === "hide" && event.detail > 0 && stamp(position)}
          onPointerLeave={() => onChange(kept, kept)}
          onBlur={() => onChange(kept, kept)}
          onKeyDown={keys}
        >
          <PixelCanvas pixels={shown} size={page.size} />
        </div>
      </div>
      <p class="hint">
        {tool === "hide"
          ? "Move over the image to hide a patch; click to keep it hidden."
          : "Paint on the image, or start with a blank one."}
      </p>
      <div class="row tools">
        <div class="choice" role="group" aria-label="Tool">
          <button type="button" aria-pressed={tool === "hide"} onClick={() => setTool("hide")}>
            Hide
          </button>
          <button type="button" aria-pressed={tool === "draw"} onClick={() => setTool("draw")}>
            Draw
          </button>
        </div>
        <button type="button" class="plain" onClick={onReset}>
          Reset
        </button>
      </div>
      <div class="row">
        <label class="grow">
          {tool === "hide" ? "Patch size" : "Brush size"}
          <input
            type="range"
            min={1}
            max={tool === "hide" ? 24 : 8}
            value={tool === "hide" ? hidden : brush}
            onInput={(event) => (tool === "hide" ? setHidden : setBrush)(Number(event.currentTarget.value))}
          />
        </label>
        {tool === "draw" && (
          <>
            <input
              type="color"
              aria-label="Colour"
              value={colour}
              onInput={(event) => setColour(event.currentTarget.value)}
            />
            <button
              type="button"
              class="plain"
              onClick={() => {
                const blank = new Float32Array(kept.length).fill(255);
                onChange(blank, blank);
              }}
            >
              Blank
            </button>
          </>
        )}
      </div>
    </section>
  );
}

interface ChoiceProps {
  page: Page;
  chosen: number | null;
  onChoose(index: number): void;
  onFile(file: Blob, name: string): void;
}

/** The images to choose from, and a button to open a file. */
export function ImageChoice({ page, chosen, onChoose, onFile }: ChoiceProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <section class="panel" aria-label="Choose an image">
      <div class="thumbs" role="group" aria-label="Images to choose from">
        {page.images.map((image, index) => (
          <button type="button" aria-pressed={chosen === index} title={image.name} onClick={() => onChoose(index)}>
            <img src={image.png} alt={image.name} class="pixels" />
          </button>
        ))}
      </div>
      <p class="hint">
        Or drop your own image on the large one.{" "}
        <button type="button" class="link" onClick={() => input.current!.click()}>
          Open a file
        </button>
      </p>
      <input
        ref={input}
        type="file"
        accept="image/*"
        hidden
        aria-label="Image file"
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          if (file) onFile(file, file.name);
          event.currentTarget.value = "";
        }}
      />
    </section>
  );
}

function rgb(hex: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
}
