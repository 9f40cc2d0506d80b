/** The picture: choose one, bring your own, wipe out a part, or draw. */

import type { TargetedKeyboardEvent, TargetedPointerEvent } from "preact";
import { useRef, useState } from "preact/hooks";

import { PixelCanvas } from "./canvas";
import type { Page, Pair } from "./contract";
import { meanColour, withSquare } from "./pictures";

export type Tool = "wipe" | "draw";

interface Props {
  page: Page;
  kept: Float32Array;
  shown: Float32Array;
  onFile(file: Blob, name: string): void;
  /** `kept` is the picture with what was stamped on it, `shown` also has what the pointer hides. */
  onChange(kept: Float32Array, shown: Float32Array): void;
  onReset(): void;
}

export function PicturePanel({ page, kept, shown, onFile, onChange, onReset }: Props) {
  const [height, width] = page.size;
  const unit = Math.min(height, width) / 32;
  const [tool, setTool] = useState<Tool>("wipe");
  const [hidden, setHidden] = useState(10);
  const [brush, setBrush] = useState(2);
  const [colour, setColour] = useState("#c8553d");
  const [cell, setCell] = useState<Pair>([Math.floor(height / 2), Math.floor(width / 2)]);
  const [over, setOver] = useState(false);
  const side = Math.max(1, Math.round((tool === "wipe" ? hidden : brush) * unit));

  const paint = (base: Float32Array, at: Pair, sides = side) =>
    withSquare(base, page.size, at, sides, tool === "wipe" ? meanColour(kept) : rgb(colour));
  const hover = (at: Pair) => {
    setCell(at);
    onChange(kept, paint(kept, at));
  };
  const stamp = (at: Pair) => {
    const changed = paint(kept, at);
    onChange(changed, changed);
  };
  const cellOf = (event: TargetedPointerEvent<HTMLElement>): Pair => {
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
        Math.min(height - 1, Math.max(0, cell[0] + move[0])),
        Math.min(width - 1, Math.max(0, cell[1] + move[1])),
      ]);
    else if (event.key === "Enter" || event.key === " ") stamp(cell);
    else if (event.key === "Escape") onReset();
    else return;
    event.preventDefault();
  };

  return (
    <section class="panel" aria-label="Picture">
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
            tool === "wipe"
              ? "The picture. Arrow keys move the hidden square, Enter keeps it, Escape takes all back."
              : "The picture. Arrow keys move the brush, Enter paints, Escape takes all back."
          }
          style={{ aspectRatio: `${width} / ${height}` }}
          onPointerMove={(event) => {
            const at = cellOf(event);
            if (tool === "draw" && event.buttons) {
              setCell(at);
              stamp(at);
            } else hover(at);
          }}
          onPointerDown={(event) => {
            if (tool === "draw") stamp(cellOf(event));
            else hover(cellOf(event));
          }}
          onClick={(event) => tool === "wipe" && event.detail > 0 && stamp(cell)}
          onPointerLeave={() => onChange(kept, kept)}
          onBlur={() => onChange(kept, kept)}
          onKeyDown={keys}
        >
          <PixelCanvas pixels={shown} size={page.size} />
        </div>
      </div>
      <p class="hint">
        {tool === "wipe"
          ? "Move over the picture to hide a part of it; a click keeps it hidden."
          : "Paint on the picture, or begin with a blank one."}
      </p>
      <div class="row tools">
        <div class="choice" role="group" aria-label="Tool">
          <button type="button" aria-pressed={tool === "wipe"} onClick={() => setTool("wipe")}>
            Wipe out
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
          {tool === "wipe" ? "Square" : "Brush"}
          <input
            type="range"
            min={1}
            max={tool === "wipe" ? 24 : 8}
            value={tool === "wipe" ? hidden : brush}
            onInput={(event) => (tool === "wipe" ? setHidden : setBrush)(Number(event.currentTarget.value))}
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

/** The pictures to choose from, and a way to bring one's own. */
export function PictureChoice({ page, chosen, onChoose, onFile }: ChoiceProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <section class="panel" aria-label="Choice of picture">
      <div class="thumbs" role="group" aria-label="Pictures to choose from">
        {page.pictures.map((picture, index) => (
          <button type="button" aria-pressed={chosen === index} title={picture.name} onClick={() => onChoose(index)}>
            <img src={picture.png} alt={picture.name} class="pixels" />
          </button>
        ))}
      </div>
      <p class="hint">
        Or drop a picture of your own on the large one.{" "}
        <button type="button" class="link" onClick={() => input.current!.click()}>
          Open a file
        </button>
      </p>
      <input
        ref={input}
        type="file"
        accept="image/*"
        hidden
        aria-label="Picture file"
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
