/** The images to choose from, and a button to open a file. */

import { useRef } from "preact/hooks";

import type { Page } from "../contract";
import { READABLE } from "../network/imageFiles";
import { useRoving } from "./roving";

interface Props {
  page: Page;
  chosen: number | null;
  onChoose(index: number): void;
  onFile(file: Blob, name: string): void;
}

export function ImageChoice({ page, chosen, onChoose, onFile }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const roving = useRoving();
  return (
    <section class="strip" aria-label="Choose an image">
      <div class="thumbs" role="group" aria-label="Images to choose from" {...roving.group}>
        {page.images.map((image, index) => (
          <button
            type="button"
            aria-pressed={chosen === index}
            title={image.name}
            onClick={() => onChoose(index)}
            {...roving.button(index)}
            key={index}
          >
            <img src={image.png} alt={image.name} class="pixels" />
          </button>
        ))}
      </div>
      <p class="hint">
        Yours:{" "}
        <button type="button" class="link" onClick={() => input.current!.click()}>
          Open a file
        </button>{" "}
        or drop it anywhere here.
      </p>
      <input
        ref={input}
        type="file"
        accept={READABLE}
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
