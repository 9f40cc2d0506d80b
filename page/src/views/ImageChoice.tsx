/** The images to choose from, and a button to open a file. */

import { useRef } from "preact/hooks";

import type { Page } from "../contract";
import { READABLE } from "../network/imageFiles";

interface Props {
  page: Page;
  chosen: number | null;
  onChoose(index: number): void;
  onFile(file: Blob, name: string): void;
}

export function ImageChoice({ page, chosen, onChoose, onFile }: Props) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <section class="panel" aria-label="Choose an image">
      <div class="thumbs" role="group" aria-label="Images to choose from">
        {page.images.map((image, index) => (
          <button
            type="button"
            aria-pressed={chosen === index}
            title={image.name}
            onClick={() => onChoose(index)}
            key={index}
          >
            <img src={image.png} alt={image.name} class="pixels" />
          </button>
        ))}
      </div>
      <p class="hint">
        Or drop your own image anywhere on this page.{" "}
        <button type="button" class="link" onClick={() => input.current!.click()}>
          Open a file
        </button>
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
